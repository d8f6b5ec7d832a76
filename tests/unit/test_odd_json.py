"""JSON that a strict decoder rejects: such a value fails neither its row nor its page."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tap_cube.records.codec import decode_row
from tap_cube.records.decoder import UNPARSED
from tap_cube.records.page import PageDecoder, decode_page
from tap_cube.records.rows import CustomerRow, decode_as
from tap_cube.records.surrogates import content_digest, surrogate_key
from tests.support.columns import COLUMNS, decode, decoder, unpacked

INVALID = [r'"\ud800"', r'"a\udc00b"', r'"\ud83d\ude00\ud83d"', "NaN", "Infinity", "-Infinity"]


@pytest.mark.parametrize("text", INVALID)
@pytest.mark.parametrize("kind", [kind for kind in COLUMNS if kind != UNPARSED])
def test_an_invalid_value_is_kept_as_json_text(kind: str, text: str) -> None:
    """The column is null, and `UNPARSED` holds the value that Cube sent, in ASCII."""
    record = decode(kind, text)
    assert record == {kind: None, UNPARSED: {kind: text}}
    json.dumps(record, ensure_ascii=False).encode()


def test_an_invalid_value_inside_another_is_kept_with_it() -> None:
    """An object that holds a lone surrogate is kept unchanged."""
    record = decode("object", r'{"a": ["\ud800", 1.50]}')
    assert record["object"] is None
    assert r"\ud800" in record[UNPARSED]["object"]
    json.dumps(record, ensure_ascii=False).encode()


@pytest.mark.parametrize("kind", ["integer", "number", "boolean", "date", "object", "array"])
@pytest.mark.parametrize(
    "number", ["9" * 310, "9" * 5000, "-" + "9" * 5000, "1E+400", "1E-400", "0." + "3" * 400]
)
def test_a_number_that_no_double_holds_is_kept_as_text(kind: str, number: str) -> None:
    """A target could not read it, neither in a typed column nor among the unparsed values."""
    assert decode(kind, number) == {kind: None, UNPARSED: {kind: number}}
    inside = decode(kind, f'[{{"a": {number}}}, 1.50]')
    assert inside == {kind: None, UNPARSED: {kind: [{"a": number}, Decimal("1.50")]}}


def test_an_object_with_an_invalid_value_is_kept_beside_it() -> None:
    """A text cannot be told from the NaN that would stand in its place."""
    assert decode("array", "[NaN]") == {"array": None, UNPARSED: {"array": ["NaN"]}}


@pytest.mark.parametrize("number", ["1e99999999999999999999", "9" * 5000, "-" + "9" * 5000])
@pytest.mark.parametrize("key", ["id", "updated", "x"])
@pytest.mark.parametrize("beside", ["", r', "y": "\ud800"'])
def test_a_huge_number_fails_no_page(number: str, key: str, beside: str) -> None:
    """The row and its page are read, and the number is kept."""
    row = f'{{"crm__customer_id": "1", "{key}": {number}{beside}}}'
    page = PageDecoder(CustomerRow)(f'{{"count": 1, "results": [{row}]}}'.encode())
    assert page.rows[0].customer_id == "1"
    assert page.rows[0].updated_on is None
    assert number.encode() in page.raw_rows[0]


@pytest.mark.parametrize("invalid", INVALID)
def test_the_other_values_of_the_row_stay_intact(invalid: str) -> None:
    """Numbers stay exact, and text that looks like an escape stays text."""
    others = r'"number": 0.10, "string": "\\ud800 \ud83d\ude00 å", "boolean": true, "integer": 5'
    record = unpacked(decoder().decode(decode_row(f'{{"date": {invalid}, {others}}}'.encode())))
    assert record == {
        "date": None,
        "number": Decimal("0.10"),
        "string": "\\ud800 \U0001f600 å",
        "boolean": True,
        "integer": 5,
        UNPARSED: {"date": invalid},
    }
    assert str(record["number"]) == "0.10"


@pytest.mark.parametrize("invalid", INVALID)
def test_a_page_is_read_despite_an_invalid_row(invalid: str) -> None:
    """The page has its rows, count and link, and the rows have ids, dates and keys."""
    row = f'{{"crm__customer_id": "05", "updated": "2020-02-12", "a": {invalid}, "b": 100200.0}}'
    link = "https://acme.headshed.com/c/?page=2"
    page = PageDecoder(CustomerRow)(
        f'{{"count": 4, "next": "{link}", "results": [{row}, {{"b": 0.10}}]}}'.encode()
    )
    assert (len(page.raw_rows), page.count, page.next, page.is_list) == (2, 4, link, False)
    for fields in (page.rows[0], decode_as(page.raw_rows[0], CustomerRow)):
        assert (fields.customer_id, fields.updated_on) == ("05", "2020-02-12")
    assert decode_row(page.raw_rows[0])["b"] == Decimal("100200.0")
    assert str(decode_row(page.raw_rows[1])["b"]) == "0.10"
    assert decode_page(f"[{row}, {row}]".encode()).is_list


def test_an_invalid_row_without_an_id_has_a_key() -> None:
    """A row with lone surrogates in its keys and values gets a surrogate key."""
    row = rb'{"a": NaN, "b": "\ud800", "c\ud800": 1}'
    assert surrogate_key(content_digest(row), 1).startswith("surrogate:")
    for key in decode_row(row):
        key.encode()


def test_a_byte_order_mark_is_ignored() -> None:
    """A list after a byte order mark is decoded as usual."""
    assert [*decode_page(b"\xef\xbb\xbf[{}]").raw_rows] == [b"{}"]
