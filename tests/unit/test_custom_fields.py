"""Definitions of custom fields become columns: their types and titles."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_cube.account.custom_fields import SCHEMAS, CustomField, property_schema, read_definitions
from tests.support.definitions import CRM, OTHER_CRM, field


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ("text string char varchar textarea choice choices select dropdown radio email", "string"),
        ("phone url link list tekst nedtrekk nedtrekksliste valg e-post epost telefon", "string"),
        ("number decimal float double numeric currency money percent", "number"),
        ("tall desimal desimaltall valuta beløp prosent", "number"),
        ("integer int bigint heltall", "integer"),
        ("checkbox boolean bool avkrysning avkrysningsboks ja/nei yes/no", "boolean"),
        ("date dato", "date"),
        ("datetime date-time timestamp tidspunkt dato/tid", "date-time"),
    ],
)
def test_names_of_types_in_two_languages(names: str, kind: str) -> None:
    """English and Norwegian names are known, in upper or lower case and with spaces around."""
    for name in names.split():
        for spelling in (name, name.upper(), f" {name.title()} "):
            assert field(type_name=spelling).kind == kind, spelling
            assert field(type_name=spelling).is_known


@pytest.mark.parametrize(
    ("name", "kind"),
    [("drop down", "string"), ("long text", "string"), ("date time", "date-time"),
     ("dato og tid", "date-time"), ("check box", "boolean"), ("whole number", "integer")],
)  # fmt: skip
def test_names_of_types_in_two_words(name: str, kind: str) -> None:
    """Names of several words are known too."""
    assert field(type_name=name).kind == kind


@pytest.mark.parametrize("name", ["", "signature", "text;", "numberr", "字", "None"])
def test_an_unknown_type_is_text(name: str) -> None:
    """An unknown type is text, and the field is marked as unknown."""
    assert field(type_name=name).kind == "string"
    assert not field(type_name=name).is_known


def test_the_documented_definition() -> None:
    """The documented sample (row C4) becomes a field with all its attributes."""
    definition = {
        "id": 64,
        "key": "Address street",
        "type": "text",
        "max_length": 200,
        "hint": "As in the register",
        "lookup__id": "crm__custom_info__64",
    }
    assert read_definitions(CRM, [definition]) == [
        CustomField(
            CRM, 64, "crm__custom_info__64", "Address street", "text", 200, "As in the register"
        )
    ]


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ({"id": 64, "key": "A", "data__type": "date"}, {"kind": "date"}),
        ({"id": 64, "type": "number", "data__type": "date"}, {"kind": "number"}),
        ({"id": 64, "type": "", "data__type": "date"}, {"kind": "date"}),
        ({"id": 64}, {"type_name": "text", "label": "", "hint": "", "max_length": None}),
        ({"id": 64}, {"key": "crm__custom_info__64"}),
        ({"id": 64, "lookup__id": ""}, {"key": "crm__custom_info__64"}),
        ({"id": 64, "lookup__id": None}, {"key": "crm__custom_info__64"}),
        ({"id": 64, "lookup__id": "crm__extra__64"}, {"key": "crm__extra__64"}),
        ({"id": "64"}, {"id": 64, "key": "crm__custom_info__64"}),
        ({"id": 64, "key": None, "hint": 5, "type": 7}, {"label": "", "hint": ""}),
        ({"id": 64, "max_length": "999"}, {"max_length": 999}),
        ({"id": 64, "max_length": "long"}, {"max_length": None}),
        ({"id": 64, "max_length": True}, {"max_length": None}),
        ({"id": 64, "key": "Lånebeløp\u2028", "unknown": []}, {"label": "Lånebeløp\u2028"}),
    ],
)
def test_definitions_of_every_generation_are_read(
    definition: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Attributes that were added, removed or renamed over the years are optional (T53)."""
    (read,) = read_definitions(CRM, [definition])
    assert {name: getattr(read, name) for name in expected} == expected


NO_IDS: list[object] = [None, "", "x", [], {}, True, -5, 1.5, Decimal("1.5"), Decimal("1e999999")]


@pytest.mark.parametrize("id_", [*NO_IDS, "\uff18", "9" * 5000])
def test_a_definition_without_a_usable_id_is_skipped(id_: object) -> None:
    """The definition is skipped, and the one after it is read."""
    read = read_definitions(CRM, [{"id": id_, "key": "A"}, {"key": "B"}, {"id": 7, "key": "C"}])
    assert [(f.id, f.label) for f in read] == [(7, "C")]


def test_the_last_of_two_definitions_with_one_id_is_used() -> None:
    """A repeated definition replaces the field."""
    read = read_definitions(CRM, [{"id": 7, "key": "A"}, {"id": 8}, {"id": "7", "key": "B"}])
    assert [(f.id, f.label) for f in read] == [(7, "B"), (8, "")]


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        (["number", "number"], "number"),
        (["int", "number"], "number"),
        (["text", "number"], "string"),
        (["date", "datetime"], "string"),
        (["checkbox", "int"], "string"),
        (["date", "never seen"], "string"),
        (["int", "number", "text"], "string"),
    ],
)
def test_the_wider_of_two_types_wins(types: list[str], kind: str) -> None:
    """CRMs with different types share the type that holds all their values."""
    fields = [field(type_name=name) for name in types]
    assert property_schema(fields) == property_schema(fields[::-1])
    assert property_schema(fields) == SCHEMAS[kind]  # type: ignore[index]


def test_titles_and_descriptions_join_those_of_all_crms() -> None:
    """Labels form the title, hints and lengths the description, without repetition."""
    schema = property_schema(
        [
            field(label="Antall år", hint="Hele år", max_length=3),
            field(label="Years", hint="Hele år", max_length=3, partition=OTHER_CRM),
        ]
    )
    assert schema["title"] == "Antall år / Years"
    assert schema["description"] == "Hele år / At most 3 characters."
    assert "maxLength" not in schema


def test_each_call_returns_a_new_schema() -> None:
    """Changing the schema of one column does not change another."""
    property_schema([field()])["title"] = "mine"
    assert property_schema([field()]) == {"type": ["string", "null"]}


json_values = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(
                ["id", "key", "type", "data__type", "max_length", "hint", "lookup__id"]
            ),
            json_values | st.decimals(allow_nan=False, allow_infinity=False),
        ),
        max_size=4,
    )
)
def test_any_definitions_can_be_read(rows: list[dict[str, Any]]) -> None:
    """Definitions with any JSON are read or skipped."""
    fields = read_definitions(CRM, rows)
    assert len({f.id for f in fields}) == len(fields)
    if fields:
        assert set(property_schema(fields)) <= {"type", "format", "title", "description"}
