"""Passes over all pages of a resource, repeated until no row can have been missed.

Page numbers are offsets. When a row on an earlier page is deleted, every row after it moves
forward by one, and the first row of the next page is never sent (trap T16 in docs/api.md). The
check for this costs little; the remedy is another pass:

- New rows are added at one end of the order (by id or by age), and a deletion moves every row
  behind it. So a pass requests the last page early, and the first page again at the end. If the
  row at either end is where it was, nothing was deleted. This costs two requests a resource.
- Otherwise another pass reads from the last page to the first. A deletion then only moves rows
  towards pages that are still to be read, so nothing is lost unless rows are added in front.
- Passes alternate, at most `MAX_PASSES` of them, and emit only rows that were not emitted before.
  For n pages by the count, a resource takes at most ``(2 * n + 102) * MAX_PASSES`` requests,
  whatever the server sends. Without counts, a pass reads at most `MAX_PAGES` pages. If the
  account changes faster than that, the run ends with an error.

Two changes cannot be detected. In an order where rows are inserted in the middle (by name, say),
a deletion goes unnoticed if an insertion between the same two responses offsets it; a count that
differs is noticed in every order. And a row that is added in front and deleted again between two
responses leaves no trace, although it may have hidden another row.
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
"""Passes over one resource before the run ends with an error."""

_BUCKETS = 256
_MAX_DUPLICATES = 1000


class CompleteReader:
    """Reads every page of one resource, in as many passes as it takes to miss no row.

    Args:
        pages: The resource's pages.
        subject: Name of the resource in errors and log lines.
        logger: Logs when another pass starts.

    Attributes:
        pass_number: Number of the current pass, from 0.
    """

    def __init__(self, pages: Pages, *, subject: str, logger: logging.Logger) -> None:
        self._pages = pages
        self._subject = subject
        self._logger = logger
        self.pass_number = 0

    def __iter__(self) -> Iterator[tuple[Page, list[int]]]:
        """Yield each page with the indexes of its new rows.

        Rows that an earlier pass yielded are skipped. Rows without an identity are the exception:
        identical ones may be several rows, so each pass yields them again and the caller numbers
        them (see `SurrogateKeys`).

        Raises:
            IncompleteReadError: If no pass was certain to be complete.
        """
        earlier: list[_Hashes] = []
        distinct = max_pages_read = 0
        first = self._first_page()
        for self.pass_number in range(MAX_PASSES):
            first = self._first_page() if self.pass_number else first
            backward = self.pass_number % 2 and first.count is not None
            attempt = (
                BackwardPass(self._pages, first, max_pages_read)
                if backward
                else ForwardPass(self._pages, first)
            )
            rows = _Rows(first.count, earlier)
            for page in attempt.read(self._pages.lookahead if not self.pass_number else 0):
                yield page, rows.new_places(page)
            duplicates = rows.duplicates if attempt.no_row_moved else END
            distinct = rows.distinct + len(duplicates.rows)
            if attempt.is_complete(distinct, rows.new_rows) and not rows.has_too_many_duplicates:
                if duplicates.rows:
                    yield duplicates, [*range(len(duplicates.rows))]
                return
            earlier.append(rows.sorted_hashes())
            max_pages_read = max(max_pages_read, rows.pages)
            self._logger.info("%s: rows changed while paging; starting another pass", self._subject)
        msg = (
            f"{self._subject}: after {MAX_PASSES} passes it is not certain that all rows were read "
            f"(the account counts {first.count}, the last pass found {distinct}). "
            "Run again when the account changes less."
        )
        raise IncompleteReadError(msg)

    def _first_page(self) -> Page:
        first = self._pages.page(1)
        if first is None:
            msg = f"{self._subject}: the first page disappeared between passes. Run again."
            raise IncompleteReadError(msg)
        return first


class _Rows:
    """The rows of one pass, and which of them are new.

    Args:
        count: The count on the first page.
        earlier: Hashes of the rows of earlier passes.

    Attributes:
        new_rows: Rows with an identity that no earlier pass had.
        pages: Pages read so far.
    """

    def __init__(self, count: int | None, earlier: list[_Hashes]) -> None:
        self._earlier = earlier
        self._hashes = _Hashes()
        self._moves = _MoveDetector(count, is_moving=not earlier)
        self._duplicate_rows: list[tuple[Row, bytes]] = []
        self.new_rows = self.pages = 0

    def new_places(self, page: Page) -> list[int]:
        """Indexes of the next page's rows that no earlier pass yielded."""
        self.pages += 1
        self._moves.start_page(page.count)
        places = []
        for place, row in enumerate(page.rows):
            identity = row.identity if row.is_unique else None
            # Several rows may share one id by mistake. Later passes compare the text of such rows
            # to distinguish them from one row that was read twice. The first pass need not.
            if identity is None or self._earlier:
                has_moved = self._moves.has_moved(hash(page.raw_rows[place]))
                if identity is None and has_moved:
                    if not self.has_too_many_duplicates:
                        self._duplicate_rows.append((row, page.raw_rows[place]))
                    continue
            if identity is not None:
                key = hash(identity)
                self._hashes.add(key)
                if self._earlier and any(hashes.contains(key) for hashes in self._earlier):
                    continue
                self.new_rows += 1
            places.append(place)
        return places

    @property
    def has_too_many_duplicates(self) -> bool:
        """Whether more duplicates were found than can be held back."""
        return len(self._duplicate_rows) > _MAX_DUPLICATES

    @property
    def duplicates(self) -> Page:
        """Rows identical to one on an earlier page; they are separate rows if no row has moved."""
        texts = [text for _, text in self._duplicate_rows]
        return Page(
            b"[%b]" % b",".join(texts), [row for row, _ in self._duplicate_rows], _raw_rows=texts
        )

    @property
    def distinct(self) -> int:
        """Rows that were read, each counted once."""
        return self._moves.distinct + (0 if self._earlier else self._hashes.distinct)

    def sorted_hashes(self) -> _Hashes:
        """Hashes of all rows with an identity, ready for `_Hashes.contains`."""
        self._hashes.sort()
        return self._hashes


