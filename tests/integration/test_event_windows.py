"""Events are requested in windows of days, from the bookmark of the last run on."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault
from tap_cube.paging.windows import MAX_PAGES, MIN_DATE, Window
from tests.integration.conftest import TODAY
from tests.support.event_runs import (
    ARCHIVED,
    DAY,
    MERSALG,
    ONE_CRM,
    OUTCOMES,
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
    from collections.abc import Iterable

    from cube_sandbox import Request, Sandbox

TWO_YEARS = timedelta(days=730)
ROWS = {"C9": OUTCOMES, "C11": REGISTRATIONS}
EMPTY = '{"count": 0, "next": null, "results": []}'
PATH = f"/api/v1/campaigns/{MERSALG}/call_outcomes/"


def test_windows_are_small_and_have_both_dates(cube: Sandbox) -> None:
    """A long first load is split by the server's `count`, down to single days."""
    begin(cube, page_size=5)
    cube.account.add_outcomes(MERSALG, 400, TODAY - TWO_YEARS, TODAY)
    cube.account.add_outcomes(MERSALG, 150, TODAY - DAY, TODAY - DAY)
    run = night(cube)
    assert len(by_key(run.records[OUTCOMES])) == cube.account.outcome_count(MERSALG) == 550
    pages: dict[Window, int] = defaultdict(int)
    for question in questions(cube, "C9", "C11"):
        assert question.first is not None
        assert question.last is not None
        window = Window(question.first, question.last)
        pages[window] = max(pages[window], question.page)
    yesterday = Window(TODAY - DAY, TODAY - DAY)
    assert {window for window, last in pages.items() if last > MAX_PAGES} == {yesterday}
    assert min(pages).first == MIN_DATE
    assert max(window.last for window in pages) == TODAY


def test_state_moves_after_each_window(cube: Sandbox) -> None:
    """A state covers exactly the windows that are complete."""
    begin(cube, page_size=5)
    cube.account.add_outcomes(MERSALG, 300, TODAY - TWO_YEARS, TODAY)
    run = night(cube, read_ahead=0)
    reached, missing = "", by_key(run.records[OUTCOMES])
    days = {record["submitted_at"][:10] for record in missing.values()}
    steps = []
    for message in run.messages:
        if message["type"] == "RECORD" and message["stream"] == OUTCOMES:
            record = message["record"]
            # A window has no rows of days that the state covers.
            assert record["submitted_at"][:10] > reached
            del missing[record["call_outcome_key"]]
        elif message["type"] == "STATE":
            read = days_read(message["value"]).get(MERSALG)
            if read and str(read) != reached:
                reached = str(read)
                steps.append(reached)
            late = [r for r in missing.values() if r["submitted_at"][:10] <= reached]
            assert not late
    windows = [
        (str(window.first), str(window.last))
        for window in _finished(q.days for q in questions(cube, "C9") if q.path == PATH)
    ]
    with_rows = [last for first, last in windows if any(first <= day <= last for day in days)]
    assert len(with_rows) > 3
    assert steps == with_rows
    assert reached == TODAY.isoformat()


def _finished(requested: Iterable[tuple[date | None, date | None]]) -> list[Window]:
    """The windows that were read, without those that were split."""
    windows = sorted({Window(first, last) for first, last in requested if first and last})
    return [
        window
        for window in windows
        if not any(
            window.first <= other.first and other.last <= window.last and other != window
            for other in windows
        )
    ]


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
        requested[day] = [q.days for q in questions(cube, "C9") if q.path == PATH]
    assert {day for day, windows in requested.items() if windows} == {1, 2, 3, 4, 5}
    assert days_read(state or {})[MERSALG] == TODAY + 5 * DAY
    cube.account.archive(MERSALG, TODAY + 99 * DAY)
    cube.account.add_outcome(MERSALG, when=at(TODAY + 20 * DAY), type="Reopened")
    again = night(cube, TODAY + 30 * DAY, state=state)
    assert [r["call_outcome__type"] for r in again.records[OUTCOMES]] == ["Reopened"]
    assert {q.days for q in questions(cube, "C9") if q.path == PATH} == {
        (TODAY + 3 * DAY, TODAY + 30 * DAY)
    }


def test_a_campaign_that_seems_empty_for_a_night_is_read_again(cube: Sandbox) -> None:
    """An empty list may be a mistake: it moves no bookmark, unless two nights agree."""
    begin(cube)
    cube.account.add_outcome(MERSALG, when=at(TODAY - 9 * DAY))
    cube.account.add_outcome(ARCHIVED, when=at(TODAY - 99 * DAY))
    empty = Fault("empty-list", row="C9", body=EMPTY)
    first = night(cube, TODAY, discovered=lambda: cube.faults.append(empty))
    cube.faults.clear()
    assert (first.records[OUTCOMES], marks(first)) == ([], {})
    second = night(cube, TODAY + DAY, state=first.state)
    assert {r["campaign__id"] for r in second.records[OUTCOMES]} == {MERSALG, ARCHIVED}
    night(cube, TODAY + 2 * DAY, state=second.state)
    assert {q.path for q in questions(cube, "C9")} == {PATH}


def test_a_part_of_the_days_that_seems_empty_is_asked_for_again(cube: Sandbox) -> None:
    """The bookmark passes it when the days after it were read, so one answer is not enough."""
    begin(cube, page_size=5)
    cube.account.add_outcomes(MERSALG, 300, TODAY - TWO_YEARS, TODAY)
    empty = Fault("empty-list", row="C9", times=1, body=EMPTY)

    def see(request: Request) -> None:
        if f"from_date={(TODAY - TWO_YEARS).year}" in request.query:
            cube.before_request = None
            cube.faults.append(empty)

    run = night(cube, read_ahead=0, discovered=lambda: setattr(cube, "before_request", see))
    assert not cube.before_request
    assert len(by_key(run.records[OUTCOMES])) == 300


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
    assert complaint(run).startswith(f"{OUTCOMES}: the state holds a bookmark that is not a date")


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
