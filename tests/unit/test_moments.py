"""Times in every spelling: read in one way and emitted in UTC, or kept as they are."""

from __future__ import annotations

import json
import tracemalloc
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tap_cube.records import moments
from tap_cube.records.codec import encode
from tap_cube.records.decoder import UNPARSED
from tap_cube.records.moments import common_times_in_utc, parse_moment
from tap_cube.records.page import decode_page
from tests.support.columns import decode, decoder

KEPT = object()
"""It is no time: the column is null, and `UNPARSED` holds the value."""

MOMENT = [
    ('"2020-02-12"', "2020-02-11T23:00:00+00:00"),
    ('"2020-02-12 10:27"', "2020-02-12T09:27:00+00:00"),
    ('"2020-07-12 10:27"', "2020-07-12T08:27:00+00:00"),
    ('"2020-02-12T10:27:06.477+0100"', "2020-02-12T09:27:06.477000+00:00"),
    ('"2020-02-12T10:27:06,477+01:00"', "2020-02-12T09:27:06.477000+00:00"),
    ('"2020-02-12T10:27:06.000+01:00"', "2020-02-12T09:27:06+00:00"),
    ('"2020-02-12T10:27:06.1234560Z"', "2020-02-12T10:27:06.123456+00:00"),
    ('"2017-01-01T13:55:20.257789Z"', "2017-01-01T13:55:20.257789+00:00"),
    ('"2017-01-01t13:55z"', "2017-01-01T13:55:00+00:00"),
    ('"2017-01-01T13:55-00:00"', "2017-01-01T13:55:00+00:00"),
    ('"2017-01-01T00:05+05:30"', "2016-12-31T18:35:00+00:00"),
    ('"2017-01-01T00:05-03"', "2017-01-01T03:05:00+00:00"),
    ('"20230808T120000Z"', "2023-08-08T12:00:00+00:00"),
    ('"20230808T1200"', "2023-08-08T10:00:00+00:00"),
    ('"2024-W05-3T10:30"', "2024-01-31T09:30:00+00:00"),
    ('"28.02.2015"', "2015-02-27T23:00:00+00:00"),
    ('"02.10.2019 08:00"', "2019-10-02T06:00:00+00:00"),
    ('"31.01.2024 10.30"', "2024-01-31T09:30:00+00:00"),
    ('"31.01.2024 10.30.05"', "2024-01-31T09:30:05+00:00"),
    ('"31.01.2024 10:30:05,5"', "2024-01-31T09:30:05.500000+00:00"),
    ('" 2020-02-12 10:27\\n"', "2020-02-12T09:27:00+00:00"),
    ('"2020-10-25 01:59"', "2020-10-24T23:59:00+00:00"),
    ('"2020-10-25 02:30"', "2020-10-25T00:30:00+00:00"),  # occurs twice: the first is taken
    ('"2020-10-25 03:00"', "2020-10-25T02:00:00+00:00"),
    ('"2020-03-29 02:30"', "2020-03-29T01:30:00+00:00"),  # does not exist
    ('"0001-01-01T00:00:00Z"', "0001-01-01T00:00:00+00:00"),
    ('"9999-12-31T23:59:59Z"', "9999-12-31T23:59:59+00:00"),
    ('""', None),
    ("null", None),
    ('"0001-01-01T00:00:00"', KEPT),  # in year 0 in UTC, which no target can hold
    ('"9999-12-31T23:59:59-01:00"', KEPT),
    ('"0000-01-01T10:00:00Z"', KEPT),
    ('"20230808120000Z"', KEPT),
    ('"20230808 1200"', KEPT),
    ('"2024-01-31T12345678"', KEPT),
    ('"2024-01-31T123456"', KEPT),
    ('"20240131T12:34"', KEPT),
    ('"2024-01-31910:30"', KEPT),
    ('"2024-01-31 10.30"', KEPT),
    ('"2024-01-31 10:30.5"', KEPT),
    ('"2024-01-31 10:30:5"', KEPT),
    ('"2024-01-31 10"', KEPT),
    ('"2024-01-31T"', KEPT),
    ('"2024-01-31T24:00"', KEPT),
    ('"2024-01-31T23:59:60"', KEPT),
    ('"2024-01-31T10:30:00."', KEPT),
    ('"2024-01-31T10:30+24:00"', KEPT),
    ('"2024-01-31T10:30+01:60"', KEPT),
    ('"2024-01-31T10:30:00+01:00:30"', KEPT),
    ('"2024-01-31T10:30 CET"', KEPT),
    ('"2024-01-3\uff11T10:30"', KEPT),
    ('"2024-01"', KEPT),
    ('"2024-031"', KEPT),
    ('"31.01.2024 24.00"', KEPT),
    ('"31.01.2024 10.3"', KEPT),
    ('"31.01.24 10:30"', KEPT),
    ('"01/31/2024 10:30"', KEPT),
    ('"28-11-2018 10:00 - 12:00"', KEPT),
    ('"2020-02-12 25:00"', KEPT),
    ('"2020-13-12 10:00"', KEPT),
    ('"Between 02.10.2019 08:00 and 02.10.2019 21:00 \\n"', KEPT),
    ('"10:27"', KEPT),
    ('"2020-02-12T10:27:06.1234567Z"', KEPT),
    ("1581499626", KEPT),
    ("false", KEPT),
    ("{}", KEPT),
]


