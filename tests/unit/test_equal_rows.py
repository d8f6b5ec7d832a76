"""Rows that are equal: rows of their own, or one that came twice; and pages that never end."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from tap_cube.errors import IncompleteReadError
from tap_cube.paging import passes
from tap_cube.paging.complete import MAX_PASSES
from tap_cube.records.rows import EventRow
from tests.support.fixed_pages import FixedPages, pages_of, reader_of, rows_of

ANONYMOUS = {"crm__customer_id": "", "name": "Anonymized"}


def customer(number: int) -> dict[str, Any]:
    """A customer with an id."""
    return {"crm__customer_id": str(number)}


def sale(minute: int, customer_id: str = "5") -> dict[str, Any]:
    """A product registration, which shows its minute only."""
    return {
        "crm__customer_id": customer_id,
        "product__code": "P",
        "call_outcome__report_as__submitted_when": f"2024-05-17 10:{minute:02}",
    }


def outcome(milliseconds: int, customer_id: str = "5") -> dict[str, Any]:
    """A call outcome, which shows the millisecond."""
    when = f"2024-05-17T10:00:00.{milliseconds:03}+0200"
    return {
        "crm__customer_id": customer_id,
        "call_outcome__report_as__submitted_when_timestamp": when,
    }


@pytest.mark.parametrize(
    "places", [{1, 35}, {0, 10, 20, 30}, {*range(31, 40)}, {*range(30, 40)}, {*range(40)}]
)
def test_anonymised_rows_that_are_equal_are_all_emitted(places: set[int]) -> None:
    """On one page or on several, and nothing looks like a change."""
    rows = [ANONYMOUS if n in places else customer(n) for n in range(40)]
    pages = pages_of(*(rows[n : n + 10] for n in range(0, 40, 10)))
    contents: list[tuple[str, int]] = []
    for page, yielded in reader_of(pages):
        contents += [page.contents[place] for place in yielded if place in page.contents]
    assert sorted(ordinal for _, ordinal in contents) == list(range(1, len(places) + 1))
    assert pages.requests == 4 + 2


def test_events_of_an_anonymised_customer_are_all_emitted() -> None:
    """A9: three equal call outcomes on three pages are three."""
    pages = [[outcome(n, ""), *(outcome(10 * n + i) for i in range(3))] for n in (1, 2, 3)]
    for page in pages:
        page[0] = outcome(0, "")
    emitted = rows_of(pages_of(*pages, row_type=EventRow))
    assert emitted.count(outcome(0, "")) == 3


def test_two_equal_sales_on_both_sides_of_a_page_are_two() -> None:
    """A customer may buy the same product twice in a minute."""
    other = {**sale(2), "product__code": "Q"}
    pages = [[sale(1), sale(2), other], [sale(2), other, sale(3)], [sale(4), sale(4)]]
    for total in (8, None):
        emitted = rows_of(pages_of(*pages, row_type=EventRow, count=total))
        assert sorted(emitted, key=str) == sorted((row for page in pages for row in page), key=str)


@pytest.mark.parametrize(
    ("pages", "row_type"),
    [
        pytest.param([[outcome(1), outcome(2)], [outcome(2), outcome(4)]], EventRow, id="outcomes"),
        pytest.param(
            [[sale(1), sale(2)], [sale(3), sale(1)], [sale(4), sale(5)]], EventRow, id="sales"
        ),
    ],
)
def test_a_row_that_came_twice_is_no_row_of_its_own(
    pages: list[list[dict[str, Any]]], row_type: type[EventRow]
) -> None:
    """A1: another row is on no page then. The run ends red, without a phantom key."""
    emitted: list[bytes] = []
    reader = reader_of(pages_of(*pages, row_type=row_type))
    rows = (page.raw_rows[place] for page, places in reader for place in places)
    with pytest.raises(IncompleteReadError, match="not certain that all rows were read"):
        emitted.extend(rows)
    assert len(emitted) == len(set(emitted)) == sum(map(len, pages)) - 1


def test_customers_with_one_id_on_one_page_are_two() -> None:
    """One response shows no row twice, so these share an id by mistake; both are emitted."""
    pages = [[customer(1), {**customer(1), "name": "B"}], [customer(2), customer(3)]]
    assert len(rows_of(pages_of(*pages))) == 4


@pytest.mark.parametrize(
    "sizes", [[10, 10, 13], [7, 10, 10, 3], [10, 10, 10]], ids=["last", "first", "none"]
)
@pytest.mark.parametrize("total", [None, -1])
def test_a_page_may_be_larger_than_the_others(sizes: list[int], total: int | None) -> None:
    """Django adds a few orphans to the last page; the count says that these are all rows."""
    numbers = count()
    pages = [[customer(next(numbers)) for _ in range(size)] for size in sizes]
    emitted = rows_of(pages_of(*pages, count=total))
    assert emitted == [row for page in pages for row in page]


def test_pages_that_bring_new_rows_for_ever_end_red(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server invents rows and never sends a count."""
    monkeypatch.setattr(passes, "MAX_PAGES", 50)
    numbers = count()
    pages = FixedPages(lambda _: [customer(next(numbers))], None)
    with pytest.raises(IncompleteReadError):
        rows_of(pages)
    assert pages.requests < MAX_PASSES * 60
