"""Customer details that are missing, forbidden or cannot be requested, and the log of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from cube_sandbox import Fault
from tests.support.in_process import run_in_process
from tests.support.runs import (
    CRM,
    CUSTOMERS,
    EVENTS,
    complaint,
    complaints,
    entry_of,
    ids,
    only,
    read,
    schemas,
    set_selected,
    settings_for,
    unversioned,
    with_details,
)
from tests.support.singles import (
    OF_ASSIGNED,
    OF_CUSTOMERS,
    SINGLES,
    asked,
    once_at_a_single,
    read_details,
    run_details,
)
from tests.support.strange_server import CUSTOMERS_PATH, PagesServer, Reply, serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from cube_sandbox import Sandbox
    from tests.support.tap_process import TapRun


def test_a_deleted_customer_is_logged_and_skipped(cube: Sandbox) -> None:
    """A customer who is deleted after the page was read has no details; that is no error."""
    deleted, *kept = cube.account.customer_ids(CRM)
    once_at_a_single(cube, lambda: cube.account.delete_customer(CRM, deleted))
    run = read_details(cube)
    assert ids(run.records[OF_CUSTOMERS]) == set(kept)
    assert "data_owners/2/B2B: 1 customers have gone meanwhile" in run.stderr


def test_a_deleted_customer_is_not_confused_with_another_of_that_internal_id(cube: Sandbox) -> None:
    """The draft's endpoints accept internal ids too, and one can equal an imported id."""
    cube.reset(generation="2019-draft", page_size=50)
    internal = read(cube, **only(CRM)).records[CUSTOMERS][0]["id"]
    confused = cube.account.add_customer(CRM, customer_id=str(internal))
    once_at_a_single(cube, lambda: cube.account.delete_customer(CRM, confused))
    run = read_details(cube)
    assert confused in ids(run.records[CUSTOMERS])
    assert confused not in ids(run.records[OF_CUSTOMERS])


def test_ids_that_fit_no_path_are_skipped_and_counted(cube: Sandbox) -> None:
    """Surrogates of anonymised customers and ids that are no numbers (T25) are not requested."""
    cube.reset(anonymised=2, page_size=50)
    cube.account.add_customer(CRM, customer_id="A/17?")
    run = read_details(cube)
    assert len(run.records[CUSTOMERS]) == 13
    assert ids(run.records[OF_CUSTOMERS]) == set(asked(cube))
    assert len(asked(cube)) == 10
    assert "data_owners/2/B2B: 3 ids fit no path and are skipped" in run.stderr


def test_a_discovered_crm_with_forbidden_details_is_skipped(cube: Sandbox) -> None:
    """403 for details skips them with a warning; the customers are still read."""
    cube.reset(faults=[Fault("403", row="C3")])
    run = read(cube, selected=[OF_CUSTOMERS], read_ahead=0)
    assert run.returncode == 0, run.stderr
    assert len(run.records[CUSTOMERS]) == 36
    assert run.records[OF_CUSTOMERS] == []
    assert len(asked(cube)) == 3
    for owner, crm_type in cube.account.crms:
        name = f"data_owners/{owner}/{crm_type}"
        assert run.stderr.count(f"{name} is skipped. {OF_CUSTOMERS} of {name}: HTTP 403") == 1


def test_a_named_crm_with_forbidden_details_is_an_error(cube: Sandbox) -> None:
    """The settings name it and the catalog selects it; the customers are still read."""
    cube.reset(faults=[Fault("403", row="C3")])
    run = read(cube, selected=[OF_CUSTOMERS], **only(CRM))
    assert "data_owner_customer_details of data_owners/2/B2B: HTTP 403" in complaint(run)
    assert len(run.records[CUSTOMERS]) == 12
    assert not with_details(run)


@pytest.mark.parametrize("without", ["C3", "S6"])
def test_the_other_endpoint_is_tried(cube: Sandbox, without: str) -> None:
    """The tap probes two documented endpoints once, and uses the one that responds."""
    cube.reset(without={without})
    read_details(cube)
    rows = [r.row for r in cube.requests if r.row in SINGLES]
    assert rows == ["S6" if without == "C3" else "C3"] * 12


@pytest.mark.parametrize("times", [1, None])
def test_a_later_run_uses_no_other_endpoint(cube: Sandbox, times: int | None) -> None:
    """The other one has other columns. If the first is gone for all customers, the run ends red."""
    state = read_details(cube).state
    cube.reset(faults=[Fault("404", row="C3", times=times)])
    run = read(cube, selected=[OF_CUSTOMERS], state=state, lookback_days=3650, **only(CRM))
    assert not [request for request in cube.requests if request.row == "S6"]
    if times:
        assert run.returncode == 0
        assert len(run.records[OF_CUSTOMERS]) == len(run.records[CUSTOMERS]) - times
    else:
        assert "shows no single customers (HTTP 404)" in complaint(run)


def test_selected_details_without_an_endpoint_are_an_error(cube: Sandbox) -> None:
    """If no endpoint responds, each CRM is named; the customers are still read."""
    cube.reset(generation="2020", without={"C3", *EVENTS})
    run = read(cube, selected=[OF_CUSTOMERS])
    told = complaints(run)
    assert len(told) == len(cube.account.crms)
    assert all("shows no single customers (HTTP 404). Deselect the" in line for line in told)
    assert len(run.records[CUSTOMERS]) == 36
    assert not with_details(run)


