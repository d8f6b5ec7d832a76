"""State across runs: changed rows are emitted, unchanged rows are not, nothing is lost."""

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
    ids,
    only,
    settings_for,
    sync,
)
from tests.support.tap_process import started_tap

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

LATEST = TODAY + timedelta(days=3)
"""A day after all generated ones, so that only changes of this day are emitted again."""


def test_the_day_of_the_bookmark_is_emitted_again(cube: Sandbox) -> None:
    """Cube gives only the date of a change, so rows of the last day are emitted twice."""
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


def test_only_changed_and_new_rows_are_emitted(cube: Sandbox) -> None:
    """After a load, a run emits an edited customer, an added one and the bookmark's day."""
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


def test_a_change_through_the_api_is_emitted_by_the_next_run(cube: Sandbox) -> None:
    """A write through the API updates the date, so the next run emits the new value."""
    first = sync(cube, assignment_ids=[9], data_owners=[])
    customer = cube.account.customer_ids(9)[0]
    response = requests.put(
        f"{cube.url}/api/v1/assignments/9/customers/{customer}",
        json={"crm__standard_info__phone_2": "90000001"},
        headers={"Authorization": f"Token {cube.token}"},
        timeout=300,
    )
    assert response.status_code == 200
    second = sync(cube, state=first.state, assignment_ids=[9], data_owners=[])
    found = {r["customer_id"]: r for r in second.records[ASSIGNED]}
    assert found[customer]["crm__standard_info__phone_2"] == "90000001"


def test_rows_without_a_date_are_always_emitted(cube: Sandbox) -> None:
    """A row without a date may have changed, so every run emits it."""
    cube.reset(undated=3)
    undated = set(cube.account.customer_ids(CRM)[:3])
    first = sync(cube, **only(CRM))
    second = sync(cube, state=first.state, **only(CRM))
    assert {r["customer_id"] for r in second.records[CUSTOMERS] if r["updated"] is None} == undated
    assert len(second.records[CUSTOMERS]) < 12


def test_a_date_in_the_future_does_not_move_the_bookmark_there(cube: Sandbox) -> None:
    """A date of 2099 is emitted unchanged; the bookmark is today; later changes are emitted."""
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


def test_a_bookmark_in_the_future_does_not_hide_changes(cube: Sandbox) -> None:
    """A bookmark in the future counts as today."""
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


def test_each_assignment_has_its_own_bookmark(cube: Sandbox) -> None:
    """A late change in one assignment does not hide an earlier one in another."""
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
    """When the newest row is deleted, the bookmark stays the same."""
    newest = cube.account.add_customer(CRM, updated=LATEST)
    first = sync(cube, **only(CRM))
    cube.account.delete_customer(CRM, newest)
    second = sync(cube, state=first.state, **only(CRM))
    assert second.records[CUSTOMERS] == []
    assert bookmarks(second) == bookmarks(first) == {CRM: LATEST.isoformat()}


def test_customers_before_the_start_date_are_skipped(cube: Sandbox) -> None:
    """`start_date` applies to the first run; later runs start at their bookmark."""
    start = (TODAY - timedelta(days=300)).isoformat()
    everything = sync(cube, **only(CRM)).records[CUSTOMERS]
    run = sync(cube, start_date=f"{start}T00:00:00Z", **only(CRM))
    assert run.records[CUSTOMERS] == [r for r in everything if r["updated"] >= start]
    assert 0 < len(run.records[CUSTOMERS]) < 12


def test_a_start_date_after_every_change_gives_a_usable_state(cube: Sandbox) -> None:
    """A run with nothing to emit succeeds, and the next change is emitted."""
    start = (TODAY + timedelta(days=1)).isoformat()
    first = sync(cube, start_date=start, **only(CRM))
    assert first.records[CUSTOMERS] == []
    added = cube.account.add_customer(CRM, updated=LATEST)
    second = sync(cube, start_date=start, state=first.state, **only(CRM))
    assert ids(second.records[CUSTOMERS]) == {added}


def test_without_a_change_log_every_run_is_a_full_load(cube: Sandbox) -> None:
    """If no row has a date, each run emits all, and logs it once per stream."""
    cube.reset(change_log=False)
    first = sync(cube)
    second = sync(cube, state=first.state)
    for stream, rows in ((CUSTOMERS, 36), (ASSIGNED, 24)):
        assert len(second.records[stream]) == len(first.records[stream]) == rows
    for run in (first, second):
        lines = [line for line in run.stderr.splitlines() if "every run is a full load" in line]
        assert len(lines) == 2  # once for each of the two streams


@pytest.mark.parametrize("start", [{}, {"start_date": "2023-01-01"}], ids=["", "from a date"])
@pytest.mark.parametrize("bookmark", [20240515, "20240515", "2024-W20-3", "20240515T10"], ids=repr)
def test_a_bookmark_is_a_date_in_any_spelling(
    cube: Sandbox, bookmark: object, start: dict[str, str]
) -> None:
    """It is compared by what it means, and the next one is written as usual."""
    older, newer, *_ = cube.account.customer_ids(CRM)
    for customer, day in ((older, 12), (newer, 13)):
        cube.account.update_customer(CRM, customer, updated=date(2024, 5, day))
    cube.account.add_customer(CRM, updated=LATEST)
    settings = settings_for(cube, **only(CRM), **start)
    run = run_in_process(settings, state=state_with(bookmark))
    assert run.returncode == 0, run.stderr
    found = {r["customer_id"] for r in run.records[CUSTOMERS]}
    assert (newer in found, older in found) == (True, False)
    assert bookmarks(run) == {CRM: LATEST.isoformat()}


@pytest.mark.parametrize("days", [0, 1, 2, 30])
def test_a_bookmark_ahead_of_the_accounts_clock_hides_nothing(cube: Sandbox, days: int) -> None:
    """By a day it counts as now, since clocks differ; by more it is ignored."""
    now = datetime.combine(TODAY, datetime.min.time(), tzinfo=UTC)
    customer = cube.account.add_customer(CRM, updated=TODAY)
    cube.now = now
    bookmark = (TODAY + timedelta(days=days)).isoformat()
    settings = settings_for(cube, **only(CRM), lookback_days=0)
    run = run_in_process(settings, state=state_with(bookmark))
    assert run.returncode == 0, run.stderr
    assert customer in ids(run.records[CUSTOMERS])
    assert (len(run.records[CUSTOMERS]) == 13) is (days > 1)
    assert ("is in the future" in run.stderr) is (days > 1)


def test_the_run_after_a_killed_one_resumes_from_its_last_state(cube: Sandbox) -> None:
    """After SIGKILL, both runs together have written every row of the account."""
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
