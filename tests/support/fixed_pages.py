"""Pages of a list that never changes, and a reader for them."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_cube.paging.complete import CompleteReader
from tap_cube.paging.pages import Pages
from tap_cube.records.page import END, Page
from tap_cube.records.rows import CustomerRow, decode_as

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_cube.records.rows import Row


class FixedPages(Pages):
    """Pages made from rows.

    Args:
        pages: Returns the rows of a page by its number, from 1; none behind the last.
        count: What the server counts.
        row_type: What is decoded of every row.
    """

    def __init__(
        self,
        pages: Callable[[int], Sequence[dict[str, Any]]],
        count: int | None,
        row_type: type[Row] = CustomerRow,
    ) -> None:
        """Read directly from the rows, without a network."""
        self._rows_of = pages
        self._count = count
        self._row_type = row_type
        self.is_counting = False
        self.lookahead = 4
        self.requests = 0

    @override
    def page(self, number: int) -> Page | None:
        self.requests += 1
        rows = [json.dumps(row).encode() for row in self._rows_of(number)]
        if not rows:
            return None
        decoded = [decode_as(row, self._row_type) for row in rows]
        link = "more" if self._rows_of(number + 1) else None
        return Page(b"", decoded, self._count, link, _raw_rows=rows)

    @override
    def page_after(self, page: Page, number: int, lookahead: int) -> Page | None:
        return END if page.next is None else self.page(number + 1)


def pages_of(
    *pages: Sequence[dict[str, Any]], row_type: type[Row] = CustomerRow, count: int | None = -1
) -> FixedPages:
    """Pages with these rows, and their right count unless another is given."""
    total = sum(map(len, pages)) if count == -1 else count
    return FixedPages(
        lambda number: pages[number - 1] if number <= len(pages) else (), total, row_type
    )


def reader_of(pages: Pages) -> CompleteReader:
    """A reader of these pages."""
    return CompleteReader(pages, subject="customers", logger=logging.getLogger("test"))


def rows_of(pages: Pages) -> list[dict[str, Any]]:
    """The emitted rows."""
    return [
        json.loads(page.raw_rows[place]) for page, places in reader_of(pages) for place in places
    ]