class _MoveDetector:
    """Distinguishes identical rows from one row that moved to another page.

    While the count stays the same, no row has moved, so identical rows on two pages are two rows.

    Args:
        count: The count on the first page.
        is_moving: Whether to assume moves from the start. The first pass does, because a count
            may be older than its page.

    Attributes:
        distinct: Rows checked that had not moved.
    """

    def __init__(self, count: int | None, *, is_moving: bool) -> None:
        self._count = count
        self._is_moving = is_moving
        self._earlier_pages = _Hashes()
        self._this_page: set[int] = set()
        self.distinct = 0

    def start_page(self, count: int | None) -> None:
        """Start the next page, given its count."""
        for key in self._this_page:
            self._earlier_pages.insert(key)
        self._this_page = set()
        self._is_moving |= count != self._count

    def has_moved(self, key: int) -> bool:
        """Whether the row with this hash was already on an earlier page."""
        if self._is_moving and self._earlier_pages.contains(key):
            return True
        self._this_page.add(key)
        self.distinct += 1
        return False


class _Hashes:
    """A set of row hashes in eight bytes each, in buckets small enough to sort and search fast."""

    def __init__(self) -> None:
        self._buckets = [array("q") for _ in range(_BUCKETS)]

    def add(self, key: int) -> None:
        """Append a hash; call `sort` before `contains`."""
        self._buckets[key % _BUCKETS].append(key)

    def insert(self, key: int) -> None:
        """Insert a hash in order."""
        insort(self._buckets[key % _BUCKETS], key)

    @property
    def distinct(self) -> int:
        """Number of different hashes."""
        return sum(len(set(bucket)) for bucket in self._buckets)

    def sort(self) -> None:
        """Sort the hashes for `contains`."""
        self._buckets = [array("q", sorted(bucket)) for bucket in self._buckets]

    def contains(self, key: int) -> bool:
        """Whether the hash is in the set; the set must be sorted."""
        bucket = self._buckets[key % _BUCKETS]
        index = bisect_left(bucket, key)
        return index < len(bucket) and bucket[index] == key
