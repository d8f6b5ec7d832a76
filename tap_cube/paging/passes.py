"""One reading of all pages of a resource, in either direction, and whether it was complete."""

from __future__ import annotations

import typing as t

from tap_cube.records.page import END

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_cube.paging.pages import Pages
    from tap_cube.records.page import Page

_LOOSE_PAGES = 100

MAX_PAGES = 100_000
"""Pages to read where no count tells how many there are."""


class ForwardPass:
    """One reading from the first page to the last.

    Complete if nothing was deleted meanwhile; where pages are read ahead, their answers are not
    made in order, so that nothing may have been added in front either.
    """

    def __init__(self, pages: Pages, first: Page) -> None:
        """Begin with the first page, which was just read."""
        self._pages = pages
        self._first = first
        self._counts = [first.count]
        self._again: Page | None = None
        self._is_broken = False
        self._window = 0
        self._begun: set[object] = set()

    def read(self, window: int) -> Iterator[Page]:
        """Yield the pages; look at the last one early, and at the first one again."""
        self._window = window
        yield self._first
        expected = self._first.expected_pages
        early = self._pages.page(expected) if expected > 2 else None
        page, number, read = self._first, 1, len(self._first.rows)
        while (after := self._page_after(page, number, expected, read)) is not None:
            page, number, read = after, number + 1, read + len(after.rows)
            self._counts.append(page.count)
            if number == expected and expected > 2:
                self._is_broken |= not early or not self._last_row_unmoved(early, page)
            yield page
        self._is_broken |= number < expected
        if number > 1:
            self._again = self._pages.page(1)

    def is_complete(self, distinct: int, news: int) -> bool:
        """Tell whether every row that existed throughout was read.

        Args:
            distinct: Rows read, each counted once.
            news: Rows that no earlier reading had.
        """
        counts = [count for count in self._counts if count is not None]
        if self._is_broken:
            return False
        if len(self._counts) == 1:
            return not counts or distinct >= counts[0]
        if len(counts) < len(self._counts):
            return not news  # without counts, a second reading is the only witness
        return (
            distinct >= min(counts)
            and not self._count_dropped(counts)
            and self._none_deleted(counts)
        )

    @property
    def is_still(self) -> bool:
        """Whether no row has moved to another page, if the reading is complete."""
        return self._again is not None and self._added_in_front(self._again) == 0

    def _none_deleted(self, counts: Sequence[int]) -> bool:
        front = self._again and self._added_in_front(self._again)
        if self._again is None or front is None:
            return False
        if front:
            return not self._window and self._again.count == counts[0] + front
        return True

    def _last_row_unmoved(self, early: Page, page: Page) -> bool:
        """Whether the last row with an id of the early look stands where it stood."""
        old, new = _identities(early), _identities(page)
        place = max((i for i, mark in enumerate(old) if mark is not None), default=None)
        if place is None:
            return early.raw_rows == page.raw_rows
        return place < len(new) and old[place] == new[place]

    def _page_after(self, page: Page, number: int, expected: int, read: int) -> Page | None:
        is_all = page.count is not None and read >= page.count
        if self._pages.is_counting and is_all:
            return None
        # The last page is asked for when all others are there, or it could be no witness.
        ahead = min(expected - 1, number + 1 + min(self._window, self._pages.lookahead))
        after = self._pages.page_after(page, number, ahead)
        if after is END:
            return None
        most = MAX_PAGES if page.count is None else 2 * expected + _LOOSE_PAGES
        if after is None or not after.rows or self._is_repeat(after) or number > most:
            self._is_broken |= not self._pages.is_counting or not is_all
            return None
        return after

    def _is_repeat(self, page: Page) -> bool:
        """Whether a page begins as an earlier one did, so that links lead in circles."""
        mark = page.rows[0].identity
        if mark is None and page.count is None:
            mark = hash(tuple(page.raw_rows))
        is_known = mark in self._begun
        if mark is not None:
            self._begun.add(mark)
        return is_known

    def _added_in_front(self, again: Page) -> int | None:
        """Rows before the one that was first; None if a row of the first page is gone."""
        old, new = _identities(self._first), _identities(again)
        place, mark = next(((i, m) for i, m in enumerate(old) if m is not None), (0, None))
        if mark is None:
            return 0 if again.raw_rows == self._first.raw_rows else None
        if mark not in new:
            return None
        front = new.index(mark) - place
        return front if front >= 0 and new[front:] == old[: len(new) - front] else None

    def _count_dropped(self, counts: Sequence[int]) -> bool:
        """Whether a count is lower than one that was answered before it was asked."""
        lag = self._window + 1
        highest = 0
        for before, count in zip(counts, counts[lag:], strict=False):
            highest = max(highest, before)
            if count < highest:
                return True
        return False


class BackwardPass:
    """One reading from the last page to the first, one after the other.

    Complete if nothing was added in front meanwhile; rows that are deleted do no harm.
    """

    is_still = False

    def __init__(self, pages: Pages, first: Page, reached: int) -> None:
        """Begin with a look at the first page, which was just read.

        Args:
            pages: The resource's pages.
            first: The first one.
            reached: How many pages an earlier reading found, whatever the count says.
        """
        self._pages = pages
        self._reached = reached
        self._first = first
        self._counts = [first.count]
        self._final: Page | None = first
        self._is_broken = False

    def read(self, _window: int) -> Iterator[Page]:
        """Yield the pages."""
        page = None
        for number in range(self._last_page(), 0, -1):
            page = self._pages.page(number)
            if page is not None:
                self._notice(page)
                yield page
        self._final = page

    def is_complete(self, distinct: int, _news: int) -> bool:
        """Tell whether every row that existed throughout was read.

        Args:
            distinct: Rows read, each counted once.
        """
        counts = [count for count in self._counts if count is not None]
        if self._is_broken or len(counts) < len(self._counts) or distinct < min(counts):
            return False
        return self._final is not None and self._begins_alike(self._final)

    def _last_page(self) -> int:
        """Number of the last page, where the count or an earlier reading and links lead."""
        last = self._first.expected_pages
        page = self._pages.page(last)
        if page is None:
            last = min(last, self._reached)
            page = self._pages.page(last)
        most = 2 * last + _LOOSE_PAGES
        while page is not None and page.rows and page.next is not None and last < most:
            last += 1
            page = self._pages.page(last)
        self._is_broken = last >= most
        return last

    def _notice(self, page: Page) -> None:
        """Where the count has risen, look at once whether the new row is in front."""
        before = self._counts[-1]
        self._counts.append(page.count)
        if before is not None and page.count is not None and page.count > before:
            look = self._pages.page(1)
            has_gone = look is None or look.count is None or look.count < page.count
            self._is_broken |= look is None or has_gone or not self._begins_alike(look)

    def _begins_alike(self, page: Page) -> bool:
        return not page.rows or page.rows[0].identity in _identities(self._first)


def _identities(page: Page) -> list[object]:
    """What stays the same about each row of a page while it exists."""
    return [head.identity for head in page.rows]
