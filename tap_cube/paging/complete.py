"""Reading all pages of a resource so that no row is lost while rows come and go.

Page numbers are offsets: a row deleted on a page that was read pulls the rest forward, and the
first row of the next page is never seen (T16). The evidence is cheap, the mend is a further look:

- New rows appear at one end of the order (by id or by age). A deletion moves all rows behind it.
  So the last page is looked at early, and the first one again at the end: if the row at either
  end stands where it stood, nothing was deleted. This costs two requests a resource.
- Otherwise a further reading goes from the last page to the first. Deletions only push rows
  towards pages still to come, so nothing is lost unless rows were added in front.
- Readings alternate, `MAX_PASSES` at most, and emit only what was not emitted before. For n
  pages by the count ``(2 * n + 102) * MAX_PASSES`` requests are the bound, whatever the server
  says; without counts `MAX_PAGES` a reading are. An account that changes faster ends in an error.

In an order into whose middle rows are inserted (by name, say) a deletion stays unseen only if an
insertion between the same two answers evens it out; a count that differs is seen in every order.
Nor is a row seen that comes in front and goes again between two answers, and may have hidden one.
"""

from __future__ import annotations

import typing as t
from array import array
from bisect import bisect_left, insort

from tap_cube.errors import IncompleteReadError
from tap_cube.paging.passes import BackwardPass, ForwardPass
from tap_cube.records.page import END, Page

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

    from tap_cube.paging.pages import Pages
    from tap_cube.records.rows import Row

MAX_PASSES = 5

_PARTS = 256
_MAX_DUPLICATES = 1000


class CompleteReader:
    """Reads every page of one resource, as often as it takes to be certain.

    Args:
        pages: The resource's pages.
        subject: What to call the resource in errors.
        logger: Where a further reading is told.

    Attributes:
        reading: Number of the reading under way, from 0.
    """

    def __init__(self, pages: Pages, *, subject: str, logger: logging.Logger) -> None:
        """Read nothing yet."""
        self._pages = pages
        self._subject = subject
        self._logger = logger
        self.reading = 0

    def __iter__(self) -> Iterator[tuple[Page, list[int]]]:
        """Yield each page, with the places of those of its rows that are to be looked at.

        Rows of an earlier reading are left out, but for those that nothing tells apart: they may
        be equal to the letter and still be several, so that they have their number alone.

        Raises:
            IncompleteReadError: If no reading was certain to be complete.
        """
        earlier: list[_Hashes] = []
        distinct = reached = 0
        first = self._first_page()
        for self.reading in range(MAX_PASSES):
            first = self._first_page() if self.reading else first
            backward = self.reading % 2 and first.count is not None
            attempt = (
                BackwardPass(self._pages, first, reached)
                if backward
                else ForwardPass(self._pages, first)
            )
            rows = _Rows(first.count, earlier)
            for page in attempt.read(self._pages.lookahead if not self.reading else 0):
                yield page, rows.places(page)
            duplicates = rows.duplicates if attempt.is_still else END
            distinct = rows.distinct + len(duplicates.rows)
            if attempt.is_complete(distinct, rows.news) and not rows.has_lost_count:
                if duplicates.rows:
                    yield duplicates, [*range(len(duplicates.rows))]
                return
            earlier.append(rows.sorted_keys())
            reached = max(reached, rows.pages)
            self._logger.info("%s: rows changed while paging; starting another pass", self._subject)
        msg = (
            f"{self._subject}: in {MAX_PASSES} readings the pages never held all rows for "
            f"certain (the account counts {first.count}, the last reading found {distinct}). "
            "Run again when the account changes less."
        )
        raise IncompleteReadError(msg)

    def _first_page(self) -> Page:
        first = self._pages.page(1)
        if first is None:
            msg = f"{self._subject}: the first page disappeared between readings. Run again."
            raise IncompleteReadError(msg)
        return first


