"""State across runs: what changed comes, what did not stays away, and nothing is lost."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.integration.conftest import TODAY
from tests.support.in_process import run_in_process
from tests.support.runs import (
    ASSIGNED,
    CRM,
    CUSTOMERS,
    bookmarks,
    complaint,
    ids,
    only,
    settings_for,
    sync,
)
from tests.support.tap_process import started_tap

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

LATEST = TODAY + timedelta(days=3)
"""A day after every invented one: a change of this day comes again, and comes alone."""


def test_an_unchanged_account_sends_the_bookmarks_own_day_again(cube: Sandbox) -> None:
    """Days are all Cube tells of a change, so the last day's rows come twice and no others do."""
    first = sync(cube, **only(*cube.account.crms))
    second = sync(cube, state=first.state, **only(*cube.account.crms))
    latest: dict[object, str] = bookmarks(first)
    expected = [
        r
        for r in first.records[CUSTOMERS]
        if r["updated"] == latest[r["data_owner_id"], r["crm_type"]]
    ]
    assert second.records[CUSTOMERS] == expected
    assert 0 < len(expected) < len(first.records[CUSTOMERS]) == 36
    assert bookmarks(second) == latest


def test_changed_and_new_rows_come_alone(cube: Sandbox) -> None:
    """After a load only an edited customer and an added one are left to fetch."""
    first = sync(cube, **only(CRM))
    edited, other = cube.account.customer_ids(CRM)[3:5]
    cube.account.update_customer(CRM, other, updated=LATEST)
    again = sync(cube, state=first.state, **only(CRM))
    cube.account.update_customer(CRM, edited, name="Nytt Navn AS", updated=LATEST)
    added = cube.account.add_customer(CRM, name="Ny Kunde AS", updated=LATEST)
    second = sync(cube, state=again.state, **only(CRM))
    names = {r["customer_id"]: r["crm__standard_info__name"] for r in second.records[CUSTOMERS]}
    assert names.keys() == {edited, added, other}
    assert (names[edited], names[added]) == ("Nytt Navn AS", "Ny Kunde AS")
    assert bookmarks(second) == {CRM: LATEST.isoformat()}


def test_a_change_by_the_api_comes_with_the_next_run(cube: Sandbox) -> None:
    """A write through the API itself bumps the day, and the next run brings the new value."""
    first = sync(cube, assignment_ids=[9], data_owners=[])
    customer = cube.account.customer_ids(9)[0]
    answer = requests.put(
        f"{cube.url}/api/v1/assignments/9/customers/{customer}",
        json={"crm__standard_info__phone_2": "90000001"},
        headers={"Authorization": f"Token {cube.token}"},
        timeout=300,
    )
    assert answer.status_code == 200
    second = sync(cube, state=first.state, assignment_ids=[9], data_owners=[])
    found = {r["customer_id"]: r for r in second.records[ASSIGNED]}
    assert found[customer]["crm__standard_info__phone_2"] == "90000001"


def test_rows_without_a_date_always_come(cube: Sandbox) -> None:
    """Nothing tells that an undated row is unchanged, so every run brings it."""
    cube.reset(undated=3)
    undated = set(cube.account.customer_ids(CRM)[:3])
    first = sync(cube, **only(CRM))
    second = sync(cube, state=first.state, **only(CRM))
    assert {r["customer_id"] for r in second.records[CUSTOMERS] if r["updated"] is None} == undated
    assert len(second.records[CUSTOMERS]) < 12


def test_a_date_in_the_far_future_does_not_poison_the_bookmark(cube: Sandbox) -> None:
    """A typo of 2099 arrives as it is; the bookmark ends today, and the next change still comes."""
    mistyped, edited = cube.account.customer_ids(CRM)[:2]
    cube.account.update_customer(CRM, mistyped, updated=date(2099, 1, 1))
    first = sync(cube, **only(CRM))
    today = datetime.now(UTC).date()
    (bookmark,) = bookmarks(first).values()
    assert today <= date.fromisoformat(bookmark) <= today + timedelta(days=1)
    cube.account.update_customer(CRM, edited, updated=date.fromisoformat(bookmark))
    second = sync(cube, state=first.state, **only(CRM))
    updated = {r["customer_id"]: r["updated"] for r in second.records[CUSTOMERS]}
    assert updated == {mistyped: "2099-01-01", edited: bookmark}


def test_a_bookmark_of_another_tap_in_the_future_does_not_hide_changes(cube: Sandbox) -> None:
    """A state that was poisoned before counts as today."""
    cube.account.update_customer(CRM, cube.account.customer_ids(CRM)[0], updated=date(2099, 1, 1))
    edited = cube.account.add_customer(CRM, updated=datetime.now(UTC).date() + timedelta(days=1))
    run = run_in_process(settings_for(cube, **only(CRM)), state=state_with("2099-01-01"))
    assert run.returncode == 0, run.stderr
    assert edited in ids(run.records[CUSTOMERS])
    assert bookmarks(run)[CRM] < "2099"


