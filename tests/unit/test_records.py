"""The conversion of single values: from JSON text to the value of the column.

The values are those of the documented samples (sections 3 and 4, traps T28 to T48), with invented
people.
"""

from __future__ import annotations

import json
from decimal import Decimal

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
            ("boolean", BOOLEAN), ("date", DATE),
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
