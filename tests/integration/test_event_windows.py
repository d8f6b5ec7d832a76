"""Events are requested in windows of days, and a state covers exactly those that are complete."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault
from tap_cube.paging.windows import MAX_PAGES, MIN_DATE, Window
from tests.integration.conftest import TODAY
from tests.support.event_runs import (
    DAY,
    EMPTY_PAGE,
    MERSALG,
    OUTCOMES,
    OUTCOMES_PATH,
    begin,
    by_key,
    days_read,
    night,
    questions,
)
from tests.support.in_process import run_in_process
from tests.support.runs import complaint, settings_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cube_sandbox import Request, Sandbox

TWO_YEARS = timedelta(days=730)


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
        for window in _finished(q.days for q in questions(cube, "C9") if q.path == OUTCOMES_PATH)
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


def test_a_part_of_the_days_that_seems_empty_is_asked_for_again(cube: Sandbox) -> None:
    """The bookmark passes it when the days after it were read, so one answer is not enough."""
    begin(cube, page_size=5)
    cube.account.add_outcomes(MERSALG, 300, TODAY - TWO_YEARS, TODAY)
    empty = Fault("empty-list", row="C9", times=1, body=EMPTY_PAGE)

    def see(request: Request) -> None:
        if f"from_date={(TODAY - TWO_YEARS).year}" in request.query:
            cube.before_request = None
            cube.faults.append(empty)

    run = night(cube, read_ahead=0, discovered=lambda: setattr(cube, "before_request", see))
    assert not cube.before_request
    assert len(by_key(run.records[OUTCOMES])) == 300


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"start_date": "2099-01-01"}, "Setting 'start_date' is in the future"),
        ({"timezone": "Europe/Atlantis"}, "Setting 'timezone' must be an IANA zone name"),
    ],
)
def test_settings_that_give_no_valid_window_are_rejected(
    cube: Sandbox, settings: dict[str, Any], words: str
) -> None:
    """The run fails before the first request, in a sentence that names the setting."""
    begin(cube)
    assert complaint(run_in_process(settings_for(cube, **settings))).startswith(words)
    assert not cube.requests
