"""After HTTP 429 or 503 the tap requests one page at a time for a while."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault
from tap_cube.http import client
from tests.integration.test_read_ahead_runs import Flight
from tests.support.breaking import assert_complete
from tests.support.runs import CRM, CUSTOMERS, ids, only, read
from tests.support.sizes import by_turns

if TYPE_CHECKING:
    from cube_sandbox import Request, Sandbox

LATER = 9
"""A page that is requested only after all that were prefetched before page 3 failed."""

UNTHROTTLED = 14
"""The page whose request moves the clock past the throttled time."""


@pytest.mark.parametrize(("kind", "share"), by_turns(["429", "503"], [0.6, 0.2]))
def test_many_refused_requests_lose_no_row(cube: Sandbox, kind: Any, share: float) -> None:  # noqa: ANN401 - kind
    """The tap retries until it has all rows, although the server refuses many requests."""
    fault = Fault(kind, share=share, retry_after=0)
    cube.reset(customers=30, faults=[fault])
    run = read(cube, read_ahead=4, max_retries=40, **only(CRM))
    assert_complete(cube, run)
    assert f"HTTP {kind}; retrying" in run.stderr


@pytest.mark.parametrize("kind", ["429", "503"])
def test_after_a_refused_request_pages_are_requested_one_at_a_time(
    cube: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    kind: Any,  # noqa: ANN401 - kind
) -> None:
    """While the tap is throttled, no two pages are requested at once."""
    monkeypatch.setattr(client, "THROTTLE_SECONDS", 3600)
    cube.reset(customers=100, faults=[Fault(kind, row="C2", page=3, times=1, retry_after=0)])
    flight = Flight(cube, since=LATER, together=[2, 3])
    run = read(cube, read_ahead=4, **only(CRM))
    assert ids(run.records[CUSTOMERS]) == set(cube.account.customer_ids(CRM))
    assert flight.has_met
    assert flight.most == 1


class Clock:
    """A clock that a test can advance."""

    def __init__(self) -> None:
        """Start at the real time."""
        self.passed = 0.0

    def monotonic(self) -> float:
        """Seconds, like `time.monotonic`."""
        return time.monotonic() + self.passed


def test_after_a_while_pages_are_prefetched_again(
    cube: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the throttled time, several pages are requested at once again."""
    clock = Clock()
    monkeypatch.setattr(client, "time", clock)
    monkeypatch.setattr(client, "THROTTLE_SECONDS", 3600)
    cube.reset(customers=100, faults=[Fault("429", row="C2", page=3, times=1, retry_after=0)])
    together = Flight(cube, together=[UNTHROTTLED + 1, UNTHROTTLED + 2])
    count_in_flight = cube.before_request
    requested_before: list[int] = []

    def see(request: Request) -> None:
        if (request.row, request.page) == ("C2", UNTHROTTLED) and not clock.passed:
            requested_before.extend(r.page for r in cube.requests if r.row == "C2")
            clock.passed = 3601
        if count_in_flight:
            count_in_flight(request)

    cube.before_request = see
    run = read(cube, read_ahead=4, **only(CRM))
    assert run.returncode == 0, run.stderr
    assert ids(run.records[CUSTOMERS]) == set(cube.account.customer_ids(CRM))
    assert UNTHROTTLED + 1 not in requested_before
    assert together.has_met
