"""Waits between attempts grow to a maximum, and are partly random; headers hold any text."""

from __future__ import annotations

import math
from datetime import UTC

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tenacity import RetryCallState, Retrying

from tap_cube.http.client import WAIT
from tap_cube.http.headers import date_of, retry_after
from tap_cube.settings import Settings

JITTER = 0.3
"""Longest random part of a wait, in seconds."""

MAX_WAIT = 60 + JITTER
"""Longest wait in seconds, including jitter."""


def wait_after(tries: int) -> float:
    """Seconds to wait after a number of failed attempts."""
    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = tries
    return WAIT(state)


@pytest.mark.parametrize("tries", range(1, 12))
def test_a_wait_is_two_and_a_half_times_as_long_as_the_one_before(tries: int) -> None:
    """From 0.2 seconds, since fewer requests follow a refusal anyway, to a minute."""
    base = min(0.2 * 2.5 ** (tries - 1), 60)
    waits = [wait_after(tries) for _ in range(200)]
    assert base <= min(waits)
    assert max(waits) <= base + JITTER
    assert max(waits) - min(waits) > JITTER / 2


def test_the_default_number_of_retries_outlasts_two_minutes() -> None:
    """A server that restarts does not fail the night."""
    settings = Settings.from_config({"api_url": "https://cube.example.com", "auth_token": "t"})
    assert sum(map(wait_after, range(1, settings.max_retries + 1))) > 120


@pytest.mark.parametrize("tries", [12, 100, 10_000])
def test_no_wait_exceeds_the_maximum(tries: int) -> None:
    """The maximum holds after any number of attempts."""
    assert 60 <= wait_after(tries) <= MAX_WAIT


dates = st.from_regex(
    r"(Mon, )?[0-9]{1,12}[ -](Jan|Feb|x)[ -][0-9]{1,12} [0-9:.]{0,12} ?([+-][0-9]{1,12}|GMT|EST)?",
    fullmatch=True,
)
"""Texts that look like dates."""


@given(st.none() | st.text() | dates)
@example("9" * 5000)
@example("Sat, 01 Jan 99999999999 00:00:00 GMT")
@example("Mon, 01 Jan 0000 00:00:00 GMT")
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example("Fri, 31 Dec 9999 23:59:59 -2359")
def test_any_header_is_a_time_or_nothing(value: str | None) -> None:
    """No text is an error, and no wait is negative or without end."""
    moment, seconds = date_of(value), retry_after(value)
    assert moment is None or moment.tzinfo is UTC
    assert seconds is None or 0 <= seconds < math.inf


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", 0), ("120", 120), (" 7 ", 7), ("-5", None), ("soon", None), ("1, 2", None),
     ("Sun, 06 Nov 1994 08:49:37 GMT", 0), (None, None)],
)  # fmt: skip
def test_retry_after_is_a_number_or_a_date(value: str | None, seconds: float | None) -> None:
    """Anything else is ignored."""
    assert retry_after(value) == seconds
