"""What an account has: its campaigns, what rows belong to, and where discovery found them."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from tap_cube.settings_schema import CRM_TYPES

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_cube.account.custom_fields import CustomField
    from tap_cube.account.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign (row C1), of any generation.

    Attributes:
        id: Its id.
        name: Its name, which events carry instead of the id.
        data_owner: Name of its data owner.
        crm: Data owner's id and CRM type; None where it shows none that URLs know (T24).
        assignment_id: Its assignment, where it shows one.
        archived: The day it was archived.
    """

    id: int
    name: str
    data_owner: str
    crm: tuple[int, str] | None
    assignment_id: int | None
    archived: date | None

    @property
    def columns(self) -> dict[str, object]:
        """The ids by which its events are joined to campaigns and customers."""
        owner, crm_type = self.crm or (None, None)
        return {
            "campaign__id": self.id,
            "data_owner_id": owner,
            "crm_type": crm_type,
            "assignment_id": self.assignment_id,
        }

    @property
    def defined_by(self) -> tuple[str, ...]:
        """Names of the partitions that define its customers' custom fields."""
        crms = [_crm_name(*self.crm)] if self.crm else []
        ids = [] if self.assignment_id is None else [_assignment_name(self.assignment_id)]
        return (*crms, *ids)


@dataclass(frozen=True, slots=True)
class Partition:
    """An assignment, a CRM or a campaign: what rows belong to.

    Attributes:
        context: Its ids, as they stand in paths and state.
        name: ``assignments/9``, ``data_owners/2/B2B`` or ``campaigns/8``.
        setting: The setting that names it; None if it was discovered.
        columns: Values that each of its records has.
        defined_by: Names of the partitions that define its custom fields.
        ended: The last day on which anything can have happened in it.
        answered: Whether discovery saw it answer.
    """

    context: Mapping[str, t.Any]
    name: str
    setting: str | None
    columns: Mapping[str, t.Any]
    defined_by: tuple[str, ...]
    ended: date | None = None
    answered: bool = True

    @classmethod
    def of_assignment(cls, number: int, setting: str | None) -> t.Self:
        """The partition that is an assignment, the older name of a CRM."""
        context, name = {"assignment_id": number}, _assignment_name(number)
        return cls(context, name, setting, context, (name,))

    @classmethod
    def of_crm(cls, owner: int, crm_type: str, setting: str | None) -> t.Self:
        """The partition that is a CRM: a data owner and a CRM type."""
        context = {"data_owner_id": owner, "crm_type": crm_type}
        name = _crm_name(owner, crm_type)
        return cls(context, name, setting, context, (name,))

    @classmethod
    def of_campaign(cls, campaign: Campaign) -> t.Self:
        """The partition that is a campaign."""
        context = {"campaign__id": campaign.id}
        return cls(
            context,
            f"campaigns/{campaign.id}",
            None,
            campaign.columns,
            campaign.defined_by,
            campaign.archived,
            answered=False,
        )


ACCOUNT: t.Final = Partition({}, "", None, {}, ())
"""Stands for the account as a whole."""


@dataclass(frozen=True, slots=True)
class Resource:
    """All partitions that a stream is read from, and what they answer at.

    Attributes:
        partitions: Those that answer.
        endpoint: Where their rows are.
        keys: Keys of the rows on first pages, in order.
        is_list: Whether rows come as a bare list, without pages.
        definitions: Where their custom fields are defined, by partition.
        fields: Their custom fields.
    """

    partitions: tuple[Partition, ...]
    endpoint: Endpoint
    keys: tuple[str, ...] = ()
    is_list: bool = False
    definitions: Mapping[str, Endpoint] = field(default_factory=dict)
    fields: tuple[CustomField, ...] = ()

    @classmethod
    def joined(cls, parts: Sequence[Resource]) -> t.Self:
        """Join partitions that all answer at one endpoint."""
        return cls(
            tuple(partition for part in parts for partition in part.partitions),
            parts[0].endpoint,
            tuple(dict.fromkeys(key for part in parts for key in part.keys)),
            any(part.is_list for part in parts),
            {name: at for part in parts for name, at in part.definitions.items()},
            tuple(own for part in parts for own in part.fields),
        )


@dataclass(frozen=True, slots=True)
class Account:
    """What discovery found.

    Attributes:
        campaign_keys: Keys of campaigns; None if the account lists no campaigns.
        campaigns: The campaigns themselves.
        resources: Where the rows of each stream are, by its name; streams with nothing to read
            are not among them.
        label_names: Readable column names of custom fields, by partition and id, where the user
            wants such.
    """

    campaign_keys: frozenset[str] | None
    campaigns: tuple[Campaign, ...]
    resources: Mapping[str, Resource]
    label_names: Mapping[tuple[str, int], str] = field(default_factory=dict)

    @property
    def fields(self) -> tuple[CustomField, ...]:
        """The custom fields of all customers."""
        return tuple(own for found in self.resources.values() for own in found.fields)


def read_campaigns(rows: Iterable[Mapping[str, t.Any]]) -> list[Campaign]:
    """Make campaigns of rows; one without an id cannot be asked for and is passed over.

    Of two with one id the last stays.
    """
    known = [_campaign(row) for row in rows if type(row.get("campaign__id")) is int]
    return list({campaign.id: campaign for campaign in known}.values())


def _campaign(row: Mapping[str, t.Any]) -> Campaign:
    owner = row.get("data_owner__id")
    crm_type = row.get("campaign__crm_type") or row.get("crm_type__name")
    assignment = row.get("assignment__id")
    return Campaign(
        id=row["campaign__id"],
        name=str(row.get("campaign__name", "")),
        data_owner=str(row.get("data_owner__name", "")),
        crm=(owner, crm_type) if type(owner) is int and crm_type in CRM_TYPES else None,
        assignment_id=assignment if type(assignment) is int else None,
        archived=_day(row.get("campaign__archived_date")),
    )


def _assignment_name(number: int) -> str:
    return f"assignments/{number}"


def _crm_name(owner: int, crm_type: str) -> str:
    return f"data_owners/{owner}/{crm_type}"


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def ids_by_names(campaigns: Iterable[Campaign]) -> dict[tuple[str, str], dict[str, object]]:
    """Ids by the names of data owner and campaign; None where campaigns of these names differ."""
    together = defaultdict(list)
    for campaign in campaigns:
        together[campaign.data_owner, campaign.name].append(campaign.columns)
    return {
        names: {
            name: value if all(other[name] == value for other in others) else None
            for name, value in first.items()
        }
        for names, (first, *others) in together.items()
    }
