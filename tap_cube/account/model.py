"""The contents of an account: campaigns, partitions, and the endpoints that serve them."""

from __future__ import annotations

import logging
import typing as t
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date

from tap_cube.account.names import Naming
from tap_cube.paging.windows import MIN_DATE
from tap_cube.records.ids import by_id, whole_id
from tap_cube.records.values import TRUE
from tap_cube.settings_schema import CRM_TYPES

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_cube.account.custom_fields import CustomField
    from tap_cube.account.endpoint import Endpoint

_LOGGER = logging.getLogger("tap-cube")
_IDS = ("campaign__id", "data_owner__id", "assignment__id")


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign of any generation (row C1, section 3.5 of docs/api.md).

    Attributes:
        id: Id of the campaign.
        name: Name of the campaign; events have the name instead of the id.
        data_owner: Name of the data owner.
        crm: Data owner's id and CRM type; None without a CRM type that URLs accept (T24).
        assignment_id: Id of the assignment; None if the campaign has none.
        archived: Day on which the campaign was archived; None if it is active.
    """

    id: int
    name: str
    data_owner: str
    crm: tuple[int, str] | None
    assignment_id: int | None
    archived: date | None

    @property
    def columns(self) -> dict[str, object]:
        """Ids that join the campaign's events to campaigns and customers."""
        owner, crm_type = self.crm or (None, None)
        return {
            "campaign__id": self.id,
            "data_owner_id": owner,
            "crm_type": crm_type,
            "assignment_id": self.assignment_id,
        }

    @property
    def defined_by(self) -> tuple[str, ...]:
        """Names of the partitions that define the custom fields of the campaign's customers."""
        crms = [_crm_name(*self.crm)] if self.crm else []
        ids = [] if self.assignment_id is None else [_assignment_name(self.assignment_id)]
        return (*crms, *ids)


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
        context, name = {"assignment_id": number}, _assignment_name(number)
        return cls(context, name, named_by, context, (name,))

    @classmethod
    def of_crm(cls, owner: int, crm_type: str, named_by: str | None) -> t.Self:
        """Make the partition of a CRM: a data owner and a CRM type."""
        context, name = {"data_owner_id": owner, "crm_type": crm_type}, _crm_name(owner, crm_type)
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
        unread: Names of what belongs to the stream and cannot be read in this run.
    """

    partitions: tuple[Partition, ...]
    endpoint: Endpoint
    keys: tuple[str, ...] = ()
    is_list: bool = False
    unread: tuple[str, ...] = ()

    @classmethod
    def joined(cls, parts: Sequence[Resource]) -> t.Self:
        """Join resources that all have the same endpoint."""
        return cls(
            tuple(partition for part in parts for partition in part.partitions),
            parts[0].endpoint,
            tuple(dict.fromkeys(key for part in parts for key in part.keys)),
            any(part.is_list for part in parts),
        )


@dataclass(frozen=True, slots=True)
class Definitions:
    """The definitions of custom fields of one assignment or CRM (rows C4, H2).

    They count even while no customers of the partition answer: columns depend on them.

    Attributes:
        partition: The partition.
        endpoint: Where it shows them.
        rows: The decoded rows.
        fields: What was read of them.
    """

    partition: Partition
    endpoint: Endpoint
    rows: Sequence[Mapping[str, t.Any]]
    fields: Sequence[CustomField]


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
    """

    campaign_rows: Sequence[dict[str, t.Any]] | None
    campaigns: Sequence[Campaign]
    definitions: Sequence[Definitions]
    resources: Mapping[str, Resource]
    label_names: Mapping[tuple[str, int], str] = field(default_factory=dict)
    naming: Naming = field(default_factory=Naming)
    failures: Sequence[str] = ()

    @property
    def fields(self) -> tuple[CustomField, ...]:
        """The custom fields of all partitions."""
        return tuple(own for found in self.definitions for own in found.fields)

    def fields_of(self, endpoint: Endpoint) -> list[CustomField]:
        """The custom fields of the partitions that an endpoint serves."""
        defined = (d for d in self.definitions if d.partition.context.keys() == endpoint.ids)
        return [own for found in defined for own in found.fields]


def read_campaigns(rows: Iterable[Mapping[str, t.Any]]) -> list[Campaign]:
    """Parse the rows of campaigns.

    Campaigns without a readable id are left out, because no URL can be built for them, and so are
    such CRMs and assignments. Of several with the same id, the last is used.
    """
    rows = list(rows)
    unread = Counter(name for name in _IDS for row in rows if _is_unreadable(row, name))
    if unread:
        _LOGGER.warning(
            "Not read, since the id is not a whole number: %s",
            ", ".join(f"{name} in {number} campaigns" for name, number in unread.items()),
        )
    return [_campaign(number, row) for number, row in by_id(rows, "campaign__id").items()]


def _is_unreadable(row: Mapping[str, t.Any], name: str) -> bool:
    is_needed = name == "campaign__id" or row.get(name) not in ("", None)
    return is_needed and whole_id(row.get(name)) is None


def _campaign(number: int, row: Mapping[str, t.Any]) -> Campaign:
    owner = whole_id(row.get("data_owner__id"))
    crm_type = str(row.get("campaign__crm_type") or row.get("crm_type__name")).strip().upper()
    return Campaign(
        id=number,
        name=str(row.get("campaign__name", "")),
        data_owner=str(row.get("data_owner__name", "")),
        crm=(owner, crm_type) if owner is not None and crm_type in CRM_TYPES else None,
        assignment_id=whole_id(row.get("assignment__id")),
        archived=None if _is_active(row) else _day(row.get("campaign__archived_date")),
    )


def _is_active(row: Mapping[str, t.Any]) -> bool:
    """Whether a campaign is in use, even if it still shows when it was archived before."""
    return str(row.get("campaign__is_active")).strip().casefold() in TRUE


def partition_name(context: Mapping[str, t.Any]) -> str:
    """Name of the partition that has a context in the state; "" for the whole account."""
    if "campaign__id" in context:
        return f"campaigns/{context['campaign__id']}"
    if "assignment_id" in context:
        return _assignment_name(context["assignment_id"])
    if "data_owner_id" in context:
        return _crm_name(context["data_owner_id"], context.get("crm_type", ""))
    return ""


def _assignment_name(number: int) -> str:
    return f"assignments/{number}"


def _crm_name(owner: int, crm_type: str) -> str:
    return f"data_owners/{owner}/{crm_type}"


def _day(value: object) -> date | None:
    """A day; None for a missing one, for which 0001-01-01 and the like stand, too."""
    with suppress(ValueError):
        if (day := date.fromisoformat(str(value)[:10])) >= MIN_DATE:
            return day
    return None
