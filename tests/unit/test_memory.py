"""The memory that the completeness check needs for each row."""

from __future__ import annotations

import json
import tracemalloc
from collections import deque
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from tap_cube.errors import IncompleteReadError
from tap_cube.paging.complete import MAX_PASSES
from tap_cube.records.page import END, Page
from tap_cube.records.rows import CustomerRow
from tests.support.moving_account import MovingAccount, PagesOf, reader_of
from tests.support.sizes import scaled

if TYPE_CHECKING:
    from collections.abc import Callable

FEW_ROWS, MANY_ROWS = scaled((1_000, 3_500), (4_000, 14_000))
SIZE = 250
BYTES_A_ROW = 64


class Rendered(PagesOf):
    """Pages of an account that counts one row too many, so that no pass is complete."""

    def __init__(self, row: Callable[[int], dict[str, object]], rows: int) -> None:
        """Serve the given number of rows, each made from its number."""
        super().__init__(MovingAccount([], newest_first=False, history=[]), SIZE, 0, [])
        self._row = row
        self._rows = rows
        self.peak = 0

    @override
    def page(self, number: int) -> Page | None:
        self.peak = max(self.peak, tracemalloc.get_traced_memory()[0])
        if number * SIZE > self._rows:
            return None
        rows = [self._row(n) for n in range((number - 1) * SIZE, number * SIZE)]
        decoded = [CustomerRow(crm__customer_id=row.get("crm__customer_id")) for row in rows]
        more = "more" if number * SIZE < self._rows else None
        return Page(json.dumps(rows).encode(), decoded, self._rows + 1, more)

    @override
    def page_after(self, page: Page, number: int, lookahead: int) -> Page | None:
        return END if page.next is None else self.page(number + 1)


@pytest.mark.parametrize(
    "row",
    [
        lambda n: {"crm__customer_id": f"{n:09}", "name": f"N {n}"},
        lambda n: {"crm__customer_id": "", "name": f"N {n}"},
    ],
    ids=["ids", "no ids"],
)
def test_a_row_needs_few_bytes_in_any_number_of_passes(
    row: Callable[[int], dict[str, object]],
) -> None:
    """All passes together stay within the documented bytes per row."""
    growth = _peak(row, MANY_ROWS) - _peak(row, FEW_ROWS)
    assert growth / (MANY_ROWS - FEW_ROWS) < BYTES_A_ROW


def _peak(row: Callable[[int], dict[str, object]], rows: int) -> int:
    """The peak memory in bytes of a read with the maximum number of passes."""
    pages = Rendered(row, rows)
    reader = reader_of(pages)
    tracemalloc.start()
    try:
        with pytest.raises(IncompleteReadError):
            deque(reader, maxlen=0)
    finally:
        tracemalloc.stop()
    assert reader.pass_number == MAX_PASSES - 1
    return pages.peak