def state_with(bookmark: object) -> dict[str, Any]:
    """Make a state with one bookmark of the CRM."""
    part = {
        "context": {"data_owner_id": CRM[0], "crm_type": CRM[1]},
        "replication_key": "updated",
        "replication_key_value": bookmark,
    }
    return {"bookmarks": {CUSTOMERS: {"partitions": [part]}}}


def test_each_assignment_has_a_bookmark_of_its_own(cube: Sandbox) -> None:
    """A late change in one assignment hides no earlier change in the other."""
    before_both = TODAY + timedelta(days=1)
    first = sync(cube, data_owners=[])
    cube.account.update_customer(9, cube.account.customer_ids(9)[0], updated=LATEST)
    second = sync(cube, state=first.state, data_owners=[])
    early = cube.account.add_customer(12, updated=before_both)
    third = sync(cube, state=second.state, data_owners=[])
    assert bookmarks(second, ASSIGNED)[12] < bookmarks(second, ASSIGNED)[9] == LATEST.isoformat()
    assert early in ids(third.records[ASSIGNED], assignment_id=12)
    assert bookmarks(third, ASSIGNED) == {9: LATEST.isoformat(), 12: before_both.isoformat()}


def test_bookmarks_do_not_move_backwards(cube: Sandbox) -> None:
    """When the newest row is deleted the bookmark stays where it was."""
    newest = cube.account.add_customer(CRM, updated=LATEST)
    first = sync(cube, **only(CRM))
    cube.account.delete_customer(CRM, newest)
    second = sync(cube, state=first.state, **only(CRM))
    assert second.records[CUSTOMERS] == []
    assert bookmarks(second) == bookmarks(first) == {CRM: LATEST.isoformat()}


def test_customers_from_before_the_start_date_are_left_out(cube: Sandbox) -> None:
    """`start_date` holds for the first run; from then on the bookmark is later."""
    start = (TODAY - timedelta(days=300)).isoformat()
    everything = sync(cube, **only(CRM)).records[CUSTOMERS]
    run = sync(cube, start_date=f"{start}T00:00:00Z", **only(CRM))
    assert run.records[CUSTOMERS] == [r for r in everything if r["updated"] >= start]
    assert 0 < len(run.records[CUSTOMERS]) < 12


def test_a_start_date_after_every_change_leaves_a_state_to_go_on_from(cube: Sandbox) -> None:
    """With nothing to emit the run is no error, and the next change comes."""
    start = (TODAY + timedelta(days=1)).isoformat()
    first = sync(cube, start_date=start, **only(CRM))
    assert first.records[CUSTOMERS] == []
    added = cube.account.add_customer(CRM, updated=LATEST)
    second = sync(cube, start_date=start, state=first.state, **only(CRM))
    assert ids(second.records[CUSTOMERS]) == {added}


def test_without_a_change_log_every_run_is_a_full_one(cube: Sandbox) -> None:
    """Where no row has a date all come each time, and the log says so once."""
    cube.reset(change_log=False)
    first = sync(cube)
    second = sync(cube, state=first.state)
    for stream, rows in ((CUSTOMERS, 36), (ASSIGNED, 24)):
        assert len(second.records[stream]) == len(first.records[stream]) == rows
    for run in (first, second):
        told = [line for line in run.stderr.splitlines() if "every run is a full load" in line]
        assert len(told) == 2  # once for each of the two streams


@pytest.mark.parametrize("bookmark", ["last week", 7, {}, ""])
def test_a_bookmark_that_is_no_date_ends_in_one_sentence(cube: Sandbox, bookmark: object) -> None:
    """A damaged state is said to be one, with what to do about it."""
    run = run_in_process(settings_for(cube, **only(CRM)), state=state_with(bookmark))
    assert run.returncode != 0
    assert "the state holds a bookmark that is not a date" in complaint(run)


def test_a_killed_run_goes_on_from_its_last_state(cube: Sandbox) -> None:
    """SIGKILL in the middle: what both runs wrote is together all that the account holds."""
    cube.reset(customers=40, page_size=5, delay=0.02)
    expected = {(crm, i) for crm in cube.account.crms for i in cube.account.customer_ids(crm)}
    settings = settings_for(cube, assignment_ids=[])
    messages = []
    with started_tap(settings) as process:
        assert process.stdout is not None
        for line in process.stdout:
            messages.append(json.loads(line))
            if sum(m["type"] == "RECORD" and m["stream"] == CUSTOMERS for m in messages) > 60:
                os.kill(process.pid, signal.SIGKILL)
                break
    states = [m["value"] for m in messages if m["type"] == "STATE"]
    written = [m["record"] for m in messages if m["type"] == "RECORD" and m["stream"] == CUSTOMERS]
    assert 60 < len(written) < len(expected)
    cube.delay = 0.0
    second = sync(cube, state=states[-1], assignment_ids=[])
    found = {
        ((r["data_owner_id"], r["crm_type"]), r["customer_id"])
        for r in [*written, *second.records[CUSTOMERS]]
    }
    assert found == expected
