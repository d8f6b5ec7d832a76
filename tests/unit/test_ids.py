"""Ids in every spelling, and keys that no two rows share."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tap_cube.records.codec import decode_row
from tap_cube.records.ids import by_id, id_text, imported_key, whole_id
from tap_cube.records.page import PageDecoder
from tap_cube.records.rows import (
    CallflowRow,
    CustomerRow,
    EventRow,
    days_of_change,
    decode_as,
    identities,
    record_keys,
)
from tap_cube.streams.callflow import key_by_names


def decoded(text: str) -> Any:  # noqa: ANN401 - any JSON
    """A value as rows are decoded."""
    return decode_row(b'{"v": %b}' % text.encode())["v"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7", 7),
        ("0", 0),
        ("7.0", 7),
        ("7e0", 7),
        ("1.2e1", 12),
        ('"7"', 7),
        ('" 7 "', 7),
        ('"007"', 7),
        ('"7.0"', 7),
        ("999999999999999999", 999999999999999999),
        *[
            (text, None)
            for text in (
                '""', "null", "true", "false", "[7]", '{"id": 7}', "-3", '"-3"', '"+7"', "1.5",
                '"1.5"', '"1e3"', '"0x7"', '"7_0"', '"7 0"', '"\u0663"', '"\u00b2"', '"abc"',
                "1000000000000000000", '"1000000000000000000"', "1e400", "1e99999999999999999999",
                "NaN", "Infinity", "-Infinity", "9" * 5000, f'"{"9" * 5000}"', '"\\ud800"',
            )
        ],
    ],
)  # fmt: skip
def test_a_whole_id(text: str, number: int | None) -> None:
    """Numbers, and numbers in text, are read; whatever else comes is no id."""
    assert whole_id(decoded(text)) == number


def test_rows_by_id() -> None:
    """Two spellings of one id are one row, the last; rows without an id are left out."""
    rows: list[dict[str, Any]] = [{"n": 1, "a": 1}, {"n": "2"}, {"n": 1.0, "a": 2}, {}, {"n": "x"}]
    assert by_id(rows, "n") == {1: {"n": 1, "a": 2}, 2: {"n": 2}}


IDS = [
    ('"05029249275"', "05029249275"),
    ('"900001.0"', "900001.0"),
    ('" 7"', " 7"),
    ("900001", "900001"),
    ("900001.0", "900001"),
    ("9.00001e5", "900001"),
    ("0", "0"),
    ("-0.0", "0"),
    ("1.5", "1.5"),
    ("0.1000000000000000055", "0.1000000000000000055"),
    ("9007199254740993.0", "9007199254740993"),
    ("9007199254740992.0", "9007199254740992"),
    ("99999999999999999999.5", "99999999999999999999.5"),
    ("999988887777000011112222", "999988887777000011112222"),
    *[(text, None) for text in ('""', "null", "true", "false", "[]", "[5]", "{}")],
]


@pytest.mark.parametrize("name", ["crm__customer_id", "customer_id", "external_customer_id"])
@pytest.mark.parametrize(("text", "customer_id"), IDS)
def test_the_imported_id(name: str, text: str, customer_id: str | None) -> None:
    """A number is the id that people read, and no digit is lost; a text is kept to the letter."""
    row = f'{{"{name}": {text}}}'
    (listed,) = PageDecoder(CustomerRow)(f"[{row}]".encode()).rows
    (strange,) = PageDecoder(CustomerRow)(f'[{{"x": NaN, {row[1:]}]'.encode()).rows
    single = decode_as(row.encode(), CustomerRow)
    assert [each.customer_id for each in (listed, strange, single)] == [customer_id] * 3
    assert single.record_key == single.identity == customer_id


@pytest.mark.parametrize(("text", "internal"), IDS)
def test_the_internal_id(text: str, internal: str | None) -> None:
    """It is the key of a row without an imported id, under its own prefix."""
    row = decode_as(f'{{"crm__customer_id": "", "id": {text}}}'.encode(), CustomerRow)
    assert row.customer_id is None
    assert row.record_key == (None if internal is None else f"id:{internal}")


@pytest.mark.parametrize(
    ("customer_id", "key"),
    [
        ("id:5", "imported:id:5"),
        ("surrogate:0f:1", "imported:surrogate:0f:1"),
        ("imported:id:5", "imported:imported:id:5"),
        ("id", "id"),
        ("ID:5", "ID:5"),
        ("5", "5"),
        (None, None),
    ],
)
def test_an_imported_id_never_looks_like_a_key_of_the_tap(
    customer_id: str | None, key: str | None
) -> None:
    """Only ids that begin like such a key are written otherwise."""
    assert imported_key(customer_id) == key


scalars = (
    st.sampled_from(["id:5", "imported:id:5", "5", "5.0", "surrogate:1:1", ""])
    | st.integers(-1, 6)
    | st.sampled_from([Decimal("5.0"), Decimal("5.5"), Decimal("5.50"), True, None])
)
customers = st.builds(CustomerRow, crm__customer_id=scalars, id=scalars)


@given(customers, customers)
@example(CustomerRow(crm__customer_id="id:5"), CustomerRow(id=5))
def test_customers_share_a_key_only_if_they_share_an_id(
    one: CustomerRow, other: CustomerRow
) -> None:
    """Imported and internal ids never meet, in keys and in what tells rows apart."""
    same = (one.customer_id, one.customer_id or id_text(one.id)) == (
        other.customer_id,
        other.customer_id or id_text(other.id),
    )
    assert (one.record_key == other.record_key) == same
    assert (one.identity == other.identity) == same
    states = [CallflowRow(crm__customer_id=r.crm__customer_id, id=r.id) for r in (one, other)]
    assert (states[0].identity == states[1].identity) == same


texts = st.sampled_from(["5", "id:5", "2024-05-17", "2024-05-17 10:00", "2024-02-30", "", "x"])
sent: st.SearchStrategy[object] = texts | texts | scalars | st.just([]) | st.just({})
ROW_TYPES = (CustomerRow, CallflowRow, EventRow)


@given(
    st.sampled_from(ROW_TYPES),
    st.lists(
        st.fixed_dictionaries({}, optional=dict.fromkeys(CustomerRow.__struct_fields__, sent))
    ),
    st.booleans(),
)
def test_rows_of_a_page_are_read_as_each_of_them_alone(
    row_type: type[CustomerRow],
    pages: list[dict[str, Any]],
    have_ids: bool,  # noqa: FBT001 - drawn
) -> None:
    """Whole pages take a shorter path, also those where every row has an ordinary id."""
    rows = [row_type(**fields) for fields in pages]
    if have_ids:
        for number, row in enumerate(rows):
            row.crm__customer_id = ("5", "id:5", "\n")[number % 3]
    assert [*identities(rows)] == [row.identity for row in rows]
    assert [*record_keys(rows)] == [row.record_key for row in rows]
    assert [*days_of_change(rows)] == [row.updated_on for row in rows]


@pytest.mark.parametrize(
    "parts",
    [
        ("Fjordmedia AS", "B2B", "Mersalg", "971352"),
        ("Fjordmedia A/S", "B2B", "Nysalg 24/7: 10 %", "0502"),
        ("Fjordmedia AS", "Lenes CSI test", "Mersalg: ny", "id:5"),
        ("", "", "", "surrogate:0f:2"),
    ],
)
def test_the_key_of_a_call_state_is_plain(parts: tuple[str, str, str, str]) -> None:
    """Its names are readable wherever they are clear."""
    assert key_by_names(*parts) == "{}/{}/{}:{}".format(*parts)


names = st.text(st.sampled_from("a/:%2F"), max_size=4) | st.sampled_from(["A/B2B/B", "X:id", "a:1"])
parts = st.tuples(
    names,
    st.sampled_from(["B2B", "B2C", "", "a", "a/B2B"]),
    names,
    st.sampled_from(["5", "id:5", "1:5", "imported:id:5", "surrogate:a:5", "a:id:5"]),
)


@given(parts, parts)
@example(("A", "B2B", "X:id", "5"), ("A", "B2B", "X", "id:5"))
@example(("A/B2B", "B2B", "X", "5"), ("A", "B2B", "B2B/X", "5"))
def test_call_states_share_a_key_only_if_they_share_all_parts(
    one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    """No name is taken for a separator."""
    assert (key_by_names(*one) == key_by_names(*other)) == (one == other)


def test_the_spelling_of_a_number_in_a_row_is_no_other_row() -> None:
    """The key stays when Cube begins to write 900001.0 for 900001."""
    rows = [json.dumps({"crm__customer_id": value}).encode() for value in (900001, 900001.0)]
    assert len({decode_as(row, CustomerRow).record_key for row in rows}) == 1
