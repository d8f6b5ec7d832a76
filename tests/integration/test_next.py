"""Links to the next page: whatever they say, all rows come, from the account's own host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault, Sandbox, Traps
from tests.integration.conftest import TODAY
from tests.support.in_process import run_in_process
from tests.support.runs import (
    ASSIGNED,
    CRM,
    CUSTOMERS,
    complaint,
    ids,
    only,
    settings_for,
    sync,
)
from tests.support.sizes import by_turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.tap_process import TapRun

SAME = "/api/v1/data_owners/2/B2B/customers/"
RESOURCES = {"2016-query": ("S7", "/crm/customers"), "2020": ("C2", SAME)}
"""Row and path of the resource that a generation is read from."""

SETTINGS: dict[str, dict[str, Any]] = {
    "2016-query": {"assignment_ids": [9], "data_owners": []},
    "2020": only(CRM),
}
PAGES = 3

LED_ASTRAY = [
    Traps(next_without_page=True),
    Traps(next_other_endpoint=True),
    Traps(next_other_id=True),
    Traps(next_double_question=True),
    Traps(next_no_question_mark=True),
    Traps(next_page_after_path=True),
]
HOSTILE = {
    "empty": "",
    "only a query": "?page=2",
    "no scheme": f"//evil.example.org{SAME}?page=9",
    "half an address": "http://[",
    "the same page": f"{SAME}?page=1",
    "a number": 7,
}
"""What stays in `next` on every page; `test_links` and `tests/unit/test_links.py` have more."""


@pytest.fixture(scope="module")
def stranger() -> Iterator[Sandbox]:
    """Run a second account, which nobody must ever ask."""
    with Sandbox(customers=1, today=TODAY) as stranger:
        yield stranger


def read_all(cube: Sandbox, generation: str) -> TapRun:
    """Sync one CRM, hold it against the account, and see that every page was asked for."""
    run = sync(cube, **SETTINGS[generation])
    stream = ASSIGNED if generation.startswith("2016") else CUSTOMERS
    assert ids(run.records[stream]) == set(cube.account.customer_ids(CRM))
    row, path = RESOURCES[generation]
    asked = [request for request in cube.requests if request.row == row]
    assert {request.path for request in asked} == {path}
    assert all("assignment_id=9" in request.query for request in asked if row == "S7")
    assert set(range(1, PAGES + 1)) <= {request.page for request in asked}
    assert len(asked) <= 3 * PAGES
    return run


def _set(traps: object) -> str | None:
    names = [name for name in Traps.__slots__ if getattr(traps, name, None) is True]
    return names[-1] if names else None


def told(run: TapRun) -> int:
    """Count how often the log says that a link is not followed."""
    return sum("counting pages instead" in line for line in run.stderr.splitlines())


@pytest.mark.parametrize(("traps", "generation"), by_turns(LED_ASTRAY, RESOURCES), ids=_set)
def test_a_link_that_leads_astray_is_told_once_and_not_followed(
    cube: Sandbox, generation: str, traps: Traps
) -> None:
    """Pages are counted instead (T4 to T8, T10): nothing is missing, nothing is read twice."""
    cube.reset(generation=generation, traps=traps)
    assert told(read_all(cube, generation)) == 1


def test_a_link_without_its_slash_is_not_followed_either(cube: Sandbox) -> None:
    """The path is another one (T11), so the tap asks at the one it knows."""
    cube.reset(generation="2020", traps=Traps(next_missing_slash=True))
    assert told(read_all(cube, "2020")) == 1


def test_the_order_of_parameters_does_not_count(cube: Sandbox) -> None:
    """`page` may stand before or between the others (T9); the link is followed without a word."""
    cube.reset(generation="2016-query")
    cube.traps = Traps(next_value=lambda link: link and _turned(link))
    assert told(read_all(cube, "2016-query")) == 0


def _turned(link: str) -> str:
    path, _, query = link.partition("?")
    return f"{path}?{'&'.join(reversed(query.split('&')))}"


@pytest.mark.parametrize("generation", RESOURCES)
def test_parameters_that_nobody_asked_for_lose_no_row(cube: Sandbox, generation: str) -> None:
    """Dates around the page (T9) might filter, so pages are counted instead."""
    cube.reset(generation=generation)
    dates = "from_date=20190101&to_date=20190331"
    cube.traps = Traps(next_value=lambda link: link and f"{link}&{dates}")
    assert told(read_all(cube, generation)) == 1


@pytest.mark.parametrize(("scheme", "generation"), by_turns(["http", "https"], RESOURCES))
def test_the_scheme_of_a_link_does_not_count(cube: Sandbox, generation: str, scheme: str) -> None:
    """The account's own scheme is used (T1, T2)."""
    cube.reset(generation=generation, traps=Traps(next_scheme=scheme))  # type: ignore[arg-type]
    assert told(read_all(cube, generation)) == 0


@pytest.mark.parametrize("generation", RESOURCES)
def test_another_host_is_never_asked(cube: Sandbox, stranger: Sandbox, generation: str) -> None:
    """A link to a living host that would listen (T3) brings it not one request."""
    host = stranger.url.removeprefix("http://")
    cube.reset(generation=generation, traps=Traps(next_host=host))
    assert told(read_all(cube, generation)) == 0
    assert stranger.requests == []


@pytest.mark.parametrize("link", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_link_ends_no_run_and_no_loop(cube: Sandbox, link: object) -> None:
    """Anything at all may stand in `next`, even on the last page."""
    cube.reset(generation="2020", traps=Traps(next_value=lambda _: link))
    run = read_all(cube, "2020")
    assert told(run) == 1
    assert "evil" not in run.stderr


def test_a_redirect_to_another_host_is_not_followed(cube: Sandbox, stranger: Sandbox) -> None:
    """The credential goes nowhere else; the error names the setting, not the place."""
    location = f"{stranger.url}/api/v1/data_owners/2/B2B/customers/"
    cube.reset(faults=[Fault("redirect", row="C2", location=location)])
    run = run_in_process(settings_for(cube, **only(CRM)))
    assert "'api_url'" in complaint(run)
    assert stranger.requests == []


@pytest.mark.parametrize("traps", [Traps(bare_list=True), Traps(newest_first=True)], ids=_set)
def test_other_shapes_and_orders_are_complete(cube: Sandbox, traps: Traps) -> None:
    """A bare list is one page (T13), and newest first is as good an order (T16)."""
    cube.reset(traps=traps)
    run = sync(cube)
    for crm in cube.account.crms:
        owner, crm_type = crm
        found = ids(run.records[CUSTOMERS], data_owner_id=owner, crm_type=crm_type)
        assert found == set(cube.account.customer_ids(crm))


def test_a_count_that_never_comes_true_is_an_error(cube: Sandbox) -> None:
    """A short read is never green: without the rows that `count` tells of the run fails."""
    cube.reset(traps=Traps(count=lambda count: count + 5))
    run = run_in_process(settings_for(cube, **only(CRM)))
    assert "not certain that all rows were read" in complaint(run)