class _Rows:
    """The rows of one reading, and which of them are to be looked at.

    Args:
        count: What the first page counts.
        earlier: Keys of the rows of earlier readings.

    Attributes:
        news: Rows with a mark that no earlier reading had.
        pages: How many pages there were.
    """

    def __init__(self, count: int | None, earlier: list[_Hashes]) -> None:
        self._earlier = earlier
        self._keys = _Hashes()
        self._alike = _Duplicates(count, is_moving=not earlier)
        self._duplicate_rows: list[tuple[Row, bytes]] = []
        self.news = self.pages = 0

    def places(self, page: Page) -> list[int]:
        """Places of the rows of the next page that are to be looked at."""
        self.pages += 1
        self._alike.begin(page.count)
        places = []
        for place, head in enumerate(page.rows):
            mark = head.identity if head.is_unique else None
            # Several rows may have one id, by mistake. The first reading is spared the look at
            # their texts; the next ones tell them from one row that was read twice.
            if mark is None or self._earlier:
                was_moved = self._alike.was_moved(hash(page.raw_rows[place]))
                if mark is None and was_moved:
                    if not self.has_lost_count:
                        self._duplicate_rows.append((head, page.raw_rows[place]))
                    continue
            if mark is not None:
                key = hash(mark)
                self._keys.add(key)
                if self._earlier and any(reading.holds(key) for reading in self._earlier):
                    continue
                self.news += 1
            places.append(place)
        return places

    @property
    def has_lost_count(self) -> bool:
        """Whether there were too many rows on several pages to hold them back."""
        return len(self._duplicate_rows) > _MAX_DUPLICATES

    @property
    def duplicates(self) -> Page:
        """Rows that were on a page before, which are others if no row has moved."""
        rows = [row for _, row in self._duplicate_rows]
        return Page(
            b"[%b]" % b",".join(rows), [head for head, _ in self._duplicate_rows], _raw_rows=rows
        )

    @property
    def distinct(self) -> int:
        """Rows that were read, each counted once."""
        return self._alike.number + (0 if self._earlier else self._keys.distinct)

    def sorted_keys(self) -> _Hashes:
        """The keys of all rows with a mark, ready to be asked."""
        self._keys.sort()
        return self._keys


class _Duplicates:
    """Tells rows that are equal to the letter from one row that was moved to another page."""

    def __init__(self, count: int | None, *, is_moving: bool) -> None:
        self._count = count
        # A count may be older than its page, so that the first reading does not go by it.
        self._is_moving = is_moving
        self._before = _Hashes()
        self._here: set[int] = set()
        self.number = 0

    def begin(self, count: int | None) -> None:
        """Say which count the next page shows."""
        for key in self._here:
            self._before.insert(key)
        self._here = set()
        self._is_moving |= count != self._count

    def was_moved(self, key: int) -> bool:
        """Whether a row, by its hash, was on a page before others came or went."""
        if self._is_moving and self._before.holds(key):
            return True
        self._here.add(key)
        self.number += 1
        return False


class _Hashes:
    """Hashes of rows, eight bytes each, in parts so small that looking at one costs nothing."""

    def __init__(self) -> None:
        self._parts = [array("q") for _ in range(_PARTS)]

    def add(self, key: int) -> None:
        """Take one in, and be out of order until it is sorted."""
        self._parts[key % _PARTS].append(key)

    def insert(self, key: int) -> None:
        """Take one in at its place."""
        insort(self._parts[key % _PARTS], key)

    @property
    def distinct(self) -> int:
        """How many different ones there are."""
        return sum(len(set(part)) for part in self._parts)

    def sort(self) -> None:
        """Make ready to be asked."""
        self._parts = [array("q", sorted(part)) for part in self._parts]

    def holds(self, key: int) -> bool:
        """Whether it is among them; they must be in order."""
        part = self._parts[key % _PARTS]
        index = bisect_left(part, key)
        return index < len(part) and part[index] == key
