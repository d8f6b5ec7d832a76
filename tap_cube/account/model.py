"""The contents of an account: partitions, their definitions, and the endpoints that serve them."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from tap_cube.account.campaigns import assignment_name, crm_name
from tap_cube.account.names import Naming
from tap_cube.singer.stats import ListStats

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from tap_cube.account.campaigns import Campaign
    from tap_cube.account.custom_fields import CustomField
    from tap_cube.account.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class Partition:
    """An assignment, a CRM or a campaign, whose rows are read together.

    Attributes:
        context: Ids of the partition, as in paths and in the state.
        name: ``assignments/9``, ``data_owners/2/B2B`` or ``campaigns/8``.
        named_by: The setting that names the partition; None if it was discovered.
        columns: Values of columns that are the same in all records of the partition.
        defined_by: Names of the partitions that define the custom fields of its rows.
        ended: Last day on which rows can have changed; None if the partition has not ended.
    """

    context: Mapping[str, t.Any]
    name: str
    named_by: str | None
    columns: Mapping[str, t.Any]
    defined_by: tuple[str, ...]
    ended: date | None = None

    @classmethod
    def of_assignment(cls, number: int, named_by: str | None) -> t.Self:
        """Make the partition of an assignment, the older name of a CRM."""
        context, name = {"assignment_id": number}, assignment_name(number)
        return cls(context, name, named_by, context, (name,))

    @classmethod
    def of_crm(cls, owner: int, crm_type: str, named_by: str | None) -> t.Self:
        """Make the partition of a CRM: a data owner and a CRM type."""
        context, name = {"data_owner_id": owner, "crm_type": crm_type}, crm_name(owner, crm_type)
        return cls(context, name, named_by, context, (name,))

    @classmethod
    def of_campaign(cls, campaign: Campaign) -> t.Self:
        """Make the partition of a campaign."""
        context = {"campaign__id": campaign.id}
        return cls(
            context,
            f"campaigns/{campaign.id}",
            None,
            campaign.columns,
            campaign.defined_by,
            campaign.archived,
        )


ACCOUNT: t.Final = Partition({}, "", None, {}, ())
"""The whole account as one partition."""


@dataclass(frozen=True, slots=True)
class Resource:
    """The partitions of a stream, and the endpoint that serves them.

    Attributes:
        partitions: The partitions to read.
        endpoint: The endpoint of their rows.
        keys: Keys of the rows on first pages, in order.
        is_list: Whether a response is a bare list, without pages (T13).
        unread: What may belong to the stream and this run does not read: names of partitions, or
            short phrases.
        skipped: Partitions that the account has there, and that this run does not read.
    """

    partitions: tuple[Partition, ...]
    endpoint: Endpoint
    keys: tuple[str, ...] = ()
    is_list: bool = False
    unread: tuple[str, ...] = ()
    skipped: tuple[Partition, ...] = ()

    @classmethod
    def joined(cls, parts: Sequence[Resource], unread: tuple[str, ...]) -> t.Self:
        """Join resources that all have the same endpoint."""
        return cls(
            tuple(partition for part in parts for partition in part.partitions),
            parts[0].endpoint,
            tuple(dict.fromkeys(key for part in parts for key in part.keys)),
            any(part.is_list for part in parts),
            unread,
        )

    def without(self, partitions: Iterable[Partition]) -> t.Self:
        """The resource that skips those of these partitions that its endpoint has."""
        own = (each for each in partitions if each.context.keys() == self.endpoint.ids)
        return replace(self, skipped=tuple(own))


@dataclass(frozen=True, slots=True)
class Definitions:
    """The definitions of custom fields of one assignment or CRM (rows C4, H2).

    They count even while no customers of the partition answer: columns depend on them.

    Attributes:
        partition: The partition.
        endpoint: Where it shows them.
        rows: The decoded rows.
        fields: What was read of them.
        stats: What was counted when they were read.
    """

    partition: Partition
    endpoint: Endpoint
    rows: Sequence[Mapping[str, t.Any]]
    fields: Sequence[CustomField]
    stats: ListStats


@dataclass(frozen=True, slots=True)
class Account:
    """The result of discovery.

    Attributes:
        campaign_rows: The rows of the campaigns; None if the account does not list them.
        campaigns: The campaigns.
        definitions: The definitions of each partition that shows them.
        resources: Partitions and endpoint of each stream, by its name; streams with nothing to
            read are missing.
        label_names: Readable column names of custom fields, by partition and id, if wanted.
        naming: How other columns are named.
        failures: A sentence for each stream and partition that should be there and does not answer.
        unread: What this run does not read of the streams that emit what discovery has read.
        campaign_stats: What was counted when the campaigns were read.
    """

    campaign_rows: Sequence[dict[str, t.Any]] | None
    campaigns: Sequence[Campaign]
    definitions: Sequence[Definitions]
    resources: Mapping[str, Resource]
    label_names: Mapping[tuple[str, int], str] = field(default_factory=dict)
    naming: Naming = field(default_factory=Naming)
    failures: Sequence[str] = ()
    unread: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    campaign_stats: ListStats = field(default_factory=ListStats)

    @property
    def fields(self) -> tuple[CustomField, ...]:
        """The custom fields of all partitions."""
        return tuple(own for found in self.definitions for own in found.fields)

    def fields_of(self, endpoint: Endpoint) -> list[CustomField]:
        """The custom fields of the partitions that an endpoint serves."""
        defined = (d for d in self.definitions if d.partition.context.keys() == endpoint.ids)
        return [own for found in defined for own in found.fields]


def partition_name(context: Mapping[str, t.Any]) -> str:
    """Name of the partition that has a context in the state; "" for the whole account."""
    if "campaign__id" in context:
        return f"campaigns/{context['campaign__id']}"
    if "assignment_id" in context:
        return assignment_name(context["assignment_id"])
    if "data_owner_id" in context:
        return crm_name(context["data_owner_id"], context.get("crm_type", ""))
    return ""
