"""Definitions of custom fields: variants, duplicates, conflicts and missing ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault, Traps
from tests.support.runs import (
    ASSIGNED,
    CRM,
    CUSTOMERS,
    discovery,
    ids,
    only,
    sync,
)

if TYPE_CHECKING:
    from cube_sandbox import Sandbox
    from tests.support.tap_process import TapRun

Schema = dict[str, Any]
TEXT = {"type": ["string", "null"]}
B2C = (2, "B2C")


def columns(run: TapRun, stream: str = CUSTOMERS) -> dict[str, Schema]:
    """The properties of a stream in a discovered catalog."""
    (entry,) = [entry for entry in run.catalog["streams"] if entry["stream"] == stream]
    properties: dict[str, Schema] = entry["schema"]["properties"]
    return properties


def custom(properties: dict[str, Schema]) -> dict[str, Schema]:
    """The properties of custom fields."""
    return {name: schema for name, schema in properties.items() if "__custom_info__" in name}


def define(cube: Sandbox, *definitions: object) -> None:
    """Let the account respond with these definitions instead of its own."""
    cube.faults = [Fault("not-json", row="C4", body=json.dumps(definitions))]


def test_all_variants_of_a_definition_give_the_same_columns(cube: Sandbox) -> None:
    """`data__type` equals `type`, and the id replaces a missing `lookup__id` (T53)."""
    found = []
    for variant in ("type", "data__type", "no-lookup"):
        cube.traps = Traps(definitions=variant)
        properties = custom(columns(discovery(cube, **only(CRM))))
        for schema in properties.values():
            schema.pop("description", None)  # not in every variant
        found.append(properties)
    assert len(found[0]) == 22
    assert found[0] == found[1] == found[2]


def test_a_column_is_described_by_label_and_hint(cube: Sandbox) -> None:
    """The catalog shows the administrator's text unchanged and enforces no limit."""
    number = cube.account.add_definition(
        CRM, "Pris på «avtalen» %", type="tall", hint="I hele kroner,\nuten øre", max_length=12
    )
    assert columns(discovery(cube, **only(CRM)))[f"crm__custom_info__{number}"] == {
        "type": ["number", "null"],
        "title": "Pris på «avtalen» %",
        "description": "I hele kroner,\nuten øre / At most 12 characters.",
    }


def test_every_row_of_custom_fields_has_every_column(cube: Sandbox) -> None:
    """Columns of other sources are null, so that a target by position cannot shift them."""
    define(cube, {"id": 62, "key": "Postnummer"}, {"hint": "Fem siffer", "id": 63})
    run = sync(cube)
    rows = run.records["custom_fields"]
    (columns,) = {tuple(row) for row in rows}
    assert columns == (
        *("id", "key", "type", "max_length", "hint", "lookup__id"),
        *("source", "assignment_id", "data_owner_id", "crm_type"),
        *("column_name", "readable_name", "unparsed_values"),
    )
    places = {(row["assignment_id"], row["data_owner_id"], row["crm_type"]) for row in rows}
    assert places == {(9, None, None), (12, None, None), *((None, *c) for c in cube.account.crms)}


def test_the_last_of_repeated_definitions_counts(cube: Sandbox) -> None:
    """A field that is defined twice is one column and one row, from its last definition."""
    define(
        cube,
        {"id": 62, "key": "Postnr", "type": "number", "lookup__id": "crm__custom_info__62"},
        {"id": 1, "key": "Klasse", "type": "text"},
        {"id": 62, "key": "Postnummer", "type": "text", "lookup__id": "crm__custom_info__62"},
    )
    run = sync(cube, **only(CRM))
    properties = run.schemas[CUSTOMERS]["schema"]["properties"]
    assert properties["crm__custom_info__62"] == {**TEXT, "title": "Postnummer"}
    labels = {record["id"]: record["key"] for record in run.records["custom_fields"]}
    assert labels == {62: "Postnummer", 1: "Klasse"}


def test_definitions_without_an_id_are_ignored(cube: Sandbox) -> None:
    """They describe no column; other definitions are used, and all customers arrive."""
    usable = {"id": 62, "key": "Postnummer", "type": "text"}
    define(cube, {"key": "Uten id"}, {"id": "", "key": "Tom"}, {"id": None}, {}, usable)
    run = sync(cube, **only(CRM))
    assert ids(run.records[CUSTOMERS]) == set(cube.account.customer_ids(CRM))
    assert [r["id"] for r in run.records["custom_fields"]] == [62]


