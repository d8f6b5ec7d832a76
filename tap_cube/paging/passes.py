"""One pass over all pages of a resource, forward or backward, and whether it missed no row."""

from __future__ import annotations

import typing as t

from tap_cube.records.page import END

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_cube.paging.pages import Pages
    from tap_cube.records.page import Page

_EXTRA_PAGES = 100

MAX_PAGES = 100_000
"""Pages of a pass where the server sends no count."""


class ForwardPass:
    """A pass from the first page to the last.

    The pass is complete if no row was deleted meanwhile. With a lookahead the responses are not
    made in order, so no row may have been added in front either.

    Args:
        pages: The resource's pages.
        first: The first page, which was just read.
    """

    def __init__(self, pages: Pages, first: Page) -> None:
        self._pages = pages
        self._first = first
        self._counts = [first.count]
        self._first_again: Page | None = None
        self._is_broken = False
        self._lookahead = 0
        self._first_identities: set[object] = set()

    def read(self, lookahead: int) -> Iterator[Page]:
        """Yield the pages; request the last one early, and the first one again at the end.

        Args:
            lookahead: Requests that may be in flight ahead of the current page.
        """
        self._lookahead = lookahead
        yield self._first
        expected = self._first.expected_pages
        early = self._pages.page(expected) if expected > 2 else None
        page, number, rows_read = self._first, 1, len(self._first.rows)
        while (after := self._page_after(page, number, expected, rows_read)) is not None:
            page, number, rows_read = after, number + 1, rows_read + len(after.rows)
            self._counts.append(page.count)
            if number == expected and expected > 2:
                self._is_broken |= not early or not self._last_row_unmoved(early, page)
            yield page
        self._is_broken |= number < expected
        if number > 1:
            self._first_again = self._pages.page(1)

    def is_complete(self, distinct: int, new_rows: int) -> bool:
        """Whether every row that existed throughout the pass was read.

        Args:
            distinct: Rows read, each counted once.
            new_rows: Rows that no earlier pass had.
        """
        counts = [count for count in self._counts if count is not None]
        if self._is_broken:
            return False
        if len(self._counts) == 1:
            return not counts or distinct >= counts[0]
        if len(counts) < len(self._counts):
            return not new_rows  # without counts, only a second pass can confirm the first
        return (
            distinct >= min(counts)
            and not self._count_dropped(counts)
            and self._none_deleted(counts)
        )

    @property
    def no_row_moved(self) -> bool:
        """Whether every row stayed on its page, provided that the pass is complete."""
        return self._first_again is not None and self._added_in_front(self._first_again) == 0

    def _none_deleted(self, counts: Sequence[int]) -> bool:
        again = self._first_again
        added = again and self._added_in_front(again)
        if again is None or added is None:
            return False
        if added:
            return not self._lookahead and again.count == counts[0] + added
        return True

    def _last_row_unmoved(self, early: Page, page: Page) -> bool:
        """Whether the last row with an identity is where it was when requested early."""
        old, new = _identities(early), _identities(page)
        place = max((i for i, identity in enumerate(old) if identity is not None), default=None)
        if place is None:
            return early.raw_rows == page.raw_rows
        return place < len(new) and old[place] == new[place]

    def _page_after(self, page: Page, number: int, expected: int, rows_read: int) -> Page | None:
        has_all = page.count is not None and rows_read >= page.count
        if self._pages.is_counting and has_all:
            return None
        # The last page must be requested after all others, or it could not show a deletion.
        lookahead = min(expected - number - 2, self._lookahead, self._pages.lookahead)
        after = self._pages.page_after(page, number, lookahead)
        if after is END:
            return None
        max_pages = MAX_PAGES if page.count is None else 2 * expected + _EXTRA_PAGES
        if after is None or not after.rows or self._is_repeat(after) or number > max_pages:
            self._is_broken |= not self._pages.is_counting or not has_all
            return None
        return after

    def _is_repeat(self, page: Page) -> bool:
        """Whether a page begins with the same row as an earlier one: the links form a loop."""
        identity = page.rows[0].identity
        if identity is None and page.count is None:
            identity = hash(tuple(page.raw_rows))
        is_repeat = identity in self._first_identities
        if identity is not None:
            self._first_identities.add(identity)
        return is_repeat

    def _added_in_front(self, again: Page) -> int | None:
        """Rows that now precede the first row; None if a row of the first page is gone."""
        old, new = _identities(self._first), _identities(again)
        place, identity = next(((i, m) for i, m in enumerate(old) if m is not None), (0, None))
        if identity is None:
            return 0 if again.raw_rows == self._first.raw_rows else None
        if identity not in new:
            return None
        added = new.index(identity) - place
        return added if added >= 0 and new[added:] == old[: len(new) - added] else None

    def _count_dropped(self, counts: Sequence[int]) -> bool:
        """Whether a count is lower than one in a response that arrived before it was requested."""
        in_flight = self._lookahead + 1
        highest = 0
        for before, count in zip(counts, counts[in_flight:], strict=False):
            highest = max(highest, before)
            if count < highest:
                return True
        return False


class BackwardPass:
    """A pass from the last page to the first, without lookahead.

    The pass is complete if no row was added in front meanwhile. Deleted rows do no harm.

    Args:
        pages: The resource's pages.
        first: The first page, which was just read.
        max_pages_read: Most pages that an earlier pass read, whatever the count says.
    """

    no_row_moved = False

    def __init__(self, pages: Pages, first: Page, max_pages_read: int) -> None:
        self._pages = pages
        self._max_pages_read = max_pages_read
        self._first = first
        self._counts = [first.count]
        self._first_again: Page | None = first
        self._is_broken = False

    def read(self, _lookahead: int) -> Iterator[Page]:
        """Yield the pages."""
        page = None
        for number in range(self._last_page(), 0, -1):
            page = self._pages.page(number)
            if page is not None:
                self._check_count(page)
                yield page
        self._first_again = page

    def is_complete(self, distinct: int, _new_rows: int) -> bool:
        """Whether every row that existed throughout the pass was read.

        Args:
            distinct: Rows read, each counted once.
        """
        counts = [count for count in self._counts if count is not None]
        if self._is_broken or len(counts) < len(self._counts) or distinct < min(counts):
            return False
        return self._first_again is not None and self._nothing_in_front(self._first_again)

    def _last_page(self) -> int:
        """Number of the last page: by the count or an earlier pass, then by ``next``."""
        last = self._first.expected_pages
        page = self._pages.page(last)
        if page is None:
            last = min(last, self._max_pages_read)
            page = self._pages.page(last)
        max_pages = 2 * last + _EXTRA_PAGES
        while page is not None and page.rows and page.next is not None and last < max_pages:
            last += 1
            page = self._pages.page(last)
        self._is_broken = last >= max_pages
        return last

    def _check_count(self, page: Page) -> None:
        """If the count has risen, check at once that the new row is not in front."""
        before = self._counts[-1]
        self._counts.append(page.count)
        if before is not None and page.count is not None and page.count > before:
            first = self._pages.page(1)
            has_dropped = first is None or first.count is None or first.count < page.count
            self._is_broken |= first is None or has_dropped or not self._nothing_in_front(first)

    def _nothing_in_front(self, page: Page) -> bool:
        """Whether this first page begins with a row that was on the first page before."""
        return not page.rows or page.rows[0].identity in _identities(self._first)


def _identities(page: Page) -> list[object]:
    """The identity of each row of a page, in order."""
    return [row.identity for row in page.rows]