@pytest.mark.parametrize(("text", "expected"), MOMENT, ids=[text for text, _ in MOMENT])
def test_a_time_is_read_in_one_way_or_not_at_all(text: str, expected: object) -> None:
    """A time that another reader could take for another moment is not guessed."""
    record = decode("date-time", text)
    if expected is KEPT:
        assert record == {"date-time": None, UNPARSED: {"date-time": json.loads(text)}}
    else:
        assert record == {"date-time": expected}


def test_a_page_of_times_is_read_as_each_of_them_alone() -> None:
    """Whole pages take a shorter path, whatever stands between the times."""
    rows = [f'{{"date-time": {text}}}' for text, _ in MOMENT]
    page = decode_page(f"[{','.join(rows)}]".encode())
    typed = decoder()
    typed.lines(page, range(len(rows)), ())  # makes the compiled decoder
    lines = typed.lines(page, range(len(rows)), ()).splitlines()
    assert lines == [encode(decoder().decode({"date-time": json.loads(t)})) for t, _ in MOMENT]


SPELLINGS = (
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S+0100",
    "%Y-%m-%dT%H:%M:%S-12:00",
    "%Y-%m-%dT%H:%M:%S+05:30",
    "%Y-%m-%dT%H:%M:%S.%f+02:00",
    "%d.%m.%Y %H:%M",
)
at = datetime.fromisoformat
times = st.datetimes(at("1000-01-01"), at("9999-12-31")) | st.datetimes(
    at("2024-10-26"), at("2024-10-28")
)
"""Any times, and those around a change of the clocks."""


def in_utc(value: str, zone: ZoneInfo) -> str | None:
    """A time in UTC, computed on its own; None for anything else."""
    try:
        return parse_moment(value, zone).isoformat()
    except (ValueError, OverflowError):
        return None


@given(
    st.sampled_from(SPELLINGS),
    st.lists(times | st.sampled_from([None, ""]), min_size=1),
    st.none() | st.tuples(st.integers(0, 99), st.integers(0, 30), st.sampled_from('0 9"å\\€T')),
    st.sampled_from(["Europe/Oslo", "Asia/Kolkata", "Australia/Lord_Howe", "America/New_York"]),
)
@example("%Y-%m-%dT%H:%M:%SZ", [at("2024-05-17")] * 2, (1, 12, "å"), "Europe/Oslo")
@example("%Y-%m-%dT%H:%M:%S-12:00", [at("9999-12-31T23:00")], None, "Europe/Oslo")
def test_a_column_of_times_is_read_as_each_of_them_alone(
    spelling: str,
    column: list[datetime | str | None],
    damage: tuple[int, int, str] | None,
    zone: str,
) -> None:
    """Times that are all spelled alike take a shorter path, also if one of them is damaged."""
    values = [each.strftime(spelling) if isinstance(each, datetime) else each for each in column]
    if damage:
        row, place, character = damage
        value = values[row % len(values)] or ""
        values[row % len(values)] = value[:place] + character + value[place + 1 :]
    rows = json.dumps([{"date-time": value} for value in values], ensure_ascii=False).encode()
    typed, page = decoder(zone=ZoneInfo(zone)), decode_page(rows)
    typed.lines(page, [0], ())  # makes the compiled decoder
    lines = typed.lines(page, range(len(values)), ()).splitlines()
    expected = [value and in_utc(value, ZoneInfo(zone)) for value in values]
    assert [json.loads(line)["date-time"] for line in lines] == [each or None for each in expected]


def test_days_of_many_offsets_take_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many days of each offset as fit into one response would take hundreds of megabytes."""
    monkeypatch.setattr(moments, "_MAX_DAYS", 500)
    convert = common_times_in_utc(ZoneInfo("Europe/London"))
    offsets = [f"+{hours:02}:00" for hours in range(8)]
    days = [(at("1900-01-01") + timedelta(number)).date().isoformat() for number in range(450)]
    tracemalloc.start()
    try:
        for column in [["2024-05-17"], days]:
            for offset in offsets:
                texts = "".join(f'\n"{day}T12:00:00{offset}"' for day in column)
                assert convert(texts.encode(), len(column))[1]
        assert tracemalloc.get_traced_memory()[0] < 2**19
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [("1800-01-01 10:00", "Europe/Berlin", "1800-01-01T09:06:32+00:00"),
     ("0001-01-01 08:14", "Africa/Ndjamena", "0001-01-01T07:13:48+00:00"),
     ("2024-04-07 01:45", "Australia/Lord_Howe", "2024-04-06T14:45:00+00:00"),
     ("2024-05-17 10:00", "Asia/Kolkata", "2024-05-17T04:30:00+00:00")],
)  # fmt: skip
def test_a_time_of_a_zone_that_is_no_whole_hours_away(text: str, zone: str, expected: str) -> None:
    """A time of an old or another zone becomes the same instant, to the second."""
    assert decode("date-time", json.dumps(text), ZoneInfo(zone)) == {"date-time": expected}
