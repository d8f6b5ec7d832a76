"""An account that has too much to do is asked for one page at a time, for a while."""

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
"""A page of many that is asked for only after all that was asked for ahead of page 3."""

AWAKE = 14
"""The page that is answered when the account has rested."""


@pytest.mark.parametrize(("kind", "share"), by_turns(["429", "503"], [0.6, 0.2]))
def test_a_storm_loses_nothing(cube: Sandbox, kind: Any, share: float) -> None:  # noqa: ANN401 - kind
    """A server that refuses every few requests is asked until all is there."""
    storm = Fault(kind, share=share, retry_after=0)
    cube.reset(customers=30, faults=[storm])
    run = read(cube, read_ahead=4, max_retries=40, **only(CRM))
    assert_complete(cube, run)
    assert f"HTTP {kind}; retrying" in run.stderr


@pytest.mark.parametrize("kind", ["429", "503"])
def test_after_a_refusal_pages_come_one_at_a_time(
    cube: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    kind: Any,  # noqa: ANN401 - kind
) -> None:
    """Who said that it is too much is asked for no two pages at once for a while."""
    monkeypatch.setattr(client, "THROTTLE_SECONDS", 3600)
    cube.reset(customers=100, faults=[Fault(kind, row="C2", page=3, times=1, retry_after=0)])
    flight = Flight(cube, since=LATER, together=[2, 3])
    run = read(cube, read_ahead=4, **only(CRM))
    assert ids(run.records[CUSTOMERS]) == set(cube.account.customer_ids(CRM))
    assert flight.has_met
    assert flight.most == 1


class Clock:
    """A clock that a test moves on."""

    def __init__(self) -> None:
        """Begin at the real time."""
        self.passed = 0.0

    def monotonic(self) -> float:
        """Seconds, as `time.monotonic` tells them."""
        return time.monotonic() + self.passed


def test_after_a_while_pages_are_fetched_ahead_again(
    cube: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has its rest first; then several pages are asked for at once as before."""
    clock = Clock()
    monkeypatch.setattr(client, "time", clock)
    monkeypatch.setattr(client, "THROTTLE_SECONDS", 3600)
    cube.reset(customers=100, faults=[Fault("429", row="C2", page=3, times=1, retry_after=0)])
    together = Flight(cube, together=[AWAKE + 1, AWAKE + 2])
    hold = cube.before_request
    asked_before: list[int] = []

    def see(request: Request) -> None:
        if (request.row, request.page) == ("C2", AWAKE) and not clock.passed:
            asked_before.extend(r.page for r in cube.requests if r.row == "C2")
            clock.passed = 3601
        if hold:
            hold(request)

    cube.before_request = see
    run = read(cube, read_ahead=4, **only(CRM))
    assert run.returncode == 0, run.stderr
    assert ids(run.records[CUSTOMERS]) == set(cube.account.customer_ids(CRM))
    assert AWAKE + 1 not in asked_before
    assert together.has_met
