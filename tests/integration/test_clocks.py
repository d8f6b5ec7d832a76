"""Whatever the account's clock shows, each change arrives with the next run at the latest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

import pytest

from tap_cube.tap import TapCube
from tests.integration.conftest import TODAY
from tests.support.event_runs import (
    CALLFLOW,
    DAY,
    MERSALG,
    OSLO,
    OUTCOMES,
    at,
    begin,
    marks,
    night,
)
from tests.support.runs import CRM, CUSTOMERS, bookmarks, only, read_at
from tests.support.strange_server import pages

if TYPE_CHECKING:
    from cube_sandbox import Request, Sandbox
    from tests.support.tap_process import TapRun

STATE = "callflow__callstate__name"


class Clock:
    """An account's clock that is wrong, and an account that is edited while it is read.

    When page 2 of the call states is requested, a customer of page 1 has just been called, and two
    minutes later one of page 2.
    """

    def __init__(self, cube: Sandbox, now: datetime, ahead: timedelta, zone: tzinfo) -> None:
        """Watch the requests of a run that begins now."""
        self._cube, self._now, self._ahead, self._zone = cube, now, ahead, zone
        self._has_called = False
        cube.before_request = self._see

    def _see(self, request: Request) -> None:
        if (request.row, request.page) == ("C6", 2) and not self._has_called:
            self._has_called = True
            first, _, third, _ = self._cube.account.customer_ids(CRM)
            for customer in (first, third):
                self._now += timedelta(minutes=2)
                self._cube.account.set_call_state(
                    MERSALG, customer, state="Called", when=self._shown
                )
        self._cube.now = self._now + self._ahead

    @property
    def _shown(self) -> datetime:
        """The wall clock that the account shows; readers take it for local time."""
        return (self._now + self._ahead).astimezone(self._zone).replace(tzinfo=OSLO)


def states(run: TapRun) -> dict[str, str]:
    """The states that a run emitted, by customer."""
    return {r["customer_id"]: r[STATE] for r in run.records[CALLFLOW]}


@pytest.mark.parametrize(
    ("minutes", "zone", "lookback"),
    [(-5, OSLO, 0), (5, OSLO, 0), (0, UTC, 2), (-5, UTC, 2), (-50, OSLO, 0)],
)
def test_a_change_behind_the_reader_arrives_with_the_next_run(
    cube: Sandbox, minutes: int, zone: tzinfo, lookback: int
) -> None:
    """The bookmark stays before the first page, by the clock that dates the changes."""
    begin(cube, page_size=2)
    customers = cube.account.customer_ids(CRM)
    for customer in customers:
        cube.account.set_call_state(MERSALG, customer, state="Ready", when=at(TODAY - 9 * DAY))
    Clock(cube, at(TODAY, "12:00:30"), timedelta(minutes=minutes), zone)
    first = night(cube, TODAY, hour="12:00:30", read_ahead=0)
    second = night(cube, TODAY + DAY, state=first.state, lookback_days=lookback)
    assert states(first)[customers[0]] == "Ready"
    assert states(second) == {customers[0]: "Called", customers[2]: "Called"}


@pytest.mark.parametrize(("minutes", "last_day"), [(-5, TODAY - DAY), (0, TODAY)])
def test_the_last_day_of_events_is_that_of_the_account(
    cube: Sandbox, minutes: int, last_day: datetime
) -> None:
    """Shortly after midnight by the runner's clock, the account may still be in yesterday."""
    begin(cube, page_size=2)
    cube.account.add_outcome(MERSALG, when=at(TODAY - 9 * DAY))
    Clock(cube, at(TODAY, "00:02:30"), timedelta(minutes=minutes), OSLO)
    run = night(cube, TODAY, hour="00:02:30")
    assert marks(run, OUTCOMES) == {MERSALG: str(last_day)}


@pytest.mark.parametrize("years", [-40, -14])
def test_a_clock_that_is_years_behind_hides_no_event(cube: Sandbox, years: int) -> None:
    """Whatever it shows, today's events are requested, and the next night misses nothing."""
    begin(cube)
    Clock(cube, at(TODAY, "12:00"), timedelta(days=365 * years), OSLO)
    cube.account.add_outcome(MERSALG, when=at(TODAY - 9 * DAY))
    first = night(cube, TODAY, hour="12:00")
    cube.before_request = None
    cube.account.add_outcome(MERSALG, when=at(TODAY, "13:00"))
    second = night(cube, TODAY + DAY, state=first.state)
    assert len(first.records[OUTCOMES]) == 1
    assert max(r["submitted_at"] for r in second.records[OUTCOMES]) > str(TODAY)


def test_without_a_date_the_runners_clock_counts_less_a_margin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A row of the new day does not say that the day began before the page was read."""
    moment = at(TODAY, "00:05").timestamp()
    monkeypatch.setattr(TapCube, "initialized_at", int(moment * 1000))
    rows = [{"crm__customer_id": str(n), "crm__change_log__updated": str(TODAY)} for n in range(3)]
    with pages(lambda _: {"count": 3, "next": None, "results": rows}) as server:
        server.is_dated = False
        run = read_at(server.url, **only(CRM))
    assert len(run.records[CUSTOMERS]) == 3
    assert bookmarks(run) == {CRM: str(TODAY - DAY)}
