"""Rows become records: which keys become columns, and what is counted."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tap_cube.records.codec import decode_row
from tap_cube.records.decoder import UNPARSED, RecordDecoder
from tests.support.columns import OSLO, decoder


def test_the_last_of_two_equal_keys_is_used() -> None:
    """A repeated key is read as every JSON parser reads it (T55)."""
    record = decoder().decode(decode_row(b'{"string": "first", "string": "second"}'))
    assert record == {"string": "second", UNPARSED: None}


@pytest.mark.parametrize("row", [b'{"a": 1', b'{"a": tru}', b"{'a': 1}", b"5", b"[]", b"null", b""])
def test_only_a_json_object_is_a_row(row: bytes) -> None:
    """Truncated rows and other JSON values are refused."""
    with pytest.raises(msgspec.DecodeError):
        decode_row(row)


def test_unparsed_values_are_counted_by_column() -> None:
    """Values that do not fit are counted for each column."""
    typed = decoder()
    rows: list[dict[str, Any]] = [
        {"integer": "x", "date": "y"}, {"integer": "3"}, {"integer": True}, {"string": 5},
    ]  # fmt: skip
    records = [typed.decode(row) for row in rows]
    assert typed.unparsed == {"integer": 2, "date": 1}
    assert records[0] == {
        "integer": None, "date": None, UNPARSED: '{"integer":"x","date":"y"}',
    }  # fmt: skip
    assert records[1] == {"integer": 3, UNPARSED: None}


def test_keys_with_any_characters_find_their_column() -> None:
    """Spaces, signs and letters in keys are kept (T46 to T48); some keys are skipped."""
    requested: list[str] = []

    def column(key: str) -> tuple[str, dict[str, Any]] | None:
        requested.append(key)
        return None if key == "deselected" else (key, {"type": ["string", "null"]})

    keys = ["gen info 1", "Antall år", "call_outcome__extra__Fast ansatt over 50 %", "ID", "id", ""]
    typed = RecordDecoder(OSLO, column)
    row = {**dict.fromkeys(keys, "x"), "deselected": "y"}
    assert typed.decode(row) == typed.decode(row) == {**dict.fromkeys(keys, "x"), UNPARSED: None}
    assert requested == list(row)


def test_unparsed_values_are_not_written_if_deselected() -> None:
    """Without the column in the catalog the value is only counted."""
    typed = RecordDecoder(OSLO, lambda key: (key, {"type": "integer"}), unparsed=None)
    assert typed.decode({"n": "x"}) == {"n": None}
    assert typed.unparsed == {"n": 1}
