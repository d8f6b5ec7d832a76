"""Waits between attempts grow to a maximum, and are partly random."""

from __future__ import annotations

import pytest
from tenacity import RetryCallState, Retrying

from tap_cube.http.client import WAIT

MAX_WAIT = 60.5
"""Longest wait in seconds, including jitter."""

JITTER = 0.5
"""Longest random part of a wait, in seconds."""


def wait_after(tries: int) -> float:
    """Seconds to wait after a number of failed attempts."""
    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = tries
    return WAIT(state)


@pytest.mark.parametrize("tries", range(1, 12))
def test_a_wait_is_twice_as_long_as_the_one_before(tries: int) -> None:
    """Half a second, one, two, four, up to a minute, plus up to half a random second."""
    base = min(0.5 * 2 ** (tries - 1), 60)
    waits = [wait_after(tries) for _ in range(200)]
    assert base <= min(waits)
    assert max(waits) <= base + JITTER
    assert max(waits) - min(waits) > JITTER / 2


@pytest.mark.parametrize("tries", [12, 100, 10_000])
def test_no_wait_exceeds_the_maximum(tries: int) -> None:
    """The maximum holds after any number of attempts."""
    assert 60 <= wait_after(tries) <= MAX_WAIT
