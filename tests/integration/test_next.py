"""Links to the next page: whatever they contain, all rows are read from the account's host."""

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
"""Row and path of the resource that is read in a generation."""

SETTINGS: dict[str, dict[str, Any]] = {
    "2016-query": {"assignment_ids": [9], "data_owners": []},
    "2020": only(CRM),
}
PAGES = 3

WRONG_LINKS = [
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
    "an incomplete address": "http://[",
    "the same page": f"{SAME}?page=1",
    "a number": 7,
}
"""Values of `next` on every page; `test_links` and `tests/unit/test_links.py` have more."""


@pytest.fixture(scope="module")
def stranger() -> Iterator[Sandbox]:
    """Run a second account, which must not receive any request."""
    with Sandbox(customers=1, today=TODAY) as stranger:
        yield stranger


def read_all(cube: Sandbox, generation: str) -> TapRun:
    """Sync one CRM, compare it with the account, and check that every page was requested."""
    run = sync(cube, **SETTINGS[generation])
    stream = ASSIGNED if generation.startswith("2016") else CUSTOMERS
    assert ids(run.records[stream]) == set(cube.account.customer_ids(CRM))
    row, path = RESOURCES[generation]
    requests = [request for request in cube.requests if request.row == row]
    assert {request.path for request in requests} == {path}
    assert all("assignment_id=9" in request.query for request in requests if row == "S7")
    assert set(range(1, PAGES + 1)) <= {request.page for request in requests}
    assert len(requests) <= 3 * PAGES
    return run


def _set(traps: object) -> str | None:
    names = [name for name in Traps.__slots__ if getattr(traps, name, None) is True]
    return names[-1] if names else None


def count_warnings(run: TapRun) -> int:
    """Count how often the log says that a link is not used."""
    return sum("counting pages instead" in line for line in run.stderr.splitlines())


@pytest.mark.parametrize(("traps", "generation"), by_turns(WRONG_LINKS, RESOURCES), ids=_set)
def test_a_wrong_link_is_logged_once_and_not_used(
    cube: Sandbox, generation: str, traps: Traps
) -> None:
    """The tap counts pages instead (T4 to T8, T10): no row is missing or read twice."""
    cube.reset(generation=generation, traps=traps)
    assert count_warnings(read_all(cube, generation)) == 1


def test_a_link_without_the_final_slash_is_not_used(cube: Sandbox) -> None:
    """The path differs (T11), so the tap keeps the path that it knows."""
    cube.reset(generation="2020", traps=Traps(next_missing_slash=True))
    assert count_warnings(read_all(cube, "2020")) == 1


def test_the_order_of_parameters_does_not_matter(cube: Sandbox) -> None:
    """`page` can be before or between the others (T9); the link is used without a warning."""
    cube.reset(generation="2016-query")
    cube.traps = Traps(next_value=lambda link: link and _reversed(link))
    assert count_warnings(read_all(cube, "2016-query")) == 0


def _reversed(link: str) -> str:
    path, _, query = link.partition("?")
    return f"{path}?{'&'.join(reversed(query.split('&')))}"


@pytest.mark.parametrize("generation", RESOURCES)
def test_a_link_with_additional_parameters_is_not_used(cube: Sandbox, generation: str) -> None:
    """Dates in the link (T9) might filter rows, so the tap counts pages instead."""
    cube.reset(generation=generation)
    dates = "from_date=20190101&to_date=20190331"
    cube.traps = Traps(next_value=lambda link: link and f"{link}&{dates}")
    assert count_warnings(read_all(cube, generation)) == 1


@pytest.mark.parametrize(("scheme", "generation"), by_turns(["http", "https"], RESOURCES))
def test_the_scheme_of_a_link_does_not_matter(cube: Sandbox, generation: str, scheme: str) -> None:
    """The tap uses the scheme of the account (T1, T2)."""
    cube.reset(generation=generation, traps=Traps(next_scheme=scheme))  # type: ignore[arg-type]
    assert count_warnings(read_all(cube, generation)) == 0


@pytest.mark.parametrize("generation", RESOURCES)
def test_another_host_receives_no_request(
    cube: Sandbox, stranger: Sandbox, generation: str
) -> None:
    """A link names a running server (T3), and the tap does not connect to it."""
    host = stranger.url.removeprefix("http://")
    cube.reset(generation=generation, traps=Traps(next_host=host))
    assert count_warnings(read_all(cube, generation)) == 0
    assert stranger.requests == []


@pytest.mark.parametrize("link", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_link_causes_no_error_and_no_loop(cube: Sandbox, link: object) -> None:
    """`next` can have any value, even on the last page."""
    cube.reset(generation="2020", traps=Traps(next_value=lambda _: link))
    run = read_all(cube, "2020")
    assert count_warnings(run) == 1
    assert "evil" not in run.stderr


def test_a_redirect_to_another_host_is_not_followed(cube: Sandbox, stranger: Sandbox) -> None:
    """The credential is not sent elsewhere; the error names the setting, not the host."""
    location = f"{stranger.url}/api/v1/data_owners/2/B2B/customers/"
    cube.reset(faults=[Fault("redirect", row="C2", location=location)])
    run = run_in_process(settings_for(cube, **only(CRM)))
    assert "'api_url'" in complaint(run)
    assert stranger.requests == []


@pytest.mark.parametrize("traps", [Traps(bare_list=True), Traps(newest_first=True)], ids=_set)
def test_other_shapes_and_orders_are_read_completely(cube: Sandbox, traps: Traps) -> None:
    """A bare list is one page (T13), and rows can be newest first (T16)."""
    cube.reset(traps=traps)
    run = sync(cube)
    for crm in cube.account.crms:
        owner, crm_type = crm
        found = ids(run.records[CUSTOMERS], data_owner_id=owner, crm_type=crm_type)
        assert found == set(cube.account.customer_ids(crm))


def test_a_count_that_is_never_reached_is_an_error(cube: Sandbox) -> None:
    """The run fails if rows are missing according to `count`."""
    cube.reset(traps=Traps(count=lambda count: count + 5))
    run = run_in_process(settings_for(cube, **only(CRM)))
    assert "not certain that all rows were read" in complaint(run)
