"""The state remembers where each stream was read; what no longer answers there ends the run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault
from tests.integration.conftest import TODAY
from tests.integration.test_hiccups import edit, fill
from tests.support.event_runs import (
    ALL_CRMS,
    DAY,
    MERSALG,
    ONE_CRM,
    OUTCOMES,
    begin,
    by_key,
    days_read,
    night,
    try_night,
)
from tests.support.in_process import run_in_process
from tests.support.runs import (
    ASSIGNED,
    CUSTOMERS,
    bookmarks,
    complaint,
    complaints,
    discover,
    entry_of,
    set_selected,
    settings_for,
)
from tests.support.sizes import by_turns

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from cube_sandbox import Sandbox
    from cube_sandbox.faults import Kind

NOW = "Run again later; if the account has changed for good, run once with --full-refresh"
CRM_PATH = "data_owners/{data_owner_id}/crm/{crm_type}"
C9 = "/api/v1/campaigns/{campaign__id}/call_outcomes/"


def earlier(state: Mapping[str, Any] | None) -> dict[str, Any]:
    """The state as versions left it that remembered no addresses."""
    marks = (state or {})["bookmarks"]
    return {
        "bookmarks": {
            stream: {key: mark[key] for key in mark.keys() - {"endpoint", "definitions"}}
            for stream, mark in marks.items()
        }
    }


def test_the_state_names_the_address_of_each_stream(cube: Sandbox) -> None:
    """Also of streams without bookmarks, and of the definitions of each CRM that has some."""
    fill(cube, without=("C9", "H2"))
    run = night(cube, **ONE_CRM)
    first = run.messages[0]
    assert first["type"] == "STATE", "what is written first must say where it was read"
    marks = first["value"]["bookmarks"]
    assert {stream: mark.get("endpoint") for stream, mark in marks.items()} == {
        "campaigns": "C1",
        "custom_fields": None,
        ASSIGNED: "S1",
        CUSTOMERS: "C2",
        "callflow_customers": "C6",
        OUTCOMES: "C8",
        "product_registrations": "C11",
    }
    assert marks["custom_fields"]["definitions"] == {"data_owners/2/B2B": "C4"}
    assert "No state says where" in run.stderr
    again = night(cube, state=run.state, **ONE_CRM)
    assert "No state says where" not in again.stderr
    assert (again.state or {})["bookmarks"].keys() == (run.state or {})["bookmarks"].keys()


@pytest.mark.parametrize("without", [("C9",), ("C9", "C8"), ()])
def test_a_later_night_uses_no_other_address(cube: Sandbox, without: Collection[str]) -> None:
    """An address that is first in the list, and was missing in the first night, changes nothing."""
    fill(cube, without=without)
    first = night(cube, **ALL_CRMS)
    cube.without = ()
    second = night(cube, TODAY + DAY, state=first.state, **ALL_CRMS)
    assert by_key(second.records[OUTCOMES]).keys() <= by_key(first.records[OUTCOMES]).keys()


GONE = {
    "C1": "/api/v1/campaigns",
    "C2": "/api/v1/data_owners/{data_owner_id}/{crm_type}/customers/",
    "C4": "/api/v1/data_owners/{data_owner_id}/{crm_type}/crm_custom_fields/",
    "C9": C9,
}


@pytest.mark.parametrize(("row", "version"), by_turns(GONE, ["today's", "earlier"]))
def test_an_address_that_is_gone_ends_the_run(cube: Sandbox, row: str, version: str) -> None:
    """One sentence names stream and path, and says what to do; a full refresh accepts it."""
    fill(cube)
    settings: dict[str, Any] = {"data_owners": None, "assignment_ids": []}
    state = night(cube, **settings).state
    if version == "earlier":
        state = earlier(state)
    cube.without = {row, "S5"}
    sentence = complaint(try_night(cube, TODAY + DAY, state=state, **settings))
    assert f"Earlier runs read it from {GONE[row]}. {NOW}" in sentence


def test_a_full_refresh_accepts_another_address(cube: Sandbox) -> None:
    """It has no state. The log says so, and where the stream is read from now on."""
    fill(cube)
    night(cube, **ALL_CRMS)
    cube.without = {"C9"}
    anew = night(cube, TODAY + DAY, **ALL_CRMS)
    assert "No state says where streams are read from: this run finds out" in anew.stderr
    assert (
        f"Stream '{OUTCOMES}' is read from {C9.replace('campaigns/{campaign__id}', CRM_PATH)}"
        in (anew.stderr)
    )
    again = night(cube, TODAY + DAY, state=anew.state, **ALL_CRMS)
    assert by_key(again.records[OUTCOMES]).keys() <= by_key(anew.records[OUTCOMES]).keys()


def test_a_list_of_campaigns_that_is_empty_for_a_night_is_not_believed(cube: Sandbox) -> None:
    """It had campaigns before. In a first run, an empty list means that there are none."""
    fill(cube)
    first = night(cube, **ALL_CRMS)
    cube.faults = [Fault("empty-list", row="C1")]
    for state in (first.state, earlier(first.state)):
        sentence = complaint(try_night(cube, TODAY + DAY, state=state, **ALL_CRMS))
        assert sentence.startswith("campaigns, page 1: the list is empty after 3 attempts")
    assert night(cube, **ALL_CRMS).records["campaigns"] == []


def test_one_stream_that_is_gone_does_not_end_the_others(cube: Sandbox) -> None:
    """They are read, and their bookmarks move. The run ends red with a line for each failure."""
    fill(cube)
    state = night(cube, **ONE_CRM).state
    cube.without = {"C9", "C6"}
    edit(cube, 1)
    run = try_night(cube, TODAY + DAY, state=state, **ONE_CRM)
    outcomes, callflow = sorted(complaints(run))
    assert outcomes.startswith(f"{OUTCOMES} of campaigns/2, page 1: HTTP 404")
    assert callflow.startswith("callflow_customers of campaigns/2, page 1: HTTP 404")
    assert bookmarks(run)[2, "B2B"] == (TODAY + DAY).isoformat()
    assert days_read(run.state or {}, "product_registrations")[MERSALG] == TODAY + DAY
    assert days_read(run.state or {})[MERSALG] == TODAY


def test_an_address_that_is_gone_costs_one_request_a_campaign(cube: Sandbox) -> None:
    """Each is tried once, and the newest again until its tries are used up."""
    begin(cube, campaigns=12)
    state = night(cube, **ALL_CRMS).state
    cube.without = {"C9"}
    complaint(try_night(cube, TODAY + DAY, state=state, max_retries=2, **ALL_CRMS))
    asked = [r.path for r in cube.requests if r.path.endswith("/call_outcomes/")]
    assert len(set(asked)) == 12
    assert len(asked) == 12 + 3


def test_a_run_that_broke_off_has_left_its_addresses(cube: Sandbox) -> None:
    """Its rows are in the target under their keys; the next run goes on where they came from."""
    fill(cube, without=("C9",))
    fault = Fault("500", row="C8", page=2)
    cube.page_size = 1
    broken = try_night(cube, max_retries=0, discovered=lambda: cube.faults.append(fault))
    assert broken.returncode == 1
    assert broken.records[OUTCOMES]
    cube.without, cube.faults = (), []
    again = night(cube, state=broken.state)
    assert by_key(broken.records[OUTCOMES]).keys() <= by_key(again.records[OUTCOMES]).keys()


@pytest.mark.parametrize("stream", [OUTCOMES, CUSTOMERS])
def test_an_address_of_another_version_ends_the_run(cube: Sandbox, stream: str) -> None:
    """The state names an address that the stream does not have."""
    state = {"bookmarks": {stream: {"endpoint": "Z9"}}}
    sentence = complaint(try_night(cube, state=state))
    assert f": {stream}: the state names the address 'Z9'" in sentence


def test_the_addresses_of_deselected_streams_are_remembered(cube: Sandbox) -> None:
    """They are read there when they are selected one day; definitions decide columns already."""
    fill(cube)
    catalog = discover(cube, **ONE_CRM)
    for stream in (OUTCOMES, "campaigns", "custom_fields"):
        set_selected(entry_of(catalog, stream), selected=False)
    marks = (night(cube, catalog=catalog).state or {})["bookmarks"]
    assert marks[OUTCOMES] == {"endpoint": "C9"}
    assert marks["campaigns"] == {"endpoint": "C1"}
    assert "data_owners/2/B2B" in marks["custom_fields"]["definitions"]


@pytest.mark.parametrize(("row", "kind"), [("C1", "404"), ("C1", "403"), ("C4", "404")])
def test_a_catalog_of_a_later_night_lacks_nothing(cube: Sandbox, row: str, kind: Kind) -> None:
    """Meltano gives `--discover` the state. With a hiccup there is no catalog, not a poor one."""
    begin(cube)
    settings = settings_for(cube, **ONE_CRM, max_retries=0)
    state = night(cube, **ONE_CRM).state
    cube.faults.append(Fault(kind, row=row))
    run = run_in_process(settings, state=state, extra_args=["--discover"])
    assert run.returncode == 1
    assert run.stdout == ""
    assert "Earlier runs read it from" in complaint(run)
    cube.faults.clear()
    found = json.loads(run_in_process(settings, state=state, extra_args=["--discover"]).stdout)
    assert found == discover(cube, **ONE_CRM)
