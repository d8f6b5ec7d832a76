"""Single customers that are gone, refused or not to be asked for, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cube_sandbox import Fault
from tests.support.in_process import run_in_process
from tests.support.runs import CRM, CUSTOMERS, bookmarks, complaint, ids, only, read, settings_for
from tests.support.singles import (
    OF_ASSIGNED,
    OF_CUSTOMERS,
    SINGLES,
    asked,
    once_at_a_single,
    read_details,
    run_details,
)

if TYPE_CHECKING:
    from cube_sandbox import Sandbox


def test_a_vanished_customer_is_a_line_in_the_log(cube: Sandbox) -> None:
    """Who is deleted after the page was read has no details, and that is no error."""
    gone, *kept = cube.account.customer_ids(CRM)
    once_at_a_single(cube, lambda: cube.account.delete_customer(CRM, gone))
    run = read_details(cube)
    assert ids(run.records[OF_CUSTOMERS]) == set(kept)
    assert "data_owners/2/B2B: 1 customers have gone meanwhile" in run.stderr


def test_another_customer_of_that_internal_id_is_not_taken_for_the_vanished(cube: Sandbox) -> None:
    """The draft's addresses know internal ids as well, and one may be somebody's imported id."""
    cube.reset(generation="2019-draft", page_size=50)
    internal = read(cube, **only(CRM)).records[CUSTOMERS][0]["id"]
    confused = cube.account.add_customer(CRM, customer_id=str(internal))
    once_at_a_single(cube, lambda: cube.account.delete_customer(CRM, confused))
    run = read_details(cube)
    assert confused in ids(run.records[CUSTOMERS])
    assert confused not in ids(run.records[OF_CUSTOMERS])


def test_ids_that_fit_no_path_are_skipped_with_a_count(cube: Sandbox) -> None:
    """Anonymised customers have surrogates, and some ids are no numbers (T25): nobody asks."""
    cube.reset(anonymised=2, page_size=50)
    cube.account.add_customer(CRM, customer_id="A/17?")
    run = read_details(cube)
    assert len(run.records[CUSTOMERS]) == 13
    assert ids(run.records[OF_CUSTOMERS]) == set(asked(cube))
    assert len(asked(cube)) == 10
    assert "data_owners/2/B2B: 3 ids fit no path and are skipped" in run.stderr


def test_a_discovered_crm_that_shows_nobody_alone_is_left_out(cube: Sandbox) -> None:
    """403 for single customers costs their details and a warning, not the customers."""
    cube.reset(faults=[Fault("403", row="C3")])
    run = read(cube, selected=[OF_CUSTOMERS], read_ahead=0)
    assert run.returncode == 0, run.stderr
    assert len(run.records[CUSTOMERS]) == 36
    assert run.records[OF_CUSTOMERS] == []
    assert len(asked(cube)) == 3
    for owner, crm_type in cube.account.crms:
        name = f"data_owners/{owner}/{crm_type}"
        assert run.stderr.count(f"{name} is skipped. {OF_CUSTOMERS} of {name}: HTTP 403") == 1


def test_a_named_crm_that_shows_nobody_alone_is_an_error(cube: Sandbox) -> None:
    """What the settings name and the catalog selects must answer, or the bookmark stays."""
    cube.reset(faults=[Fault("403", row="C3")])
    run = read(cube, selected=[OF_CUSTOMERS], **only(CRM))
    assert "data_owner_customer_details of data_owners/2/B2B: HTTP 403" in complaint(run)
    assert CUSTOMERS not in (run.state or {})["bookmarks"]


@pytest.mark.parametrize("without", ["C3", "S6"])
def test_the_other_address_is_tried(cube: Sandbox, without: str) -> None:
    """Of two documented addresses the one that answers is found once, then taken for all."""
    cube.reset(without={without})
    read_details(cube)
    rows = [r.row for r in cube.requests if r.row in SINGLES]
    assert rows == ["S6" if without == "C3" else "C3"] * 12


def test_an_account_without_single_customers_says_so(cube: Sandbox) -> None:
    """Where no address answers the stream cannot be read: better red than empty."""
    cube.reset(generation="2020", without={"C3"})
    run = read(cube, selected=[OF_CUSTOMERS], **only(CRM))
    assert "shows no single customers (HTTP 404 for 5). Deselect the stream." in complaint(run)


def test_state_speaks_of_parents_only_and_after_their_details(cube: Sandbox) -> None:
    """Details have no bookmark; when one fails, that of the parent does not move."""
    run = read_details(cube)
    assert (run.state or {})["bookmarks"][OF_CUSTOMERS] == {}
    assert bookmarks(run).keys() == {CRM}
    last = cube.account.customer_ids(CRM)[-1]
    cube.reset()
    failing = Fault("500", row="C3")
    cube.before_request = lambda r: cube.faults.extend([failing] if r.path.endswith(last) else [])
    broken = read(cube, selected=[OF_CUSTOMERS], read_ahead=0, **only(CRM))
    assert f"{OF_CUSTOMERS} of data_owners/2/B2B: HTTP 500" in complaint(broken)
    assert len(broken.records[OF_CUSTOMERS]) == 11
    assert CUSTOMERS not in (broken.state or {})["bookmarks"]


def test_no_log_tells_whom_it_was_about(cube: Sandbox) -> None:
    """Even at DEBUG, with retries and people who are gone, no id and no name is shown."""
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
def test_a_generation_without_single_customers_is_a_line_in_the_log(
    cube: Sandbox, generation: str, times: int
) -> None:
    """The addresses of 2016 have nobody to ask for alone: no stream, and a line that says so."""
    cube.reset(generation=generation)
    run = run_in_process(settings_for(cube, assignment_ids=[9]), extra_args=["--discover"])
    told = f"No address for single customers; stream '{OF_ASSIGNED}' is skipped"
    assert run.stderr.count(told) == times
    streams = [entry["stream"] for entry in run.catalog["streams"]]
    assert streams.count(OF_ASSIGNED) == 1 - times