def test_the_parents_state_says_whether_the_details_came(cube: Sandbox) -> None:
    """Details have no bookmark; if one fails, all customers of the CRM come again with theirs."""
    run = read_details(cube)
    marks = unversioned(run.state)["bookmarks"][OF_CUSTOMERS]
    assert marks.keys() == {"endpoint", "types"}
    assert with_details(run) == {CRM}
    last = cube.account.customer_ids(CRM)[-1]
    cube.reset()
    failing = Fault("500", row="C3")
    cube.before_request = lambda r: cube.faults.extend([failing] if r.path.endswith(last) else [])
    broken = read(cube, selected=[OF_CUSTOMERS], read_ahead=0, **only(CRM))
    assert f"{OF_CUSTOMERS} of data_owners/2/B2B: HTTP 500" in complaint(broken)
    assert len(broken.records[OF_CUSTOMERS]) == 11
    assert len(broken.records[CUSTOMERS]) == 12
    assert not with_details(broken)


def test_the_log_shows_no_customer(cube: Sandbox) -> None:
    """Even at DEBUG, with retries and deleted customers, the log has no id and no name."""
    cube.reset(page_size=50)
    marked, name = "987650123456", "Xylofon Merkelig"
    cube.account.add_customer(CRM, customer_id=marked, name=name)
    cube.account.add_customer(CRM, customer_id=marked[::-1], name=name)
    once_at_a_single(cube, lambda: cube.account.delete_customer(CRM, marked[::-1]))
    cube.faults = [Fault("reset", row="C3", times=2)]
    run = run_details(cube)
    assert marked in ids(run.records[OF_CUSTOMERS])
    assert "| DEBUG " in run.stderr
    assert "retrying in" in run.stderr
    assert "1 customers have gone meanwhile" in run.stderr
    for secret in (marked, marked[::-1], name.split(maxsplit=1)[0]):
        assert secret not in run.stderr


@pytest.mark.parametrize(("generation", "times"), [("2016-query", 1), ("2019", 0)])
def test_a_generation_without_details_is_logged(cube: Sandbox, generation: str, times: int) -> None:
    """The API of 2016 has no endpoint for details: the stream is skipped, and the log says so."""
    cube.reset(generation=generation)
    run = run_in_process(settings_for(cube, assignment_ids=[9]), extra_args=["--discover"])
    message = f"No address for single customers; stream '{OF_ASSIGNED}' is skipped"
    assert run.stderr.count(message) == times
    streams = [entry["stream"] for entry in run.catalog["streams"]]
    assert streams.count(OF_ASSIGNED) == 1 - times


class Singles(PagesServer):
    """A list of two customers, and what a function makes of the id of a single one."""

    def __init__(self, single: Callable[[str], object]) -> None:
        """Listen on a free port."""
        rows = [{"crm__customer_id": number} for number in ("007", "8")]
        super().__init__(lambda _: {"count": 2, "next": None, "results": rows})
        self.single = single

    @override
    def body(self, target: str) -> bytes | Reply | None:
        _, is_single, number = target.partition(CUSTOMERS_PATH)
        if is_single and number.isdigit():
            return json.dumps(self.single(number)).encode()
        return super().body(target)


def details_of(single: Callable[[str], object]) -> TapRun:
    """Read two customers and their details from a server that answers as it likes."""
    with serving(Singles(single)) as server:
        settings = {"api_url": server.url, "auth_token": "t", **only(CRM)}
        catalog = run_in_process(settings, extra_args=["--discover"]).catalog
        set_selected(entry_of(catalog, OF_CUSTOMERS), selected=True)
        run = run_in_process(settings, catalog=catalog)
    assert run.returncode == 0, run.stderr
    return run


@pytest.mark.parametrize(
    "other",
    [
        {"crm__customer_id": "7"},
        {"crm__customer_id": 7},
        {"crm__customer_id": "", "id": 7},
        {"detail": "Not found."},
        {"crm__customer_id": "007", "data_owner_id": 3},
        {"crm__customer_id": "007", "crm_type": "B2C"},
    ],
)
def test_another_answer_is_not_taken_for_the_customer(other: dict[str, Any]) -> None:
    """Another id, no id, or a place that was not asked for: the customer counts as gone."""
    run = details_of(lambda number: other if number == "007" else {"crm__customer_id": number})
    assert ids(run.records[OF_CUSTOMERS]) == {"8"}
    assert "1 customers have gone meanwhile" in run.stderr


def test_new_keys_of_several_details_are_declared_together() -> None:
    """A SCHEMA for each would take time, and some targets lose rows at a second one."""
    run = details_of(lambda number: {"crm__customer_id": number, f"only in {number}": "x"})
    (columns,) = schemas(run, OF_CUSTOMERS)
    assert columns.keys() >= {"only in 007", "only in 8"}


def test_the_details_of_a_customer_may_be_as_large_as_a_page() -> None:
    """A page may have 64 MiB."""
    run = details_of(lambda number: {"crm__customer_id": number, "comment": "x" * 2**24})
    assert ids(run.records[OF_CUSTOMERS]) == {"007", "8"}
