"""One pass over all pages of a resource, and the evidence whether it missed a row."""

from __future__ import annotations

import typing as t
from collections import deque

from tap_cube.paging.seen import SeenRows, tokens_of
from tap_cube.records.hashes import Hashes
from tap_cube.records.page import END

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_cube.paging.pages import Pages
    from tap_cube.paging.seen import Emitted
    from tap_cube.records.page import Page

_EXTRA_PAGES = 100
_IN_FLIGHT = 32  # more than are ever in flight at once

MAX_PAGES = 100_000
"""Pages of a pass where the server sends no count."""


class Pass:
    """A pass from the first page to the last, and over the front once more.

    Args:
        pages: The resource's pages.
        first: The first page, which was just read.
        emitted: The rows that earlier passes yielded.

    Attributes:
        rows: The rows of the pass.
        count: The last count that the server sent.
    """

    def __init__(self, pages: Pages, first: Page, emitted: Emitted) -> None:
        self._pages = pages
        self._first = first
        self.rows = SeenRows(emitted)
        self.count = first.count
        self._last = first
        self._expected = first.expected_pages
        self._max_pages = MAX_PAGES if first.count is None else 2 * self._expected + _EXTRA_PAGES
        self._number, self._rows_read = 1, 0
        self._is_broken = self._has_fallen = False
        self._answers = deque([(first.came, first.count or 0)], _IN_FLIGHT)
        self._settled_count = 0
        self._tail: tuple[object, int, int] | None = None
        self._grown_behind_tail = 0
        self._starts: set[int] = set()
        self._repeated = 0

    def read(self, lookahead: int) -> Iterator[tuple[Page, Sequence[int]]]:
        """Yield the pages, each with the places of its new rows.

        Args:
            lookahead: Requests that may be in flight ahead of the current page.
        """
        yield self._first, self._take(self._first, 0)
        if self._expected > 2:
            self._ask_for_tail(self._expected)
        while (page := self._page_after(self._last, lookahead)) is not None:
            self._number += 1
            self._note(page)
            grown = _growth(self._last, page)
            self._last = page
            yield page, self._take(page, max(0, grown))
        self._is_broken |= self._tail is not None
        self.rows.close()
        if self._number > 1 and self.count is not None:
            yield from self._read_front()
            if not self._inserted:
                self.rows.accept_doubtful()

    @property
    def is_complete(self) -> bool:
        """Whether the evidence of this pass says that it missed no row."""
        rows, count = self.rows, self.count or 0
        if self._is_broken or self._has_fallen:
            return False
        if self._number == 1:
            return self._rows_read >= count and (self.count is not None or rows.is_first)
        is_explained = rows.repeats == rows.explained <= self._inserted
        is_certain = not rows.doubtful or rows.seen == count
        return self._is_counted and is_explained and is_certain and rows.seen <= count

    def is_confirmed_by(self, other: Pass) -> bool:
        """Whether the pass after this one says that this one missed no row.

        A row is missed when one in front of it goes. That one was read before. So if all rows of a
        pass are there in the next one, none of them went.
        """
        rows = self.rows
        if self._is_broken or self._has_fallen or rows.doubtful != other.rows.doubtful:
            return False
        # A row that came twice may have changed places with one that did not come.
        has_all = self._is_counted and rows.seen == self.count
        has_all |= not rows.repeats and rows.seen > (self.count or 0)
        return has_all and rows.is_within(other.rows)

    @property
    def _is_counted(self) -> bool:
        """Whether the pages have as many rows as the server counts."""
        return self._rows_read == self._last.count

    @property
    def _inserted(self) -> int:
        """Rows that came in front of the last one; each may have pushed one to the next page."""
        return _growth(self._first, self._last) - self._grown_behind_tail

    def _take(self, page: Page, grown: int) -> Sequence[int]:
        before, self._rows_read = self._rows_read, self._rows_read + len(page.rows)
        if self._tail and self._rows_read > self._tail[1]:
            token, place, count = self._tail
            tokens, start = tokens_of(page), max(0, place - before)
            if token in tokens[start:]:
                self._tail = None
                shift = before + tokens.index(token, start) - place
                # Without an identity, the row may be another one with the same text.
                if not isinstance(token, bytes):
                    self._grown_behind_tail = (page.count or 0) - count - shift
        return self.rows.take(page, grown)

    def _note(self, page: Page) -> None:
        """Compare the count of a page with those that had come before it was asked for."""
        self._is_broken |= (page.count is None) is not (self.count is None)
        self.count = page.count
        before = [count for came, count in self._answers if came <= page.asked]
        self._has_fallen |= (page.count or 0) < max([self._settled_count, *before])
        if len(self._answers) == _IN_FLIGHT:
            self._settled_count = max(self._settled_count, self._answers[0][1])
        self._answers.append((page.came, page.count or 0))

    def _ask_for_tail(self, number: int) -> None:
        """Remember where the last row is at the beginning."""
        page = self._pages.page(number)
        if page is None or not page.rows:  # pages differ in size
            return
        self._note(page)
        place = (number - 1) * len(self._first.rows) + len(page.rows) - 1
        self._tail = tokens_of(page)[-1], place, page.count or 0

    def _page_after(self, page: Page, lookahead: int) -> Page | None:
        has_all = page.count is not None and self._rows_read >= page.count
        # The last page must be requested after all others, or it could not show a deletion.
        lookahead = min(self._expected - self._number - 2, lookahead, self._pages.lookahead)
        after = self._pages.page_after(page, self._number, lookahead)
        if after is END and (has_all or page.count is None):
            return None
        if after is END:
            after = self._pages.page(self._number + 1)  # the link ended too early
        elif after is not None and after.asked < page.came and _growth(after, page) > 0:
            # It may have been answered before its predecessor. A row that came in front of both
            # meanwhile pushed another one from there to here, and that one is on neither.
            self._note(after)
            after = self._pages.page(self._number + 1)
        is_end = after is None or not after.rows or self._number >= self._max_pages
        if is_end or (after and self._is_loop(after)):
            self._is_broken |= not self._pages.is_counting or not has_all
            return None
        return after

    def _is_loop(self, page: Page) -> bool:
        """Whether the links lead in a circle: a page begins as an earlier one, and none is due.

        If more are due, by a count that may be absurd, it takes many such pages in a row.
        """
        start = page.rows[0].identity
        if start is None and page.count is None:
            start = tuple(page.raw_rows)
        if start is None:
            return False
        begin = hash(start)  # an identity may be long
        self._repeated = self._repeated + 1 if begin in self._starts else 0
        self._starts.add(begin)
        is_over = self._rows_read >= (page.count or 0)
        return self._repeated > (0 if is_over else _EXTRA_PAGES)

    def _read_front(self) -> Iterator[tuple[Page, Sequence[int]]]:
        """Read on from the first page until nothing is new and the rows of before are there."""
        head = tokens_of(self._first)
        known, stayed, others = {*head}, set[object](), Hashes()
        for number in range(1, self._max_pages + 1):
            page = self._pages.page(number)
            if page is None or not page.rows:
                break
            self._note(page)
            seen = self.rows.seen
            yield page, self.rows.take_again(page)
            for token in tokens_of(page):
                if token in known:
                    stayed.add(token)
                else:
                    others.insert(hash(token))
            is_new = self.rows.seen > seen and self.rows.seen != page.count
            if page.next is None or (stayed.issuperset(head[:1]) and not is_new):
                break
        # The last ones may have moved on to the next page, as many as came in front of them.
        has_stayed = [token in stayed for token in head]
        gone = has_stayed.count(False)
        has_lost = not all(has_stayed[: len(head) - gone]) or gone > others.distinct
        self._is_broken |= has_lost or gone == len(head)


def _growth(page: Page, later: Page) -> int:
    return (later.count or 0) - (page.count or 0)
