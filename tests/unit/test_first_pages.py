"""Pages that are kept in memory and in a file come back as they were."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tap_cube.paging import first_pages
from tap_cube.paging.first_pages import FirstPages, keys_of
from tap_cube.records.page import PageDecoder
from tap_cube.records.rows import CustomerRow

DECODE = PageDecoder(CustomerRow)
BODIES = {
    "envelope": b'{"count": 7, "next": "x?page=2", "results": [{"crm__customer_id": 1, "b": 2}]}',
    "list": b'[{"crm__customer_id": "1"}, {"new": []}]',
    "no JSON by the letter": b'{"count": 1, "next": null, "results": [{"crm__customer_id": NaN}]}',
    "empty": b'{"count": 0, "next": null, "results": []}',
}


@pytest.mark.parametrize("limit", [0, 2**20], ids=["file", "memory"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_kept_page_comes_back_once(
    monkeypatch: pytest.MonkeyPatch, body: bytes, limit: int
) -> None:
    """With its rows, its count and link, and the times of its response."""
    monkeypatch.setattr(first_pages, "MAX_KEPT_BYTES", limit)
    pages, page, expected = FirstPages(), DECODE(body), DECODE(body)
    page.asked, page.came, page.date = 1e9, 2e9, datetime(2026, 1, 31, tzinfo=UTC)
    pages.put("a", "/before", DECODE(b"[]"), DECODE)
    pages.put("a", "/x", page, DECODE)
    assert pages.take("b", "/x") is None
    looked = pages.look("a", "/x")
    assert looked is not None
    assert keys_of(looked) == keys_of(expected)
    kept = pages.take("a", "/x")
    assert kept is not None
    assert pages.take("a", "/x") is None
    assert (kept.count, kept.next, kept.is_list) == (expected.count, expected.next, page.is_list)
    assert (kept.asked, kept.came, kept.date) == (page.asked, page.came, page.date)
    assert [*map(bytes.split, kept.raw_rows)] == [*map(bytes.split, expected.raw_rows)]
    assert [row.customer_id for row in kept.rows] == [row.customer_id for row in expected.rows]
    pages.forget("a")  # or the file would stay open


def test_pages_that_nobody_takes_are_forgotten() -> None:
    """They are those of one stream; others stay."""
    pages = FirstPages()
    for stream in ("a", "b"):
        pages.put(stream, "/x", DECODE(b"[]"), DECODE)
    pages.forget("a")
    assert not pages.has("a", "/x")
    assert pages.has("b", "/x")


def test_the_keys_of_a_page_are_in_the_order_in_which_they_come() -> None:
    """Also of rows that are not JSON by the letter."""
    assert keys_of(DECODE(b'[{"b": 1, "a": {"x": 1}}, {"c": [], "a": 1}]')) == ("b", "a", "c")
    assert keys_of(DECODE(b'[{"b": NaN}, {"a": 1}]')) == ("b", "a")