def test_crms_with_conflicting_types_share_the_wider_type(cube: Sandbox) -> None:
    """The column holds the values of both CRMs as text, and the log names it."""
    first = cube.account.customer_ids(CRM)[0]
    number = cube.account.add_definition(CRM, "Rabatt", type="number")
    other = cube.account.add_definition(B2C, "Rabatt", type="text")
    cube.account.update_customer(CRM, first, custom={number: 12.5})
    second = cube.account.add_customer(B2C, custom={other: "etter avtale"})
    run = sync(cube, custom_field_names="label", **only(CRM, B2C))
    column = "custom__rabatt"
    schema = run.schemas[CUSTOMERS]["schema"]["properties"][column]
    assert schema["type"] == ["string", "null"]
    values = {r["customer_id"]: r[column] for r in run.records[CUSTOMERS] if r.get(column)}
    assert values == {first: "12.5", second: "etter avtale"}
    assert "unparsed_values" not in run.stderr
    assert any(column in line for line in run.stderr.splitlines()), run.stderr


def test_an_id_that_is_a_number_in_one_crm_and_text_in_another_is_text(cube: Sandbox) -> None:
    """Ids are unique per CRM only: 21 is a turnover in one and a comment in another."""
    run = discovery(cube, **only((1, "B2C"), CRM))
    schema = columns(run)["crm__custom_info__21"]
    assert schema["type"] == ["string", "null"]
    assert schema["title"] == "Kommentar / Omsetning"
    assert sum("crm__custom_info__21" in line for line in run.stderr.splitlines()) == 1


def test_a_conflict_in_another_crm_does_not_affect_a_column(cube: Sandbox) -> None:
    """If only one CRM is read, its type is kept, and the log has no warning."""
    run = discovery(cube, **only(CRM))
    assert columns(run)["crm__custom_info__21"]["type"] == ["number", "null"]
    assert "crm__custom_info__21" not in run.stderr


@pytest.mark.parametrize("state", ["missing", "forbidden"])
def test_without_definitions_custom_fields_are_text(cube: Sandbox, state: str) -> None:
    """The keys of the first page become text columns, the log says so, nothing is lost."""
    if state == "missing":
        cube.without = {"C4"}
    else:
        cube.faults = [Fault("403", row="C4")]
    run = sync(cube, **only(CRM))
    assert "data_owners/2/B2B shows no definitions of custom fields" in run.stderr
    assert "custom_fields" not in run.schemas
    found = custom(run.schemas[CUSTOMERS]["schema"]["properties"])
    assert len(found) == 22
    assert all(schema == TEXT for schema in found.values())
    declared = [m for m in run.messages if m["type"] == "SCHEMA" and m["stream"] == CUSTOMERS]
    assert len(declared) == 1
    turnover = [r["crm__custom_info__21"] for r in run.records[CUSTOMERS]]
    assert len(turnover) == 12
    assert all(value.endswith(".0") for value in turnover)


def test_definitions_of_one_crm_do_not_apply_to_another(cube: Sandbox) -> None:
    """Fields of a CRM with forbidden definitions are text; the other CRM keeps its types."""
    cube.faults = [Fault("403", row="H2")]
    run = discovery(cube)
    assert columns(run, ASSIGNED)["crm__custom_info__15"] == TEXT
    assert columns(run)["crm__custom_info__15"]["type"] == ["integer", "null"]
    assert run.stderr.count("shows no definitions") == 2


@pytest.mark.parametrize("naming", ["original", "label"])
def test_thousands_of_definitions_become_columns(cube: Sandbox, naming: str) -> None:
    """Discovery finds all of 3,000 custom fields, each with a unique name."""
    define(
        cube,
        *(
            {"id": number, "key": f"Felt nr. {number % 1500}", "type": "number"}
            for number in range(3000)
        ),
    )
    found = columns(discovery(cube, custom_field_names=naming, **only(CRM)))
    numbers = [name for name, schema in found.items() if schema["type"] == ["number", "null"]]
    assert len(numbers) == 3000


def test_an_unknown_type_is_logged_once(cube: Sandbox) -> None:
    """One line says that it is read as text, however many fields and CRMs have it."""
    number, *_ = (
        cube.account.add_definition(where, "Stjerner", type="stjernekart")
        for where in (CRM, CRM, B2C)
    )
    run = sync(cube)
    schema = run.schemas[CUSTOMERS]["schema"]["properties"][f"crm__custom_info__{number}"]
    assert schema["type"] == ["string", "null"]
    assert run.stderr.count("stjernekart") == 1


def test_labels_do_not_change_fixed_columns_of_the_same_name(cube: Sandbox) -> None:
    """Where labels are keys, a fixed field of the same name wins (T49), with all that it is."""
    cube.reset(without={"C2"})
    fixed = columns(discovery(cube, **only(CRM)))
    labels = ("customer_id", "crm_type", "updated", "name", "id")
    for label in labels:
        cube.account.add_definition(CRM, label, type="checkbox")
    run = sync(cube, **only(CRM))
    properties = run.schemas[CUSTOMERS]["schema"]["properties"]
    assert {name: properties[name] for name in labels} == {name: fixed[name] for name in labels}
    assert ids(run.records[CUSTOMERS]) == set(cube.account.customer_ids(CRM))
