"""A reader of hostile lists: pages that are answered in any order, and what came of a read."""

from __future__ import annotations

import json
import logging
from collections import Counter
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_cube.errors import IncompleteReadError
from tap_cube.paging.complete import CompleteReader
from tap_cube.paging.pages import Pages
from tap_cube.records.page import END, Page

if TYPE_CHECKING:
    from tests.support.hostile_list import HostileList


class HostilePages(Pages):
    """Pages of a hostile list; those fetched ahead are answered in any order."""

    def __init__(self, rows: HostileList, lookahead: int) -> None:
        """Read directly from the list, without a network."""
        self._list = rows
        self.lookahead = lookahead
        self._now = 0.0
        self._flying: list[tuple[float, int, float]] = []
        self._landed: dict[int, Page | None] = {}
        self.is_counting = False
        self.requests = 0

    @override
    def page(self, number: int) -> Page | None:
        self._flying, self._landed = [], {}
        return self._take(number, ())

    @override
    def page_after(self, page: Page, number: int, lookahead: int) -> Page | None:
        if page.next is None:
            return END
        return self._take(number + 1, range(number + 2, number + 2 + max(0, lookahead)))

    def _take(self, number: int, ahead: range | tuple[()]) -> Page | None:
        known = {*self._landed, *(flying for _, flying, _ in self._flying)}
        for each in [number, *ahead]:
            if each not in known:
                self.requests += 1
                arrival = self._now + self._list.random.random()
                heappush(self._flying, (arrival, each, self._now))
        while number not in self._landed:
            arrival, each, asked = heappop(self._flying)
            self._now = max(self._now, arrival)
            page = self._list.answer(each)
            if page is not None:
                page.asked, page.came = asked, self._now
            self._landed[each] = page
        self._now += 1e-6
        return self._landed.pop(number)


@dataclass
class Read:
    """What came of a read.

    Attributes:
        is_red: Whether it ended in an error.
        passes: Passes that it took.
        requests: Requests that it sent.
        lost: Rows that stayed all the time and were not emitted.
        phantoms: Keys that were emitted more often than there were rows.
    """

    is_red: bool
    passes: int
    requests: int
    lost: Counter[object]
    phantoms: Counter[object]


def read(rows: HostileList, lookahead: int = 0) -> Read:
    """Read a list to its end."""
    pages = HostilePages(rows, lookahead)
    passes = Counting()
    reader = CompleteReader(pages, subject="customers", logger=passes)
    emitted: Counter[tuple[object, int]] = Counter()
    is_red = False
    try:
        for page, places in reader:
            for place in places:
                shown = json.loads(page.raw_rows[place])
                ordinal = page.contents.get(place, ("", 1))[1]
                own = shown["crm__customer_id"]
                emitted[int(own) if own else f"text {shown['text']}", ordinal] += 1
    except IncompleteReadError:
        is_red = True
    # An event gets a key of its own each time; the key of a customer is the customer's.
    found = Counter(key for key, _ in (emitted.elements() if rows.kind.are_events else emitted))
    start = rows.moments[0] if rows.moments else 0
    return Read(
        is_red, passes.passes, pages.requests, rows.stayed(start) - found, found - rows.most()
    )


class Counting(logging.Logger):
    """Counts the passes of a reader by its log lines."""

    def __init__(self) -> None:
        """Count the first pass."""
        super().__init__("counting")
        self.passes = 1

    @override
    def info(self, msg: object, *args: object, **kwargs: object) -> None:
        self.passes += "another pass" in str(msg)
