"""A first load of two years that is killed several times."""

from __future__ import annotations

import json
import os
import signal
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tap_cube.paging.windows import MIN_DATE
from tests.support.event_runs import (
    DAY,
    KEYS,
    MERSALG,
    ONE_CRM,
    OUTCOMES,
    REGISTRATIONS,
    begin,
    by_key,
    days_read,
    questions,
)
from tests.support.runs import read, settings_for
from tests.support.sizes import only_large
from tests.support.tap_process import started_tap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cube_sandbox import Sandbox

pytestmark = pytest.mark.slow

TWO_YEARS = timedelta(days=730)
AMOUNT = 160
KILLED_AFTER = 120
ROWS = {"C9": OUTCOMES, "C11": REGISTRATIONS}


def two_years(cube: Sandbox) -> list[int]:
    """Add sales of the last two years to three campaigns of one CRM."""
    begin(cube, today=None, page_size=5)
    campaigns = [MERSALG, *(cube.account.add_campaign((2, "B2B"), f"Kampanje {n}") for n in "AB")]
    for campaign in campaigns:
        cube.account.add_outcomes(campaign, AMOUNT, cube.day - TWO_YEARS, cube.day - DAY)
        for outcome in cube.account.outcomes(campaign):
            cube.account.register(outcome, "SECOND")
    return campaigns


@only_large
def test_two_years_are_complete_after_three_killed_runs(cube: Sandbox) -> None:
    """Each run resumes from the stored state; together they write the complete account."""
    campaigns = two_years(cube)
    complete = read(cube, **ONE_CRM)
    expected = {stream: by_key(complete.records[stream], stream) for stream in ROWS.values()}
    cost_of_one_run = len(questions(cube, *ROWS))
    state: Mapping[str, Any] = {}
    written: dict[str, list[dict[str, Any]]] = defaultdict(list)
    costs = []
    for killed_in in (OUTCOMES, OUTCOMES, REGISTRATIONS, None):
        cube.requests.clear()
        before = {stream: days_read(state, stream) for stream in ROWS.values()}
        state = _read_until_killed(cube, state, killed_in, written)
        requests = questions(cube, *ROWS)
        costs.append(len(requests))
        for question in requests:
            days = before[ROWS[question.row]]
            read_before = days.get(int(question.path.split("/")[4]), MIN_DATE)
            assert question.first is not None
            assert question.first >= max(MIN_DATE, read_before - 2 * DAY)
        assert {stream: days_read(state, stream) for stream in ROWS.values()} != before
    assert len(expected[OUTCOMES]) == AMOUNT * len(campaigns)
    assert len(expected[REGISTRATIONS]) == cube.account.registration_count()
    for stream, records in written.items():
        assert by_key(records, stream) == expected[stream]
        # A window that was read twice has the same records twice.
        assert all(record == expected[stream][record[KEYS[stream]]] for record in records)
    assert written.keys() == expected.keys()
    assert sum(costs) < 2 * cost_of_one_run
    assert costs[-1] < cost_of_one_run / 2


def _read_until_killed(
    cube: Sandbox,
    state: Mapping[str, Any],
    killed_in: str | None,
    written: Mapping[str, list[dict[str, Any]]],
) -> Mapping[str, Any]:
    """Collect what a run writes until it is killed in a stream; return its last state."""
    number = 0
    with started_tap(settings_for(cube, **ONE_CRM), state=state) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if not line.endswith(b"\n"):
                break
            message = json.loads(line)
            if message["type"] == "STATE":
                state = message["value"]
            elif message["type"] == "RECORD" and message["stream"] in ROWS.values():
                written[message["stream"]].append(message["record"])
                number += message["stream"] == killed_in
                if number == KILLED_AFTER:
                    os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert process.returncode == (-signal.SIGKILL if killed_in else 0)
    return state
