"""Lines of log that tell how far along a stream is, by a clock of the test's own."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import pytest

from tap_cube.singer.progress import (
    INTERVAL,
    MAX_UNTHROTTLED_PARTITIONS,
    Progress,
    StateThrottle,
    StreamStats,
)

LOGGER = logging.getLogger("tests.progress")


@dataclass
class Clock:
    """Stands still until it is moved."""

    now: float = 1000.0

    def __call__(self) -> float:
        """The moment."""
        return self.now


@pytest.fixture
def clock(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Listen to the log of a run that has no terminal."""
    caplog.set_level(logging.INFO, LOGGER.name)
    monkeypatch.setattr("sys.stderr.isatty", lambda: False, raising=False)
    return Clock()


def test_a_line_every_ten_seconds(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """However many pages come, there is one line in ten seconds, with all that is to know."""
    progress = Progress("customers", LOGGER, clock=clock)
    progress.expect(1000)
    for _ in range(50):
        clock.now += 0.5
        progress.advance(10)
    assert caplog.messages == [
        "customers: 200 rows of 1000 (20%) read, 20 a second, 40 s left",
        "customers: 400 rows of 1000 (40%) read, 20 a second, 30 s left",
    ]


def test_a_quick_stream_says_nothing(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """What is read in less than ten seconds needs no line; the summary tells it."""
    progress = Progress("customers", LOGGER, clock=clock)
    progress.expect(1000)
    clock.now += INTERVAL - 0.1
    progress.advance(1000)
    progress.end()
    assert not caplog.messages


def test_partitions_are_told_one_by_one(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Many short partitions do not hush the log; speed is that of the stream."""
    progress = Progress("outcomes", LOGGER, 300, clock)
    for _ in range(7):
        progress.expect(60)
        clock.now += 2
        progress.advance(40)
        clock.now += 2
        progress.advance(20)
        progress.end()
    assert caplog.messages == [
        "outcomes, 3 of 300: 40 rows of 60 (67%) read, 16 a second, 1 s left",
        "outcomes, 5 of 300: 60 rows of 60 (100%) read, 15 a second, 0 s left",
    ]


def test_windows_add_to_what_is_expected(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Where one partition is read in several goes, each tells how many rows more there are."""
    progress = Progress("outcomes", LOGGER, clock=clock)
    progress.expect(100)
    progress.advance(100)
    progress.expect(300)
    clock.now += INTERVAL
    progress.advance(100)
    assert caplog.messages == ["outcomes: 200 rows of 400 (50%) read, 20 a second, 10 s left"]


@pytest.mark.parametrize("count", [None, 0, 50])
def test_an_unknown_total_is_not_made_up(
    clock: Clock, caplog: pytest.LogCaptureFixture, count: int | None
) -> None:
    """Without a count, or with one that is too small, there is neither share nor time left."""
    progress = Progress("campaigns", LOGGER, clock=clock)
    progress.expect(count)
    clock.now += INTERVAL
    progress.advance(100)
    assert caplog.messages == ["campaigns: 100 rows read, 10 a second"]


def test_no_row_in_ten_seconds(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Empty pages have no speed, and so no time left."""
    progress = Progress("campaigns", LOGGER, clock=clock)
    progress.expect(10)
    clock.now += INTERVAL
    progress.advance(0)
    assert caplog.messages == ["campaigns: 0 rows of 10 (0%) read, 0 a second"]


def test_the_state_of_few_partitions_is_written_whenever_there_is_news(clock: Clock) -> None:
    """It is short, so what a run cut short has to read again is one window at most."""
    throttle = StateThrottle(MAX_UNTHROTTLED_PARTITIONS, clock)
    assert [throttle.is_due() for _ in range(3)] == [True, True, True]


def test_the_state_of_many_partitions_is_written_once_a_second(clock: Clock) -> None:
    """Written after each of them it would outgrow the records."""
    throttle = StateThrottle(MAX_UNTHROTTLED_PARTITIONS + 1, clock)
    due = []
    for _ in range(7):
        due.append(throttle.is_due())
        clock.now += 0.4
    assert due == [True, False, False, True, False, False, True]


def test_summary() -> None:
    """One line holds what a stream did and what it took."""
    stats = StreamStats(rows=5, unchanged=4, unparsed=3, seconds=1.26)
    assert stats.summary(requests=20, retries=1) == (
        "5 rows emitted, 4 unchanged skipped, 20 requests, 1 of them retries, "
        "3 unparsed values, 1.3 s"
    )
