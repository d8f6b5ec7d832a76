"""Bookmarks: dates in any spelling, each taken for what it means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tap_cube.http.clock import AccountClock
from tap_cube.records.rows import CallflowRow
from tap_cube.streams.bookmarks import parse_bookmark
from tap_cube.streams.cursors import MinuteCursor

OSLO = ZoneInfo("Europe/Oslo")
MIDNIGHT = "2026-01-31T00:00:00+01:00"
MORNING = "2026-01-31T10:00:00+01:00"

SPELLINGS = {
    "2026-01-31": MIDNIGHT,
    "20260131": MIDNIGHT,
    20260131: MIDNIGHT,
    " 2026-01-31\n": MIDNIGHT,
    "2026-W05-6": MIDNIGHT,
    "2026W056": MIDNIGHT,
    "2026-W05-7": "2026-02-01T00:00:00+01:00",
    "20260131T100000": MORNING,
    "20260131T10": MORNING,
    "2026-01-31 10:00": MORNING,
    "2026-01-31t10:00:00": MORNING,
    "2026-01-31T09:00:00Z": MORNING,
    "2026-01-31t09:00z": MORNING,
    "2026-01-31 09:00:00 +00:00": MORNING,
    "20260131T040000-0500": MORNING,
    "2026-01-31T10:00:00.000000000": MORNING,
    "2026-01-31T10:00:00,25+01": "2026-01-31T10:00:00.250000+01:00",
    "2026-01-30T23:30:00Z": "2026-01-31T00:30:00+01:00",
    "2026-07-01T00:00:00.5+00:00": "2026-07-01T02:00:00.500000+02:00",
    "2025-10-26T02:30:00+01:00": "2025-10-26T02:30:00+01:00",
}

NO_DATES: list[object] = [
    *(None, True, 7, -20260131, 20260131.0, float("nan"), [], {}, ["2026-01-31"]),
    *("", " ", "yesterday", "2026", "2026-01", "2026-02-30", "2026-13-01", "2026-W60-1"),
    *("2026-01-31910:30", "2026-01-31T", "2026-01-31T25:00", "2026-01-31T1", "1769850000"),
    *("1769850000000", "2026-01-31T10:00 Europe/Oslo", "\uff12026-01-31", "9" * 9999),
]


@pytest.mark.parametrize(("value", "meaning"), SPELLINGS.items(), ids=map(repr, SPELLINGS))
def test_every_spelling_is_taken_for_what_it_means(value: object, meaning: str) -> None:
    """A time without a zone is local, and a day begins at midnight."""
    assert parse_bookmark(value, OSLO).isoformat() == meaning


@pytest.mark.parametrize("value", NO_DATES, ids=lambda value: repr(value)[:20])
def test_anything_else_is_no_date(value: object) -> None:
    """It is not guessed at."""
    with pytest.raises(ValueError, match=r"."):
        parse_bookmark(value, OSLO)


@given(st.datetimes(timezones=st.just(UTC)), st.sampled_from(["Pacific/Apia", "America/Adak"]))
def test_any_moment_can_be_moved_by_the_longest_lookback(moment: datetime, zone: str) -> None:
    """Also those at the ends of the calendar."""
    parsed = parse_bookmark(moment.isoformat(), ZoneInfo(zone))
    assert parsed - timedelta(days=3650) < parsed < parsed + timedelta(days=1)
    if 1001 < moment.year < 9998:
        assert parsed == moment


@pytest.mark.parametrize(
    ("when", "value"),
    [
        ("2026-01-31 10:00", "2026-01-31T10:00:00"),
        ("2026-01-31T09:00:00Z", "2026-01-31T10:00:00"),
        ("0009-01-01 10:00", "0009-01-01T10:00:00"),
        ("0001-01-01T00:00:00+12:00", None),
        ("9999-12-31T23:59:59Z", None),
        ("", None),
        (20260131, None),
    ],
)
def test_the_minute_of_a_change_sorts_as_text(when: object, value: str | None) -> None:
    """A time that cannot be told in the account's zone counts as none."""
    cursor = MinuteCursor("callflow__last_change__when", OSLO)
    assert cursor.value_of(CallflowRow(callflow__last_change__when=when)) == value


at = datetime.fromisoformat
near_changes = st.datetimes(at("2026-03-28"), at("2026-03-30")) | st.datetimes(
    at("2026-10-03"), at("2026-10-26")
)


@given(
    st.datetimes() | near_changes,
    st.sampled_from(
        ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%d.%m.%Y %H:%M", "%Y%m%dT%H:%M", "%H:%M"]
    ),
    st.sampled_from(["Europe/Oslo", "Asia/Kolkata", "Australia/Lord_Howe"]),
)
@example(at("2026-10-04 02:10"), "%Y-%m-%d %H:%M", "Australia/Lord_Howe")
@example(at("2026-03-29 02:30"), "%Y-%m-%d %H:%M", "Europe/Oslo")
@example(at("2026-10-25 02:30"), "%Y-%m-%dT%H:%M", "Europe/Oslo")
def test_a_minute_is_read_as_any_other_time(moment: datetime, spelling: str, zone: str) -> None:
    """Minutes take a shorter path, also where clocks change or are no whole hours from UTC."""
    cursor = MinuteCursor("callflow__last_change__when", ZoneInfo(zone))
    sent = moment.strftime(spelling)
    row = CallflowRow(callflow__last_change__when=sent)
    assert cursor.value_of(row) == cursor.wall_clock_of(sent)


def test_a_cached_date_does_not_set_the_clock_back() -> None:
    """The clock goes on from the most advanced date; without one it shows nothing."""
    clock, date = AccountClock(), datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert clock.update(None) is clock.now() is None
    for earlier in (3, 0, 9):
        clock.update(format_datetime(date - timedelta(hours=earlier), usegmt=True))
    now = clock.now()
    assert now is not None
    assert timedelta(0) <= now - date < timedelta(minutes=9)
