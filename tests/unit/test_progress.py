"""Log lines about the progress of a stream, with a clock that the test moves."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import pytest

from tap_cube.singer.progress import (
    INTERVAL,
    MAX_UNTHROTTLED_PARTITIONS,
    Progress,
    StateThrottle,
)
from tap_cube.singer.stats import ListStats, StreamStats

LOGGER = logging.getLogger("tests.progress")


@dataclass
class Clock:
    """A clock that only the test moves."""

    now: float = 1000.0

    def __call__(self) -> float:
        """The current time of the clock."""
        return self.now


@pytest.fixture
def clock(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock for progress that is logged, as without a terminal."""
    caplog.set_level(logging.INFO, LOGGER.name)
    monkeypatch.setattr("sys.stderr.isatty", lambda: False, raising=False)
    return Clock()


def test_a_line_every_ten_seconds(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Any number of pages gives one line in ten seconds."""
    progress = Progress("customers", LOGGER, clock=clock)
    progress.expect(1000)
    for _ in range(50):
        clock.now += 0.5
        progress.advance(10)
    assert caplog.messages == [
        "customers: 200 rows of 1000 (20%) read, 20 a second, 40 s left",
        "customers: 400 rows of 1000 (40%) read, 20 a second, 30 s left",
    ]


def test_an_absurd_count_is_no_count(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """A server may send a number that no division can take."""
    progress = Progress("customers", LOGGER, clock=clock)
    progress.expect(10**4000)
    clock.now += INTERVAL
    progress.advance(10)
    assert caplog.messages == ["customers: 10 rows read, 1 a second"]


def test_a_short_stream_logs_no_progress(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """A stream of less than ten seconds has only the summary."""
    progress = Progress("customers", LOGGER, clock=clock)
    progress.expect(1000)
    clock.now += INTERVAL - 0.1
    progress.advance(1000)
    progress.end()
    assert not caplog.messages


def test_each_partition_has_its_own_progress(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Short partitions do not delay the log lines; the speed is that of the stream."""
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


def test_each_window_adds_its_expected_rows(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """A partition that is read in several windows adds the expected rows of each."""
    progress = Progress("outcomes", LOGGER, clock=clock)
    progress.expect(100)
    progress.advance(100)
    progress.expect(300)
    clock.now += INTERVAL
    progress.advance(100)
    assert caplog.messages == ["outcomes: 200 rows of 400 (50%) read, 20 a second, 10 s left"]


@pytest.mark.parametrize("count", [None, 0, 50])
def test_an_unknown_total_is_not_estimated(
    clock: Clock, caplog: pytest.LogCaptureFixture, count: int | None
) -> None:
    """Without a count, or with one that is too small, percentage and remaining time are missing."""
    progress = Progress("campaigns", LOGGER, clock=clock)
    progress.expect(count)
    clock.now += INTERVAL
    progress.advance(100)
    assert caplog.messages == ["campaigns: 100 rows read, 10 a second"]


def test_empty_pages_give_no_remaining_time(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Empty pages have no speed, so the remaining time is missing."""
    progress = Progress("campaigns", LOGGER, clock=clock)
    progress.expect(10)
    clock.now += INTERVAL
    progress.advance(0)
    assert caplog.messages == ["campaigns: 0 rows of 10 (0%) read, 0 a second"]


def test_the_state_of_few_partitions_is_written_at_every_change(clock: Clock) -> None:
    """An interrupted run repeats one window at most."""
    throttle = StateThrottle(MAX_UNTHROTTLED_PARTITIONS, clock)
    assert [throttle.is_due() for _ in range(3)] == [True, True, True]


def test_the_state_of_many_partitions_is_written_once_a_second(clock: Clock) -> None:
    """A state after each partition would be larger than the records."""
    throttle = StateThrottle(MAX_UNTHROTTLED_PARTITIONS + 1, clock)
    due = []
    for _ in range(7):
        due.append(throttle.is_due())
        clock.now += 0.4
    assert due == [True, False, False, True, False, False, True]


def test_the_summary_is_one_line() -> None:
    """One line has the stream's counts and its duration."""
    lists = {"campaigns/1": ListStats(emitted=2, unparsed=3), "campaigns/2": ListStats(emitted=3)}
    lists["campaigns/2"].unchanged = 4
    stats = StreamStats(lists, seconds=1.26)
    assert stats.summary(requests=20, retries=1) == (
        "5 rows emitted, 4 unchanged skipped, 20 requests, 1 of them retries, "
        "3 unparsed values, 1.3 s"
    )
    one = StreamStats({"": ListStats(emitted=1, unparsed=1)})
    assert one.summary(requests=1, retries=0) == (
        "1 row emitted, 0 unchanged skipped, 1 request, 0 of them retries, 1 unparsed value, 0.0 s"
    )
