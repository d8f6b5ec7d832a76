"""Ranges of days, split until the server counts few pages in each."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_PAGES = 20
"""Pages of a window at most; a single day may have more."""

MAX_PARTS = 10
"""Parts into which a window is split at most; parts that are still too large are split again."""

MIN_DATE = date(2000, 1, 1)
"""First day to request where neither a setting nor a bookmark says; no Cube account is older."""


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A range of days from the first to the last, both included (T21)."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.last - self.first).days + 1

    @property
    def query(self) -> str:
        """Query with both dates; without either the server sends only today's records (T20)."""
        # Not by a format, which would not pad years before 1000.
        first, last = (day.isoformat().replace("-", "") for day in (self.first, self.last))
        return f"from_date={first}&to_date={last}"

    def parts(self, number: int) -> list[Window]:
        """Split into this many windows of nearly equal length, or into days if those are fewer."""
        number = min(number, self.days)
        edges = [self.first + timedelta(days=self.days * n // number) for n in range(number + 1)]
        return [Window(first, after - timedelta(days=1)) for first, after in pairwise(edges)]


def small_windows(span: Window, count_pages: Callable[[Window], int]) -> Iterator[Window]:
    """Yield windows of at most `MAX_PAGES` pages, or of one day, in order.

    Args:
        span: All days to cover.
        count_pages: Requests the number of pages in a window. Called once for each window,
            immediately before the window is yielded or split.
    """
    pending = [span]
    while pending:
        window = pending.pop()
        pages = count_pages(window)
        if pages > MAX_PAGES and window.days > 1:
            pending += reversed(window.parts(min(-(-pages // MAX_PAGES), MAX_PARTS)))
        else:
            yield window
