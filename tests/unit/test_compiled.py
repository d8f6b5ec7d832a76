"""The compiled path and the slow path give the same bytes."""

from __future__ import annotations

import json
from datetime import UTC, timedelta, timezone
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tap_cube.account.custom_fields import SCHEMAS
from tap_cube.records.codec import decode_row, encode
from tap_cube.records.decoder import UNPARSED, Column, RecordDecoder
from tap_cube.records.own_columns import OwnColumns
from tap_cube.records.page import decode_page
from tests.support.sizes import scaled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OSLO = ZoneInfo("Europe/Oslo")
COLUMNS: dict[str, Mapping[str, Any]] = {kind: SCHEMAS[kind] for kind in SCHEMAS}
COLUMNS["object"] = {"type": ["object", "null"]}
CONSTANTS = {"assignment_id": 9}
ADDED = ("customer_id", "updated")
KINDS = [kind for kind in COLUMNS if kind != UNPARSED]
KEYS = [
    *KINDS,
    "other text",
    "renamed",
    "customer_id",
    "assignment_id",
    "deselected",
    "new",
    'Skjerm 19"',
]

usual = st.sampled_from(
    ["", "text", "233.0", "5,92 år", "0235", "2020-02-12", "28.02.2015", "2020-02-12 10:27",
     "2020-02-12T10:27:06.477+0100", "True", "False", "Ja", "99999999999999999999", "1e5",
     "\u2028", '"\\', True, False, None, 0, 1, 233, -7, 2**63, 2**64, 10**30, 1.5, 233.0]
)  # fmt: skip
moments = st.datetimes().map(str) | st.datetimes(
    timezones=st.sampled_from([UTC, OSLO, timezone(timedelta(hours=5, minutes=30))])
).map(lambda moment: moment.isoformat(timespec="seconds"))
values = st.one_of(
    usual,
    moments,
    moments.map(lambda text: text[:16]),
    st.dates().map(str),
    st.from_regex(
        "(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-5][0-9])?", fullmatch=True
    ),
    st.integers(0, 10**9).map(lambda number: number / 1000),
    st.text(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.recursive(usual, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)),
)
rows = st.lists(st.dictionaries(st.sampled_from(KEYS), values), min_size=1, max_size=6)


def column(key: str) -> Column:
    """A column of any type, one with another name, and one that is not selected."""
    if key == "deselected":
        return None
    return ("custom__name" if key == "renamed" else key), COLUMNS.get(key, SCHEMAS["string"])


@settings(max_examples=scaled(60, 400))
@given(rows, st.sampled_from([ADDED, (None, ADDED[1])]))
@example([{"object": "2020-02-12T10:27:06+01:00"}, {"object": {"date": "2020-02-12"}}], ADDED)
@example(
    [{"date-time": "2020-02-30T10:27:06+01:00"}, {"date": "2020-02-30"}, {"date": "0000-01-01"}],
    ADDED,
)
@example([{"string": "a"}, {"string": 5}, {"string": 6}, {"string": "b"}], ADDED)
@example([{"number": "1"}, {"number": True}, {"number": 1}, {"number": "1"}], ADDED)
@example(
    [{"integer": "7"}, {"new": "x", "integer": "x"}, {"deselected": 1, "integer": 2**64}], ADDED
)
@example([{"renamed": "a"}, {"renamed": "b"}, {"renamed": None}, {}], ADDED)
@example([{"customer_id": 5}, {"customer_id": "6"}], ADDED)
@example([dict.fromkeys(KEYS, ""), {}, dict.fromkeys(KEYS, "x"), dict.fromkeys(KEYS, "")], ADDED)
def test_both_paths_write_the_same(
    sent: list[dict[str, object]], own_columns: Sequence[str | None]
) -> None:
    """Rows with any values in any order give the same bytes, also if an added column is skipped."""
    compiled = RecordDecoder(OSLO, column, OwnColumns(CONSTANTS, own_columns))
    slow = RecordDecoder(OSLO, column, OwnColumns(CONSTANTS, own_columns))
    page = decode_page(json.dumps(sent).encode())
    added: list[list[object]] = [[f"{number}" for number, _ in enumerate(sent)], [None] * len(sent)]
    # Row by row, then all at once, then only the last row.
    for indexes in (*([n] for n, _ in enumerate(sent)), [*range(len(sent))], [len(sent) - 1]):
        own = [[values[index] for index in indexes] for values in added]
        expected = [
            encode(slow.decode(decode_row(page.raw_rows[index]), *values))
            for index, *values in zip(indexes, *own, strict=True)
        ]
        assert compiled.lines(page, indexes, own).splitlines() == expected
    assert compiled.unparsed == slow.unparsed


@pytest.mark.parametrize(
    "row", [b'{"string":"\\ud800"}', b'{"number":NaN}', b'{"string":"a","string":"b"}']
)
def test_only_malformed_rows_take_the_slow_path(row: bytes) -> None:
    """A row that the compiled path rejects and the row after it are both written correctly."""
    compiled = RecordDecoder(OSLO, column, OwnColumns(CONSTANTS, ADDED))
    slow = RecordDecoder(OSLO, column, OwnColumns(CONSTANTS, ADDED))
    for sent in (b'{"string":"a","number":"1.0"}', row, b'{"string":"b","number":"2.0"}'):
        page = decode_page(b"[%b]" % sent)
        expected = encode(slow.decode(decode_row(page.raw_rows[0]), "1", "2020-01-01"))
        assert compiled.lines(page, [0], [["1"], ["2020-01-01"]]) == expected + b"\n"
