"""Which days of events a run requests: from the bookmark of the last run on, less the lookback."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault
from tests.integration.conftest import TODAY
from tests.support.event_runs import (
    ARCHIVED,
    DAY,
    EMPTY_PAGE,
    MERSALG,
    ONE_CRM,
    OUTCOMES,
    OUTCOMES_PATH,
    REGISTRATIONS,
    at,
    begin,
    by_key,
    days_read,
    marks,
    night,
    questions,
    try_night,
)
from tests.support.in_process import run_in_process
from tests.support.runs import complaint, settings_for
from tests.support.sizes import scaled

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

ROWS = {"C9": OUTCOMES, "C11": REGISTRATIONS}


@pytest.mark.parametrize("lookback", scaled([0, 30], [0, 2, 30]))
def test_the_second_run_starts_at_the_bookmark_less_the_lookback(
    cube: Sandbox, lookback: int
) -> None:
    """The day of the bookmark was not over when it was read, so it is always read again."""
    begin(cube)
    for days in range(40):
        cube.account.add_outcome(MERSALG, when=at(TODAY - days * DAY), product="MPA")
    cube.account.add_outcome(ARCHIVED, when=at(TODAY - 99 * DAY), product="MPA")
    first = night(cube, TODAY)
    assert len(first.records[OUTCOMES]) == 41
    second = night(cube, TODAY + DAY, state=first.state, lookback_days=lookback)
    assert {q.days for q in questions(cube, "C9", "C11")} == {(TODAY - lookback * DAY, TODAY + DAY)}
    assert len(second.records[OUTCOMES]) == lookback + 1
    assert marks(first) == {MERSALG: TODAY.isoformat(), ARCHIVED: TODAY.isoformat()}
    # The archived one was not requested again.
    assert marks(second) == {MERSALG: (TODAY + DAY).isoformat(), ARCHIVED: TODAY.isoformat()}


def test_an_outcome_added_late_is_read_within_the_lookback(cube: Sandbox) -> None:
    """Outcomes added for days before the lookback are not read."""
    begin(cube)
    cube.account.add_outcome(MERSALG, when=at(TODAY - 5 * DAY), type="First")
    first = night(cube, TODAY)
    cube.account.add_outcome(MERSALG, when=at(TODAY - DAY), type="Late")
    cube.account.add_outcome(MERSALG, when=at(TODAY - 9 * DAY), type="Old")
    second = night(cube, TODAY + DAY, state=first.state)
    assert [r["call_outcome__type"] for r in second.records[OUTCOMES]] == ["Late"]


def test_nothing_before_the_start_date_is_requested(cube: Sandbox) -> None:
    """`start_date` is the first day of events; later runs start at their bookmark."""
    begin(cube)
    for days in (0, 10, 11):
        cube.account.add_outcome(MERSALG, when=at(TODAY - days * DAY), product="MPA")
    start = TODAY - 10 * DAY
    first = night(cube, TODAY, start_date=f"{start}T00:00:00+02:00")
    assert {q.days for q in questions(cube, "C9", "C11")} == {(start, TODAY)}
    assert len(first.records[OUTCOMES]) == 2
    night(cube, TODAY + DAY, state=first.state, start_date=start.isoformat())
    assert {q.first for q in questions(cube, "C9", "C11")} == {TODAY - 2 * DAY}


@pytest.mark.parametrize(("days", "is_requested"), [(0, True), (1, False)])
def test_a_campaign_archived_before_the_start_date_is_not_requested(
    cube: Sandbox, *, days: int, is_requested: bool
) -> None:
    """It can have events on its last day, but none later."""
    begin(cube)
    end = TODAY - 9 * DAY
    cube.account.archive(ARCHIVED, end)
    for campaign in (MERSALG, ARCHIVED):
        cube.account.add_outcome(campaign, when=at(end), product="MPA")
    run = night(cube, TODAY, start_date=(end + days * DAY).isoformat())
    for row, stream in ROWS.items():
        expected = {MERSALG, ARCHIVED} if is_requested else {MERSALG}
        requested = {int(q.path.split("/")[4]) for q in questions(cube, row)}
        assert requested == expected
        assert {r["campaign__id"] for r in run.records[stream]} == (
            expected if is_requested else set()
        )


def test_an_archived_campaign_is_not_requested_until_it_is_reopened(cube: Sandbox) -> None:
    """When its last days were empty twice it is skipped; when it is reopened, no day is missing."""
    begin(cube)
    cube.account.add_outcome(MERSALG, when=at(TODAY))
    cube.account.archive(MERSALG, TODAY + DAY)
    first = night(cube, TODAY)
    requested = {}
    state = first.state
    for day in range(1, 8):
        state = night(cube, TODAY + day * DAY, state=state).state
        requested[day] = [q.days for q in questions(cube, "C9") if q.path == OUTCOMES_PATH]
    assert {day for day, windows in requested.items() if windows} == {1, 2, 3, 4, 5}
    assert days_read(state or {})[MERSALG] == TODAY + 5 * DAY
    cube.account.archive(MERSALG, TODAY + 99 * DAY)
    cube.account.add_outcome(MERSALG, when=at(TODAY + 20 * DAY), type="Reopened")
    again = night(cube, TODAY + 30 * DAY, state=state)
    assert [r["call_outcome__type"] for r in again.records[OUTCOMES]] == ["Reopened"]
    assert {q.days for q in questions(cube, "C9") if q.path == OUTCOMES_PATH} == {
        (TODAY + 3 * DAY, TODAY + 30 * DAY)
    }


def test_a_campaign_that_seems_empty_for_a_night_is_read_again(cube: Sandbox) -> None:
    """An empty list may be a mistake: it moves no bookmark, unless two nights agree."""
    begin(cube)
    cube.account.add_outcome(MERSALG, when=at(TODAY - 9 * DAY))
    cube.account.add_outcome(ARCHIVED, when=at(TODAY - 99 * DAY))
    empty = Fault("empty-list", row="C9", body=EMPTY_PAGE)
    first = night(cube, TODAY, discovered=lambda: cube.faults.append(empty))
    cube.faults.clear()
    assert (first.records[OUTCOMES], marks(first)) == ([], {})
    second = night(cube, TODAY + DAY, state=first.state)
    assert {r["campaign__id"] for r in second.records[OUTCOMES]} == {MERSALG, ARCHIVED}
    night(cube, TODAY + 2 * DAY, state=second.state)
    assert {q.path for q in questions(cube, "C9")} == {OUTCOMES_PATH}


def test_a_bookmark_in_the_future_is_ignored(cube: Sandbox) -> None:
    """Everything is read once, and the new bookmark is valid."""
    begin(cube)
    cube.account.add_outcome(MERSALG, when=at(TODAY - 50 * DAY))
    # The bookmark must move back, which the checker of messages would reject.
    run = run_in_process(settings_for(cube, **ONE_CRM), state=state_with("2099-01-01"))
    assert run.returncode == 0, run.stderr
    assert len(run.records[OUTCOMES]) == 1
    assert marks(run)[MERSALG] < "2099"


@pytest.mark.parametrize("bookmark", ["last week", 7, ""])
def test_a_bookmark_that_is_not_a_date_is_rejected(cube: Sandbox, bookmark: object) -> None:
    """The error says that the state is damaged."""
    begin(cube)
    run = try_night(cube, state=state_with(bookmark))
    assert f": {OUTCOMES}: the state holds a bookmark that is not a date" in complaint(run)


def state_with(bookmark: object) -> dict[str, Any]:
    """Make a state with one bookmark of a campaign."""
    part = {
        "context": {"campaign__id": MERSALG},
        "replication_key": "submitted_at",
        "replication_key_value": bookmark,
    }
    return {"bookmarks": {OUTCOMES: {"partitions": [part]}}}


def test_without_a_bookmark_every_day_is_requested(cube: Sandbox) -> None:
    """The first day of an account is unknown; a window without events costs one request."""
    begin(cube)
    old = at(date(2003, 2, 1))
    cube.account.add_outcome(MERSALG, when=old, product="MPA")
    run = night(cube)
    for stream in (OUTCOMES, REGISTRATIONS):
        assert [r["submitted_at"][:10] for r in run.records[stream]] == ["2003-02-01"]
    assert len(questions(cube, "C9")) == len(questions(cube, "C11")) == 2


def test_rows_out_of_order_all_arrive(cube: Sandbox) -> None:
    """Outcomes entered late come last; the bookmark is the last day read, not the last row."""
    begin(cube, page_size=3)
    for days in (5, 1, 9, 0, 7, 3, 2, 8, 4, 6):
        cube.account.add_outcome(MERSALG, when=at(TODAY - days * DAY))
    first = night(cube, TODAY)
    assert len(by_key(first.records[OUTCOMES])) == 10
    assert marks(first)[MERSALG] == TODAY.isoformat()
    second = night(cube, TODAY + DAY, state=first.state)
    assert sorted(r["submitted_at"][:10] for r in second.records[OUTCOMES]) == [
        str(TODAY - days * DAY) for days in (2, 1, 0)
    ]
