"""The memory that the completeness check needs for each row."""

from __future__ import annotations

import tracemalloc
from collections import deque
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.fixed_pages import FixedPages, reader_of
from tests.support.sizes import scaled

if TYPE_CHECKING:
    from collections.abc import Callable

FEW_ROWS, MANY_ROWS = scaled((6_000, 16_000), (20_000, 100_000))
SIZE = 250


@pytest.mark.parametrize(
    "row",
    [
        lambda n: {"crm__customer_id": f"{n:09}"},
        lambda n: {"crm__customer_id": "", "name": f"N {n}"},
        lambda _: {"crm__customer_id": "", "name": "Anonymized"},
    ],
    ids=["ids", "no ids", "equal"],
)
def test_a_row_needs_few_bytes(row: Callable[[int], dict[str, Any]]) -> None:
    """With an id or without one: eight bytes, and the spare room of an array that grows."""
    growth = _peak(row, MANY_ROWS) - _peak(row, FEW_ROWS)
    assert growth / (MANY_ROWS - FEW_ROWS) < 12


def _peak(row: Callable[[int], dict[str, Any]], rows: int) -> int:
    """The peak memory in bytes while pages are read."""
    peak = 0

    def rows_of(number: int) -> list[dict[str, Any]]:
        nonlocal peak
        peak = max(peak, tracemalloc.get_traced_memory()[0])
        return [row(n) for n in range((number - 1) * SIZE, min(number * SIZE, rows))]

    tracemalloc.start()
    try:
        deque(reader_of(FixedPages(rows_of, rows)), maxlen=0)
    finally:
        tracemalloc.stop()
    return peak
