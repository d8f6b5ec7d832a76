"""Campaigns: which ones the account lists, and the CRM or assignment of each."""

from __future__ import annotations

import logging
import typing as t
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from tap_cube.paging.windows import MIN_DATE
from tap_cube.records.ids import by_id, whole_id
from tap_cube.records.values import TRUE
from tap_cube.settings_schema import CRM_TYPES

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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
        crms = [crm_name(*self.crm)] if self.crm else []
        ids = [] if self.assignment_id is None else [assignment_name(self.assignment_id)]
        return (*crms, *ids)


def read_campaigns(rows: Iterable[Mapping[str, t.Any]]) -> list[Campaign]:
    """Parse the rows of campaigns.

    Campaigns without a readable id are left out, because no URL can be built for them, and so are
    such CRMs and assignments. Of several with the same id, the last is used.
    """
    rows = list(rows)
    if unread := unreadable_ids(rows):
        _LOGGER.warning(
            "Not read, since the id is not a whole number: %s",
            ", ".join(f"{name} in {number} campaigns" for name, number in unread.items()),
        )
    return [_campaign(number, row) for number, row in by_id(rows, "campaign__id").items()]


def unreadable_ids(rows: Sequence[Mapping[str, t.Any]]) -> Counter[str]:
    """Count the campaigns with ids that are not whole numbers, by the name of the id."""
    return Counter(name for name in _IDS for row in rows if _is_unreadable(row, name))


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


def assignment_name(number: int) -> str:
    """Name of the partition of an assignment."""
    return f"assignments/{number}"


def crm_name(owner: int, crm_type: str) -> str:
    """Name of the partition of a CRM."""
    return f"data_owners/{owner}/{crm_type}"


def _day(value: object) -> date | None:
    """A day; None for a missing one, for which 0001-01-01 and the like stand, too."""
    with suppress(ValueError):
        if (day := date.fromisoformat(str(value)[:10])) >= MIN_DATE:
            return day
    return None
