"""Ranges of days, kept small by the server's own count of what lies in them."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_PAGES = 20
"""Pages that a window should have at most; a single day may have more."""

MAX_PARTS = 10
"""Parts that a window is split into at once, since events are never spread evenly."""

MIN_DATE = date(2000, 1, 1)
"""First day to ask for where nobody says one; no Cube account is so old."""


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Days from the first to the last, both of them included (T21)."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def query(self) -> str:
        """Query that asks for it; both dates, or the server would answer for today alone (T20)."""
        return f"from_date={self.first:%Y%m%d}&to_date={self.last:%Y%m%d}"

    def parts(self, number: int) -> list[Window]:
        """Split into so many windows of nearly equal length, at most one a day, in order."""
        number = min(number, self.days)
        edges = [self.first + timedelta(days=self.days * n // number) for n in range(number + 1)]
        return [Window(first, after - timedelta(days=1)) for first, after in pairwise(edges)]


def small_windows(whole: Window, pages_of: Callable[[Window], int]) -> Iterator[Window]:
    """Yield windows of `MAX_PAGES` pages at most, or of one day, from the first day on.

    Args:
        whole: What all of them make together.
        pages_of: Asks how many pages a window has; called once for each window that is yielded
            and for each that is split, right before that.
    """
    waiting = [whole]
    while waiting:
        window = waiting.pop()
        pages = pages_of(window)
        if pages > MAX_PAGES and window.days > 1:
            waiting += reversed(window.parts(min(-(-pages // MAX_PAGES), MAX_PARTS)))
        else:
            yield window
