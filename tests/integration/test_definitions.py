"""Definitions of custom fields, in every state an account may have them."""

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
    """The properties that are custom fields."""
    return {name: schema for name, schema in properties.items() if "__custom_info__" in name}


def define(cube: Sandbox, *definitions: object) -> None:
    """Let the account answer with these definitions instead of its own."""
    cube.faults = [Fault("not-json", row="C4", body=json.dumps(definitions))]


def test_every_variant_of_a_definition_means_the_same(cube: Sandbox) -> None:
    """`data__type` is `type`, and a missing `lookup__id` is known by the id (T53)."""
    found = []
    for variant in ("type", "data__type", "no-lookup"):
        cube.traps = Traps(definitions=variant)
        properties = custom(columns(discovery(cube, **only(CRM))))
        for schema in properties.values():
            schema.pop("description", None)  # what only some variants tell
        found.append(properties)
    assert len(found[0]) == 22
    assert found[0] == found[1] == found[2]


def test_label_and_hint_explain_a_column(cube: Sandbox) -> None:
    """The catalog shows what the administrator wrote, letter by letter, and enforces none of it."""
    number = cube.account.add_definition(
        CRM, "Pris på «avtalen» %", type="tall", hint="I hele kroner,\nuten øre", max_length=12
    )
    assert columns(discovery(cube, **only(CRM)))[f"crm__custom_info__{number}"] == {
        "type": ["number", "null"],
        "title": "Pris på «avtalen» %",
        "description": "I hele kroner,\nuten øre / At most 12 characters.",
    }


def test_of_repeated_definitions_the_last_counts(cube: Sandbox) -> None:
    """A field that is defined twice is one column and one row, as its last definition says."""
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


def test_definitions_without_an_id_spoil_nothing(cube: Sandbox) -> None:
    """They explain no column; the definition beside them does, and all customers arrive."""
    usable = {"id": 62, "key": "Postnummer", "type": "text"}
    define(cube, {"key": "Uten id"}, {"id": "", "key": "Tom"}, {"id": None}, {}, usable)
    run = sync(cube, **only(CRM))
    assert ids(run.records[CUSTOMERS]) == set(cube.account.customer_ids(CRM))
    assert [r["id"] for r in run.records["custom_fields"]] == [62]


def test_crms_that_contradict_each_other_share_the_wider_type(cube: Sandbox) -> None:
    """The column holds the values of both, as text, and the log names it."""
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


def test_an_id_that_means_a_number_here_and_text_there_is_text(cube: Sandbox) -> None:
    """Ids mean something in their own CRM alone: 21 is a turnover in one, a comment in another."""
    run = discovery(cube, **only((1, "B2C"), CRM))
    schema = columns(run)["crm__custom_info__21"]
    assert schema["type"] == ["string", "null"]
    assert schema["title"] == "Kommentar / Omsetning"
    assert sum("crm__custom_info__21" in line for line in run.stderr.splitlines()) == 1


def test_streams_share_no_contradiction_that_is_not_theirs(cube: Sandbox) -> None:
    """Where one CRM alone has the id, its type is kept, and nothing is said."""
    run = discovery(cube, **only(CRM))
    assert columns(run)["crm__custom_info__21"]["type"] == ["number", "null"]
    assert "crm__custom_info__21" not in run.stderr


@pytest.mark.parametrize("state", ["missing", "forbidden"])
def test_without_definitions_custom_fields_are_text(cube: Sandbox, state: str) -> None:
    """The keys of the first page become columns of text, the log says so, nothing is lost."""
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


def test_definitions_of_one_crm_serve_the_other_nothing(cube: Sandbox) -> None:
    """One CRM whose definitions are forbidden is text; the other keeps its types."""
    cube.faults = [Fault("403", row="H2")]
    run = discovery(cube)
    assert columns(run, ASSIGNED)["crm__custom_info__15"] == TEXT
    assert columns(run)["crm__custom_info__15"]["type"] == ["integer", "null"]
    assert run.stderr.count("shows no definitions") == 2


@pytest.mark.parametrize("naming", ["original", "label"])
def test_thousands_of_definitions_are_thousands_of_columns(cube: Sandbox, naming: str) -> None:
    """An account with 3,000 custom fields is discovered whole, each with a name of its own."""
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


def test_an_unknown_type_is_told_once(cube: Sandbox) -> None:
    """However many fields and CRMs have it, one line says that it is read as text."""
    number, *_ = (
        cube.account.add_definition(where, "Stjerner", type="stjernekart")
        for where in (CRM, CRM, B2C)
    )
    run = sync(cube)
    schema = run.schemas[CUSTOMERS]["schema"]["properties"][f"crm__custom_info__{number}"]
    assert schema["type"] == ["string", "null"]
    assert run.stderr.count("stjernekart") == 1


PLAIN = {
    "customer_id": {"type": ["string"]},
    "crm_type": {"type": ["string"]},
    "updated": {"type": ["string", "null"], "format": "date"},
    "name": TEXT,
    "id": {"type": ["integer", "null"]},
}


def test_labels_like_fixed_columns_leave_them_alone(cube: Sandbox) -> None:
    """Where labels are keys, a fixed field of that name wins (T49), with its own type."""
    cube.reset(without={"C2"})
    for label in PLAIN:
        cube.account.add_definition(CRM, label, type="checkbox")
    run = sync(cube, **only(CRM))
    properties = run.schemas[CUSTOMERS]["schema"]["properties"]
    assert {label: properties[label] for label in PLAIN} == PLAIN
    assert ids(run.records[CUSTOMERS]) == set(cube.account.customer_ids(CRM))
