"""Times of outcomes and registrations: exact or by the minute, at midnight, when clocks change."""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING

import pytest

from cube_sandbox import Traps
from tests.integration.conftest import TODAY
from tests.support.event_runs import (
    DAY,
    MERSALG,
    OUTCOMES,
    at,
    begin,
    by_key,
    night,
)
from tests.support.in_process import run_in_process
from tests.support.sizes import scaled
from tests.support.strange_server import pages

if TYPE_CHECKING:
    from cube_sandbox import Sandbox


def test_an_account_without_timestamps_has_times_by_the_minute(cube: Sandbox) -> None:
    """Minutes without offset are local; a timestamp is exact."""
    begin(cube)
    cube.account.add_outcome(MERSALG, when=at(TODAY, "10:27:06.477"))
    exact = night(cube).records[OUTCOMES]
    cube.traps = Traps(no_timestamps=True)
    by_minute = night(cube).records[OUTCOMES]
    assert [r["submitted_at"] for r in exact] == [f"{TODAY}T08:27:06.477000+00:00"]
    assert [r["submitted_at"] for r in by_minute] == [f"{TODAY}T08:27:00+00:00"]
    assert "call_outcome__report_as__submitted_when" in by_minute[0]


MINUTES = {
    "Europe/Oslo": {
        "2023-10-29T01:30": "2023-10-28T23:30",
        "2023-10-29T03:00": "2023-10-29T02:00",
        "2023-12-31T23:59": "2023-12-31T22:59",
        "2024-01-01T00:00": "2023-12-31T23:00",
        "2024-03-31T01:59": "2024-03-31T00:59",
        "2024-03-31T03:00": "2024-03-31T01:00",
    },
    "Europe/Helsinki": {"2023-12-31T23:59": "2023-12-31T21:59"},
}


@pytest.mark.parametrize("zone", MINUTES)
def test_minutes_are_local_and_become_utc(cube: Sandbox, zone: str) -> None:
    """They are of the zone of the settings, in winter, in summer and around changes."""
    begin(cube, traps=Traps(no_timestamps=True))
    for minute in MINUTES[zone]:
        day, _, time = minute.partition("T")
        cube.account.add_outcome(MERSALG, when=at(TODAY.fromisoformat(day), time))
    run = night(cube, TODAY, timezone=zone)
    assert [r["submitted_at"] for r in run.records[OUTCOMES]] == [
        f"{minute}:00+00:00" for minute in MINUTES[zone].values()
    ]


@pytest.mark.parametrize(
    ("day", "began"),
    [
        ("2023-12-31", "00:00:30"),
        ("2024-03-31", "23:59:30"),
        *scaled([], [("2023-12-15", "23:59:30"), ("2023-10-29", "00:00:30")]),
    ],
)
def test_no_call_is_lost_at_the_end_of_a_day(cube: Sandbox, day: str, began: str) -> None:
    """Without lookback, a call of the last minute is read today or tomorrow, with one key."""
    begin(cube)
    today = TODAY.fromisoformat(day)
    cube.account.add_outcome(MERSALG, when=at(today - 5 * DAY))
    moments = [
        at(today - DAY, "23:59:59"),
        at(today, "00:00"),
        at(today, "03:00"),
        at(today, "23:59:59"),
        at(today + DAY, "00:00"),
    ]
    first = night(cube, today, hour=began, lookback_days=0)
    for moment in moments:
        cube.account.add_outcome(MERSALG, when=moment)
    second = night(cube, today + DAY, hour=began, state=first.state, lookback_days=0)
    third = night(cube, today + 2 * DAY, hour=began, state=second.state, lookback_days=0)
    # The first run had ended when the first call of yesterday was entered.
    assert [r["submitted_at"][:16] for r in second.records[OUTCOMES]] == [
        f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M}" for moment in moments[1:]
    ]
    last = [by_key([record]).popitem() for record in second.records[OUTCOMES][-1:]]
    assert list(by_key(third.records[OUTCOMES]).items()) == last


def test_times_in_the_repeated_hour_are_an_hour_apart(cube: Sandbox) -> None:
    """When clocks go back, two calls with the same minute stay two rows."""
    begin(cube)
    for offset in ("+02:00", "+01:00"):
        moment = at(TODAY).fromisoformat(f"2023-10-29T02:30:00{offset}")
        cube.account.add_outcome(MERSALG, when=moment)
    exact = night(cube).records[OUTCOMES]
    cube.traps = Traps(no_timestamps=True)
    by_minute = by_key(night(cube).records[OUTCOMES])
    assert [r["submitted_at"] for r in exact] == [
        "2023-10-29T00:30:00+00:00",
        "2023-10-29T01:30:00+00:00",
    ]
    assert len(by_minute) == 2


@pytest.mark.parametrize("timestamp", ["kl. 10.27", 5, ["2024-05-17"], "0001-01-01T00:00:00"])
def test_a_minute_stands_for_a_timestamp_that_cannot_be_read(timestamp: object) -> None:
    """The time of an event is the most precise one that is right; the other one is kept."""
    name = "call_outcome__report_as__submitted_when"
    row = {f"{name}_timestamp": timestamp, name: "17.05.2024 10.27"}
    with pages(lambda _: {"count": 1, "next": None, "results": [row]}) as server:
        server.path = "/api/v1/call_outcomes/"
        settings = {"api_url": server.url, "auth_token": "t", "start_date": "2024-05-01"}
        (record,) = run_in_process(settings).records[OUTCOMES]
    assert record["submitted_at"] == record[name] == "2024-05-17T08:27:00+00:00"
    assert json.loads(record["unparsed_values"]) == {f"{name}_timestamp": timestamp}
