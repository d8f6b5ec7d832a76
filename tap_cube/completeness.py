"""Reading all pages of a resource so that no row is lost while rows come and go.

Page numbers are offsets: a row deleted on a page that was read pulls the rest forward, and the
first row of the next page is never seen (T16). The evidence is cheap, the mend is a further look:

- New rows appear at one end of the order (by id or by age). A deletion moves all rows behind it.
  So the last page is looked at early, and the first one again at the end: if the row at either
  end stands where it stood, nothing was deleted. This costs two requests a resource.
- Otherwise a further reading goes from the last page to the first. Deletions only push rows
  towards pages still to come, so nothing is lost unless rows were added in front.
- Readings alternate, `MAX_READINGS` at most, and emit only what was not emitted before. For n
  pages, ``(2 * n + 2) * MAX_READINGS`` requests are the bound. An account that changes faster
  ends in an error.

In an order into whose middle rows are inserted (by name, say) a deletion stays unseen only if an
insertion between the same two answers evens it out; a count that differs is seen in every order.
Nor is a row seen that comes in front and goes again between two answers, and may have hidden one.
"""

from __future__ import annotations

import typing as t
from array import array
from bisect import bisect_left

from tap_cube.errors import IncompleteReadError
from tap_cube.readings import Backward, Forward

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

    from tap_cube.pages import Page
    from tap_cube.pagination import Pages

MAX_READINGS = 5

_PARTS = 256


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
        earlier: list[_Seen] = []
        distinct = reached = 0
        first = self._first_page()
        for self.reading in range(MAX_READINGS):
            first = self._first_page() if self.reading else first
            backward = self.reading % 2 and first.count is not None
            attempt = (
                Backward(self._pages, first, reached) if backward else Forward(self._pages, first)
            )
            seen, texts, news, pages = _Seen(), _Seen(), 0, 0
            alike = _Alike(first.count, is_moving=not self.reading)
            for page in attempt.read(self._pages.window if not self.reading else 0):
                places = []
                pages += 1
                alike.begin(page.count)
                for place, head in enumerate(page.heads):
                    mark = head.mark if head.is_unique else None
                    if mark is None:
                        if alike.was_moved(hash(page.rows[place])):
                            continue
                    else:
                        key = hash(mark)
                        seen.add(key)
                        if self.reading:
                            texts.add(hash(page.rows[place]))
                        if earlier and any(reading.holds(key) for reading in earlier):
                            continue
                        news += 1
                    places.append(place)
                yield page, places
            # Several rows may have one id, by mistake. The first reading is spared the look at
            # their texts; the next ones tell them from one row that was read twice.
            distinct = alike.number + (texts if self.reading else seen).distinct
            if attempt.is_complete(distinct, news):
                return
            seen.sort()
            earlier.append(seen)
            reached = max(reached, pages)
            self._logger.info(
                "%s: rows came or went between the pages; reading them again", self._subject
            )
        msg = (
            f"{self._subject}: in {MAX_READINGS} readings the pages never held all rows for "
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


class _Alike:
    """Tells rows that are equal to the letter from one row that was moved to another page."""

    def __init__(self, count: int | None, *, is_moving: bool) -> None:
        self._count = count
        # A count may be older than its page. A twin that is missed shows in the number of rows,
        # and the next reading trusts the counts.
        self._is_moving = is_moving
        self._before: set[int] = set()
        self._here: set[int] = set()
        self.number = 0

    def begin(self, count: int | None) -> None:
        """Say which count the next page shows."""
        self._before |= self._here
        self._here = set()
        self._is_moving |= count != self._count

    def was_moved(self, key: int) -> bool:
        """Whether a row, by its hash, was on a page before others came or went."""
        if self._is_moving and key in self._before:
            return True
        self._here.add(key)
        self.number += 1
        return False


class _Seen:
    """Hashes of rows, eight bytes each, in parts so small that looking at one costs nothing."""

    def __init__(self) -> None:
        self._parts = [array("q") for _ in range(_PARTS)]

    def add(self, key: int) -> None:
        self._parts[key % _PARTS].append(key)

    @property
    def distinct(self) -> int:
        """How many different ones there are."""
        return sum(len(set(part)) for part in self._parts)

    def sort(self) -> None:
        """Make ready to be asked."""
        self._parts = [array("q", sorted(part)) for part in self._parts]

    def holds(self, key: int) -> bool:
        part = self._parts[key % _PARTS]
        index = bisect_left(part, key)
        return index < len(part) and part[index] == key
