"""Campaigns as the account lists them: what they belong to, and which of them still run."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from tap_cube.settings_schema import CRM_TYPES

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


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
    def described_by(self) -> tuple[str, ...]:
        """Names of the sources that define its customers' custom fields."""
        crms = ["data_owners/{}/{}".format(*self.crm)] if self.crm else []
        ids = [] if self.assignment_id is None else [f"assignments/{self.assignment_id}"]
        return (*crms, *ids)


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
