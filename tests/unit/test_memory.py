"""The memory that a run needs for each row, and for values that it has seen."""

from __future__ import annotations

import tracemalloc
from collections import deque
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from tap_cube.records.codec import encode
from tap_cube.records.decoder import UNPARSED, RecordDecoder
from tap_cube.records.page import PageDecoder
from tap_cube.records.rows import CustomerRow
from tests.support.fixed_pages import FixedPages, reader_of
from tests.support.sizes import scaled

if TYPE_CHECKING:
    from collections.abc import Callable

FEW_ROWS, MANY_ROWS = scaled((6_000, 16_000), (12_000, 30_000))
SIZE = 250


ROWS = {
    "with ids": (lambda n: {"crm__customer_id": f"{n:09}"}, 12),
    **scaled(
        {},
        {
            "with pairs": (
                lambda n: {"crm__customer_id": "", "name": f"N {_pair_of(n)}", "city": "OSLO" * 50},
                32,
            ),
            "all alike": (lambda _: {"crm__customer_id": "", "name": "Anonymized"}, 32),
        },
    ),
}


@pytest.mark.parametrize(("row", "most"), ROWS.values(), ids=ROWS)
def test_a_row_needs_few_bytes(row: Callable[[int], dict[str, Any]], most: int) -> None:
    """With an id eight bytes, and the spare room of an array that grows; without one some more."""
    growth = _peak(row, MANY_ROWS) - _peak(row, FEW_ROWS)
    assert growth / (MANY_ROWS - FEW_ROWS) < most


def test_long_values_are_not_remembered() -> None:
    """Conversions of short ones are, because most columns hold few different values."""
    decoder = RecordDecoder(ZoneInfo("Europe/Oslo"), lambda key: (key, {"type": ["object"]}))
    decode = PageDecoder(CustomerRow)
    text, page = "", None
    tracemalloc.start()
    try:
        for number in range(500):
            text = f"2024-05-17 {number}" * 2000
            page = decode(encode({"results": [{"crm__change_log__updated": text, "note": text}]}))
            assert page.rows[0].updated_on == "2024-05-17"
            assert UNPARSED.encode() in decoder.lines(page, [0], [])
        text, page = "", None
        assert tracemalloc.get_traced_memory()[0] < 2_000_000
    finally:
        tracemalloc.stop()


def _pair_of(number: int) -> int:
    """The same for two rows at one place of two pages."""
    return number % SIZE + number // (2 * SIZE) * SIZE


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
