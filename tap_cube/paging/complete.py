"""Passes over all pages of a resource, repeated until the evidence says that no row is missing.

Page numbers are offsets. When a row on an earlier page is deleted, every row after it moves
forward by one, and the first row of the next page is never sent (trap T16 in docs/api.md). The
same happens where a page comes from a cache, or rows that sort alike change places. Evidence:

- Each page brings the server's count. Pages are compared in the order of time: one that was
  fetched ahead and answered before its predecessor, with a lower count, is asked for again. A
  count that still falls is a deletion, or a page from another moment.
- A row that came on two pages has moved. Only a list that grew explains that, by as many rows as
  it grew and just there: rows that came in front push as many others to the next page.
- The last page is requested early, and the front again at the end: two requests for a list at
  rest. The last row may have moved back, not forward; the first rows must still be there.
- A pass is complete without evidence against it, if the missing rows came in front and so explain
  the rows that came twice. It is also complete if it has all the rows that the server counts, or
  never counted, and the next pass has them all again: none went, so none moved forward.

Otherwise another pass follows, which yields only rows that no pass yielded before; `MAX_PASSES`
at most. For n pages by the count, a resource takes at most ``(6 * n + 302) * MAX_PASSES`` requests,
whatever the server sends. docs/incremental.md lists what no evidence can show.
"""

from __future__ import annotations

import typing as t

from tap_cube.errors import IncompleteReadError
from tap_cube.paging.passes import Pass
from tap_cube.paging.seen import Emitted

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_cube.logs import AnyLogger
    from tap_cube.paging.pages import Pages
    from tap_cube.records.page import Page

MAX_PASSES = 5
"""Passes over one resource before it counts as incomplete."""


class CompleteReader:
    """Reads every page of one resource, in as many passes as it takes to miss no row.

    Args:
        pages: The resource's pages.
        subject: Name of the resource in errors and log lines.
        logger: Logs when another pass starts.
        may_be_incomplete: Whether to warn instead of raising an error if no pass was complete.

    Attributes:
        is_complete: Whether all rows were read, once the last page was yielded.
        counted: The last count that the account sent; None without one.
        passes: Passes that were begun.
    """

    def __init__(
        self,
        pages: Pages,
        *,
        subject: str,
        logger: AnyLogger,
        may_be_incomplete: bool = False,
    ) -> None:
        self._pages = pages
        self._subject = subject
        self._logger = logger
        self._may_be_incomplete = may_be_incomplete
        self.is_complete = False
        self.counted: int | None = None
        self.passes = 0

    def __iter__(self) -> Iterator[tuple[Page, Sequence[int]]]:
        """Yield each page with the places of the rows that no page had before.

        Raises:
            IncompleteReadError: If it is not certain that all rows were read.
        """
        emitted = Emitted()
        last = proved = Pass(self._pages, self._first_page(), emitted)
        yield from self._read(last, self._pages.lookahead)
        self.is_complete, had_rows = last.is_complete, bool(last.rows.seen)
        for _ in range(1, MAX_PASSES):
            if self.is_complete:
                break
            self._logger.info("%s: rows changed while paging; starting another pass", self._subject)
            last.rows.hand_over()
            previous, last = last, Pass(self._pages, self._first_page(), emitted)
            yield from self._read(last, lookahead=0)
            had_rows |= bool(last.rows.seen)
            proved = last if last.is_complete else previous
            self.is_complete = last.is_complete or previous.is_confirmed_by(last)
            if proved is previous and self.is_complete:
                proved.rows.accept_doubtful()
        if not self.is_complete:
            proved = last
            self._report(last)
        if self.is_complete and had_rows and not last.rows.seen:
            # Maybe all rows have gone, but a list may also be shown empty by mistake for a moment.
            self.is_complete = False
            msg = "%s: the account showed rows, then none. The bookmark stays where it is."
            self._logger.warning(msg, self._subject)
        for page in proved.rows.rest():
            yield page, range(len(page.rows))

    def _read(self, this: Pass, lookahead: int) -> Iterator[tuple[Page, Sequence[int]]]:
        self.passes += 1
        try:
            yield from this.read(lookahead)
        finally:
            self.counted = this.count

    def _first_page(self) -> Page:
        first = self._pages.page(1)
        if first is None:
            msg = f"{self._subject}: the first page disappeared between passes. Run again."
            raise IncompleteReadError(msg)
        return first

    def _report(self, last: Pass) -> None:
        counted = "sends no count" if last.count is None else f"counts {last.count}"
        msg = (
            f"{self._subject}: after {MAX_PASSES} passes it is not certain that all rows were read "
            f"(the account {counted}, the last pass found {last.rows.seen})."
        )
        if not self._may_be_incomplete:
            msg += " Run again when the account changes less. If it never succeeds, set "
            raise IncompleteReadError(msg + "'on_incomplete_read' to 'warn'.")
        self._logger.warning("%s They are delivered, and the bookmark stays where it is.", msg)
