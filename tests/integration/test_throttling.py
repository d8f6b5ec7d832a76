"""An account that has too much to do is asked for one page at a time, for a while."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault
from tap_cube.http import client
from tests.integration.test_read_ahead_runs import HELD, SECONDS, Flight
from tests.support.breaking import assert_complete
from tests.support.runs import CRM, CUSTOMERS, ids, only, read

if TYPE_CHECKING:
    from cube_sandbox import Request, Sandbox

LATER = 9
"""A page of many that is asked for only after all that was asked for ahead of page 3."""


@pytest.mark.parametrize("kind", ["429", "503"])
@pytest.mark.parametrize("share", [0.2, 0.6])
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


class Calm:
    """Watches how an account is asked after page 3 was refused: alone for a while, then together.

    Args:
        cube: The account, whose requests are watched from now on.
        calm: Seconds of the while.
    """

    def __init__(self, cube: Sandbox, calm: float) -> None:
        """Watch."""
        self.alone = self.beside = 0
        self.has_met = False
        self._cube = cube
        self._calm = calm
        self._refused: list[float] = []
        self._after = self._now = 0
        self._lock = threading.Lock()
        self._two = threading.Barrier(2)
        cube.before_request = self._see

    def _see(self, request: Request) -> None:
        now = time.monotonic()
        if request.row == "C2" and request.page == 3:
            self._refused.append(now)
        if request.row != "C2" or request.page < LATER or len(self._refused) < 2:
            return  # the last page is looked at first of all
        with self._lock:
            self._now += 1
            if now < self._refused[0] + self._calm:
                self.alone += self._now == 1
                self.beside += self._now > 1
            # The tap knew of the refusal when it asked again. Of what it asked for alone, one may
            # arrive when the while is over.
            self._after += now > self._refused[1] + self._calm
            meets = self._after in {2, 3}
        self._cube.closing.wait(6 * HELD)
        if meets:
            self._two.wait(SECONDS)
            self.has_met = True
        with self._lock:
            self._now -= 1


def test_after_a_while_pages_are_fetched_ahead_again(
    cube: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has its rest first; then several pages are asked for at once as before."""
    monkeypatch.setattr(client, "THROTTLE_SECONDS", 1)
    cube.reset(customers=300, faults=[Fault("429", row="C2", page=3, times=1, retry_after=0)])
    calm = Calm(cube, 1)
    run = read(cube, read_ahead=4, **only(CRM))
    assert ids(run.records[CUSTOMERS]) == set(cube.account.customer_ids(CRM))
    assert run.returncode == 0, run.stderr
    assert calm.alone > 1
    assert calm.beside == 0
    assert calm.has_met
