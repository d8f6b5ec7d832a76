"""Causes of short reads: lost CRMs, wrong counts, rows of another resource."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault, Traps
from tests.support.breaking import (
    COMPLETE,
    FIRST,
    PLACES,
    SHORT,
    Place,
    assert_complete,
    assert_ends,
    breaking,
    broken_read,
)
from tests.support.runs import CRM, CUSTOMERS, complaint, complaints, ids, only, read, read_at
from tests.support.sizes import by_turns
from tests.support.strange_server import TOO_MANY, pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from cube_sandbox import Sandbox


@pytest.mark.parametrize(
    ("kind", "place"), [("403", FIRST), ("404", FIRST), *by_turns(["404", "403"], PLACES[1:-1])]
)
def test_a_discovered_crm_that_disappears_during_the_run(
    cube: Sandbox,
    kind: Any,  # noqa: ANN401 - kind
    place: Place,
) -> None:
    """It answered before, so it is not skipped: each is an error."""
    cube.reset(customers=30)
    fault = Fault(kind, row="C2", page=place.page)
    options: dict[str, Any] = {
        "max_retries": 0,
        "read_ahead": place.read_ahead,
        "assignment_ids": [],
    }
    run = read(cube, discovered=breaking(cube, place, fault), **options)
    assert len(complaints(run)) == len(cube.account.crms)


@pytest.mark.parametrize("kind", ["404", "403"])
def test_unchanged_rows_do_not_hide_a_page_that_fails(cube: Sandbox, kind: Any) -> None:  # noqa: ANN401 - kind
    """A page after skipped rows fails the run, although the CRM has emitted no row."""
    cube.reset(customers=30)
    fault = Fault(kind, row="C2", page=3)
    run = read(
        cube,
        discovered=breaking(cube, FIRST, fault),
        read_ahead=0,
        assignment_ids=[],
        start_date="2024-05-16",
    )
    assert len(complaints(run)) == len(cube.account.crms)


COUNTS: dict[str, tuple[Callable[[int], object], str]] = {
    "null": (lambda _: None, COMPLETE),
    "text": (str, COMPLETE),
    "true": (lambda _: True, COMPLETE),
    "negative": (lambda _: -1, COMPLETE),
    "half": (lambda n: n + 0.5, COMPLETE),
    "list": (lambda n: [n], COMPLETE),
    "huge": (lambda _: 10**30, COMPLETE),
    "zero": (lambda _: 0, COMPLETE),
    "low": (lambda n: n - 7, COMPLETE),
    "higher": (lambda n: n + 1, SHORT),
    "high": (lambda n: n + 70, SHORT),
    "vast": (lambda _: 10**12, SHORT),
}


@pytest.mark.parametrize(("name", "read_ahead"), by_turns(COUNTS, [0, 3]))
def test_a_wrong_count(cube: Sandbox, name: str, read_ahead: int) -> None:
    """An invalid or low count loses no row; with a count that is too high the run fails."""
    count, expected = COUNTS[name]
    cube.reset(customers=30, traps=Traps(count=count))
    place = Place("all", "C2", 1, read_ahead)
    run = read(cube, max_retries=0, read_ahead=read_ahead, **only(CRM))
    assert_ends(cube, run, place, expected)
    assert len(cube.requests) < 250


def test_one_page_for_all_numbers_and_a_vast_count() -> None:
    """A cache that ignores the query does not keep the run going for as many pages."""
    page = {"count": 10**12, "next": None, "results": [{"crm__customer_id": "1"}]}
    with pages(lambda _: page) as server:
        run = read_at(server.url, max_retries=0, read_ahead=0, **only(CRM))
    assert "not certain that all rows were read" in complaint(run)
    assert len(server.asked) < TOO_MANY


def test_a_list_without_a_count_that_never_stays_the_same() -> None:
    """The error says that there is no count."""
    new_ids = map(str, itertools.count())

    def answer(number: int) -> dict[str, Any]:
        link = f"?page={number + 1}" if number < 3 else None
        return {"next": link, "results": [{"crm__customer_id": next(new_ids)}]}

    with pages(answer) as server:
        sentence = complaint(read_at(server.url, read_ahead=0, **only(CRM)))
    assert "(the account sends no count, the last pass found" in sentence


@pytest.mark.parametrize(("place", "read_ahead"), by_turns(PLACES[:-1], [0, 3]))
def test_a_count_that_is_missing_once(cube: Sandbox, place: Place, read_ahead: int) -> None:
    """A page without `count` loses no row."""
    number = {"seen": 0}

    def count(real: int) -> object:
        number["seen"] += 1
        return None if number["seen"] == place.page + 1 else real

    cube.reset(customers=30, traps=Traps(count=count))
    assert_complete(cube, read(cube, max_retries=0, read_ahead=read_ahead, **only(CRM)))


@pytest.mark.parametrize(("place", "times"), by_turns(PLACES[:-1], [1, None]))
def test_a_redirect_to_another_resource_adds_no_rows(
    cube: Sandbox, place: Place, times: int | None
) -> None:
    """Campaigns never become customers: the run is complete or it fails."""
    fault = Fault("redirect", row="C2", page=place.page, times=times, location="/api/v1/campaigns")
    run = broken_read(cube, place, fault)
    assert ids(run.records.get(CUSTOMERS, [])) <= set(cube.account.customer_ids(CRM))
    if run.returncode == 0:
        assert_complete(cube, run)
