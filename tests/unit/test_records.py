"""The conversion of single values: from JSON text to the value of the column.

The values are those of the documented samples (sections 3 and 4, traps T28 to T48), with invented
people.
"""

from __future__ import annotations

import json
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tap_cube.records.codec import decode_row
from tap_cube.records.decoder import UNPARSED
from tests.support.columns import decode

KEPT = object()
"""The value does not fit the column: the column is null, and `UNPARSED` holds the value."""

TEXT = [
    ('"A"', "A"),
    ('""', ""),
    ("null", None),
    ('"233.0"', "233.0"),
    ('"05029249275"', "05029249275"),
    ('"0235"', "0235"),
    ('"992513624"', "992513624"),
    ('"550326-0000"', "550326-0000"),
    ('"+4799999999"', "+4799999999"),
    ('"5,92 år"', "5,92 år"),
    ('"Alder: 52 år"', "Alder: 52 år"),
    ('"Ja"', "Ja"),
    ('"False"', "False"),
    ('"2012-06-15"', "2012-06-15"),
    ('"28.02.2015"', "28.02.2015"),
    ('" with spaces \\n"', " with spaces \n"),
    (r'"Between 02.10.2019 08:00\nand \"later\" | \\ \u0000"',
     'Between 02.10.2019 08:00\nand "later" | \\ \x00'),
    ('"Ordnance handling expert at Today\'s Man"', "Ordnance handling expert at Today's Man"),
    (r'"\u2028\u2029"', "\u2028\u2029"),
    ('"\u2028"', "\u2028"),
    (r'"\ud83d\ude00"', "\U0001f600"),
    (json.dumps("x" * 2**20), "x" * 2**20),
    ("233", "233"),
    ("-0", "0"),
    ("100200.0", "100200.0"),
    ("0.1", "0.1"),
    ("0.00000001", "0.00000001"),
    ("1e5", "100000"),
    ("1E400", "1E+400"),
    ("12345678901234567890", "12345678901234567890"),
    ("123456789012345678901234567890", "123456789012345678901234567890"),
    ("0.12345678901234567890", "0.12345678901234567890"),
    ("true", "true"),
    ("false", "false"),
    ('["a", 1]', KEPT),
    ('{"a": null}', KEPT),
]  # fmt: skip

NUMBER = [
    ("22", 22),
    ("100200.0", 100200),
    ("100200.5", Decimal("100200.5")),
    ("0.1", Decimal("0.1")),
    ("1e5", 100000),
    ("-0.0", 0),
    ('"233.0"', 233),
    ('"1281847542.0"', 1281847542),
    ('"9999723623"', 9999723623),
    ('"3990"', 3990),
    ('" 6 "', 6),
    ('"-6.50"', Decimal("-6.50")),
    ('"+6"', 6),
    ('"007"', 7),
    ('"12345678901234567890.5"', Decimal("12345678901234567890.5")),
    ("12345678901234567890", 12345678901234567890),
    ('""', None),
    ("null", None),
    ('"5,92 år"', KEPT),
    ('"5,92"', KEPT),
    ('"1 000"', KEPT),
    ('"1_000"', KEPT),
    ('"0x1F"', KEPT),
    ('"\uff18"', KEPT),
    ('"."', KEPT),
    ('"Standard giro"', KEPT),
    ('"550326-0000"', KEPT),
    ('"NaN"', KEPT),
    ('"Infinity"', KEPT),
    ('"1e9999"', KEPT),
    ("1e99999999999999999999", KEPT),
    ("true", KEPT),
    ("[5]", KEPT),
    ("{}", KEPT),
]

INTEGER = [
    ("9", 9),
    ("9.0", 9),
    ('"4.0"', 4),
    ('"3"', 3),
    ('"1e3"', 1000),
    (f"{2**63 - 1}", 2**63 - 1),
    (f"{-(2**63)}", -(2**63)),
    ('""', None),
    ("null", None),
    (f"{2**63}", KEPT),
    (f"{-(2**63) - 1}", KEPT),
    ('"123456789012345678901234567890"', KEPT),
    ("9.5", KEPT),
    ('"9.5"', KEPT),
    ("true", KEPT),
    ('"ni"', KEPT),
    ("[]", KEPT),
]

BOOLEAN = [
    ("true", True),
    ("false", False),
    ('"True"', True),
    ('"False"', False),
    ('"TRUE"', True),
    ('" false "', False),
    ('"Ja"', True),
    ('"Nei"', False),
    ('"yes"', True),
    ('"no"', False),
    ('"1"', True),
    ("1", True),
    ("0", False),
    ('""', None),
    ("null", None),
    ("2", KEPT),
    ("1.0", KEPT),
    ('"Kanskje"', KEPT),
    ('"Ja - Salg"', KEPT),
    ("[true]", KEPT),
    ("{}", KEPT),
]

DATE = [
    ('"2020-02-12"', "2020-02-12"),
    ('"28.02.2015"', "2015-02-28"),
    ('" 1948-01-01 "', "1948-01-01"),
    ('"20200212"', "2020-02-12"),
    ('"1800-01-01"', "1800-01-01"),
    ('""', None),
    ("null", None),
    ('"2020-02-30"', KEPT),
    ('"31.02.2015"', KEPT),
    ('"0000-00-00"', KEPT),
    ('"2020-02-12 10:27"', KEPT),
    ('"2020-02-12T10:27:06.477+0100"', KEPT),
    ('"Stoppet 2013-06-04, termin 4"', KEPT),
    ('"12/02/2020"', KEPT),
    ('"1.2.2020"', KEPT),
    ('"Industrigata 7"', KEPT),
    ("20200212", KEPT),
    ("true", KEPT),
    ('["2020-02-12"]', KEPT),
]

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

NESTED = [
    ("object", "{}", {}),
    ("object", '{"a": [1, {"b": "\u2028"}]}', {"a": [1, {"b": "\u2028"}]}),
    ("object", '""', None),
    ("object", "null", None),
    ("object", '"text"', KEPT),
    ("object", "5", KEPT),
    ("object", "[]", KEPT),
    ("array", '["a", null]', ["a", None]),
    ("array", '""', None),
    ("array", "{}", KEPT),
]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        pytest.param(kind, text, expected, id=f"{kind} {text[:60]}")
        for kind, table in [
            ("string", TEXT), ("number", NUMBER), ("integer", INTEGER),
            ("boolean", BOOLEAN), ("date", DATE), ("date-time", MOMENT),
        ]
        for text, expected in table
    ] + [pytest.param(*row, id=f"{row[0]} {row[1]}") for row in NESTED],
)  # fmt: skip
def test_a_value_in_a_column(kind: str, text: str, expected: object) -> None:
    """A value is converted to its column's type, or is null with the original kept."""
    record = decode(kind, text)
    if expected is KEPT:
        original = decode_row(f'{{"v": {text}}}'.encode())["v"]
        assert record == {kind: None, UNPARSED: {kind: original}}
    else:
        assert record == {kind: expected}
        assert type(record[kind]) is type(expected)
        assert str(record[kind]) == str(expected)


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
