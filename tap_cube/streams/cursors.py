"""Cursors: by what value a stream resumes. Values are texts that sort by time."""

from __future__ import annotations

import typing as t
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from typing_extensions import override

from tap_cube.records.moments import as_moment
from tap_cube.records.rows import days_of_change

if t.TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from tap_cube.records.rows import CustomerRow


class Cursor(ABC):
    """The field of a row that says when it was last changed, and what follows for bookmarks."""

    @abstractmethod
    def value_of(self, row: t.Any) -> str | None:  # noqa: ANN401 - a row of the stream's type
        """When a row was last changed; None where it does not say."""

    def values_of(self, rows: Sequence[t.Any]) -> Sequence[str | None]:
        """When each row of a page was last changed; None where it does not say."""
        return [self.value_of(row) for row in rows]

    @abstractmethod
    def resume_from(self, moment: datetime) -> str:
        """The first value to emit again, if everything before a local time was emitted."""

    @abstractmethod
    def bookmark_for(self, value: str) -> str:
        """The bookmark that stands in the state for a value."""

    @abstractmethod
    def upper_bound(self, began: datetime) -> str:
        """The value that no bookmark passes, given the local time when the reading began."""

    @abstractmethod
    def closed_at(self, ended: date) -> str:
        """The last value that a partition can have which ended on a day."""


@dataclass(frozen=True, slots=True)
class DayCursor(Cursor):
    """Days, such as ``2024-05-17``, on which customers were changed."""

    @override
    def value_of(self, row: CustomerRow) -> str | None:
        return row.updated_on

    @override
    def values_of(self, rows: Sequence[CustomerRow]) -> Sequence[str | None]:
        return days_of_change(rows)

    @override
    def resume_from(self, moment: datetime) -> str:
        return moment.date().isoformat()

    @override
    def bookmark_for(self, value: str) -> str:
        return value

    @override
    def upper_bound(self, began: datetime) -> str:
        return began.date().isoformat()

    @override
    def closed_at(self, ended: date) -> str:
        return ended.isoformat()


@dataclass(frozen=True, slots=True)
class MinuteCursor(Cursor):
    """Local times to the minute (T37, T38); values are wall-clock times without a zone.

    Attributes:
        field: Name of the row's attribute that holds the time as Cube sends it.
        zone: The account's zone.
    """

    field: str
    zone: ZoneInfo

    @override
    def value_of(self, row: object) -> str | None:
        sent = getattr(row, self.field)
        # Nearly all are such as "2024-05-17 10:30", and on a day whose offset does not change.
        if type(sent) is str and sent[_DAY_ENDS:] in _MINUTES and _is_even(self, sent[:_DAY_ENDS]):
            return f"{sent[:_DAY_ENDS]}T{sent[_DAY_ENDS + 1 :]}:00"
        return self.wall_clock_of(sent)

    def wall_clock_of(self, sent: object) -> str | None:
        """The local time that a value as Cube sends it stands for; None if it is no time."""
        try:
            moment = as_moment(sent, self.zone)
            return self._wall_clock(datetime.fromisoformat(moment)) if moment else None
        except (ValueError, ArithmeticError):
            return None

    @override
    def resume_from(self, moment: datetime) -> str:
        wall = moment.replace(tzinfo=self.zone)
        # When clocks go back an hour comes twice, and nothing says which of the two is meant.
        is_twice = wall.replace(fold=0).utcoffset() != wall.replace(fold=1).utcoffset()
        return self._wall_clock(wall - timedelta(hours=1) if is_twice else wall)

    @override
    def bookmark_for(self, value: str) -> str:
        return as_moment(value, self.zone) or ""

    @override
    def upper_bound(self, began: datetime) -> str:
        # Cube shows minutes only, and this one is not over: what changes in it comes next time.
        # The second pass through an hour that comes twice is after all of the first.
        minute = 59 if began.fold else began.minute
        return self._wall_clock(began.replace(minute=minute, second=0))

    @override
    def closed_at(self, ended: date) -> str:
        return f"{ended}T23:59:59"

    def _wall_clock(self, moment: datetime) -> str:
        # Not by a format, which would not pad years before 1000.
        return moment.astimezone(self.zone).isoformat(timespec="seconds")[:19]


_DAY_ENDS = len("2024-05-17")
_MINUTES = frozenset(
    f"{separator}{hour:02}:{minute:02}"
    for separator in "T "
    for hour in range(24)
    for minute in range(60)
)


@lru_cache(2**13)
def _is_even(cursor: MinuteCursor, day: str) -> bool:
    """Whether a text is a day, such as ``2024-05-17``, on which the clocks do not change."""
    ends = [f"{day}T00:00:00", f"{day}T23:59:00"]
    if [*map(cursor.wall_clock_of, ends)] != ends:
        return False
    first, last = (datetime.fromisoformat(end).replace(tzinfo=cursor.zone) for end in ends)
    return first.utcoffset() == last.utcoffset()
