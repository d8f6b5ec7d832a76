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
from itertools import groupby

from tap_cube.errors import IncompleteReadError
from tap_cube.readings import Backward, Forward
from tap_cube.rows import decode_head

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

    from tap_cube.pagination import Page, Pages
    from tap_cube.rows import Head

MAX_READINGS = 5


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

    def __iter__(self) -> Iterator[list[tuple[bytes, Head]]]:
        """Yield the rows of each page, as JSON text with what was looked at.

        Rows of an earlier reading are left out, but for those without an id: they may be equal
        to the letter and still be several, so that they are told apart by their number alone.

        Raises:
            IncompleteReadError: If no reading was certain to be complete.
        """
        earlier: list[array[int]] = []
        distinct = reached = 0
        first = self._first_page()
        for self.reading in range(MAX_READINGS):
            first = self._first_page() if self.reading else first
            backward = self.reading % 2 and first.count is not None
            attempt = (
                Backward(self._pages, first, reached) if backward else Forward(self._pages, first)
            )
            seen, nameless, news, pages = array("q"), 0, 0, 0
            for page in attempt.read(self._pages.window if not self.reading else 0):
                rows = []
                pages += 1
                for row in page.rows:
                    head = decode_head(row)
                    if head.mark is None:
                        nameless += 1
                    else:
                        key = hash(row)
                        seen.append(key)
                        if any(_holds(reading, key) for reading in earlier):
                            continue
                        news += 1
                    rows.append((row, head))
                yield rows
            ordered = array("q", sorted(seen))
            distinct = _distinct(ordered) + nameless
            if attempt.is_complete(distinct, news):
                return
            earlier.append(ordered)
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


def _distinct(ordered: array[int]) -> int:
    return sum(1 for _ in groupby(ordered))


def _holds(ordered: array[int], key: int) -> bool:
    index = bisect_left(ordered, key)
    return index < len(ordered) and ordered[index] == key
