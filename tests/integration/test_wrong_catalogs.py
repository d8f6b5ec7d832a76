"""Wrong catalogs: one sentence before the first request, or the run is right."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.refusals import refusal
from tests.support.runs import CRM, CUSTOMERS, discover, entry_of, ids, logged, only, sync

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cube_sandbox import Sandbox

Catalog = dict[str, Any]
NAME = "crm__standard_info__name"


def catalog() -> Catalog:
    """A small catalog, as discovery makes it."""
    columns = {
        "data_owner_id": {"type": ["integer"]},
        "crm_type": {"type": ["string"]},
        "customer_id": {"type": ["string"]},
        "updated": {"type": ["string", "null"], "format": "date"},
        NAME: {"type": ["string", "null"]},
    }
    keys = ["data_owner_id", "crm_type", "customer_id"]
    entry = {
        "tap_stream_id": CUSTOMERS,
        "stream": CUSTOMERS,
        "schema": {"type": "object", "properties": columns},
        "key_properties": keys,
        "replication_key": "updated",
        "replication_method": "INCREMENTAL",
        "metadata": [{"breadcrumb": [], "metadata": {"inclusion": "available", "selected": True}}],
    }
    return {"streams": [entry]}


def with_column(schema: object) -> Catalog:
    """A catalog whose column of names has this schema."""
    made = catalog()
    made["streams"][0]["schema"]["properties"][NAME] = schema
    return made


def with_entry(**changes: object) -> Catalog:
    """A catalog whose stream is changed like this."""
    made = catalog()
    made["streams"][0].update(changes)
    return made


def with_metadata(**changes: object) -> Catalog:
    """A catalog whose stream has more metadata."""
    made = catalog()
    more = {name.replace("_", "-"): value for name, value in changes.items()}
    made["streams"][0]["metadata"][0]["metadata"] |= more
    return made


def nested(levels: int) -> Any:  # noqa: ANN401 - any JSON
    """Lists in each other."""
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


NO_OBJECTS: tuple[object, ...] = ([], None, True, False, "x", {})
NO_LISTS: tuple[object, ...] = (None, 7, "x", {})
NO_CATALOGS: tuple[object, ...] = (*NO_OBJECTS, 7, [catalog()])

NO_STREAMS = "the catalog has no list of streams"
NO_STREAM = "the catalog has no stream of this tap"
SHAPES: list[tuple[object, str]] = [
    *((value, NO_STREAMS) for value in NO_CATALOGS),
    *(({"streams": value}, NO_STREAMS) for value in NO_LISTS),
    ({"streams": []}, NO_STREAM),
    ({"streams": [{"tap_stream_id": "users", "schema": {"properties": {}}}]}, NO_STREAM),
    ({"streams": [7]}, "stream 'number 1' is not valid: expected `object`, got `int`"),
    ({"streams": [{}]}, "missing required field `tap_stream_id`"),
    ({"streams": catalog()["streams"] * 2}, "it comes twice"),
    ({"streams": [], "more": nested(100)}, "has more than 40 levels"),
    ({**catalog(), "more": nested(300)}, "has more than 40 levels"),
]
ENTRIES: list[tuple[Catalog, str]] = [
    *((with_entry(schema=value), "at schema") for value in NO_OBJECTS),
    (with_entry(schema={"properties": []}), "expected `object`, got `array` at schema.properties"),
    (with_entry(schema={"type": "array", "properties": {}}), "'array' at schema.type"),
    (with_entry(stream="people"), "its 'stream' must be 'data_owner_customers', too"),
    (with_entry(stream=7), "expected `str | null`, got `int` at stream"),
    (with_entry(tap_stream_id=None), "expected `str`, got `null` at tap_stream_id"),
    (with_entry(metadata=None), "expected `array`, got `null` at metadata"),
    (with_entry(metadata=[7]), "at metadata[0]"),
    (with_entry(metadata=[{"breadcrumb": []}]), "missing required field `metadata`"),
    (with_entry(metadata=[{"breadcrumb": "x", "metadata": {}}]), "at metadata[0].breadcrumb"),
    (with_entry(metadata=[{"breadcrumb": [[]], "metadata": {}}]), "at metadata[0].breadcrumb[0]"),
    *(
        (with_entry(metadata=[{"breadcrumb": path, "metadata": {"selected": False}}]), "must be []")
        for path in ([NAME], ["properties"], ["property", NAME])
    ),
    (with_metadata(selected="false"), "expected `bool | null`, got `str`"),
    (with_metadata(selected=0), "expected `bool | null`, got `int`"),
    (with_metadata(inclusion="always"), "invalid enum value 'always'"),
    (with_metadata(table_key_properties=7), "table-key-properties"),
    *(
        (made, "its replication method must be INCREMENTAL or FULL_TABLE, not")
        for value in ("LOG_BASED", "full_table", "x")
        for made in (
            with_entry(replication_method=value),
            with_metadata(forced_replication_method=value),
            with_metadata(replication_method=value),
        )
    ),
    (with_entry(replication_method=7), "at replication_method"),
    (with_entry(replication_key=NAME), "its replication key must be 'updated'"),
    (with_entry(replication_key=["updated"]), "at replication_key"),
    (with_entry(key_properties=["customer_id"]), "its key is data_owner_id, crm_type, customer_id"),
    (with_entry(key_properties=["nope"]), "its key is data_owner_id, crm_type, customer_id"),
    (with_entry(key_properties="customer_id"), "at key_properties"),
    (
        with_entry(
            tap_stream_id="campaigns", stream=None, key_properties=None, replication_key=None
        ),
        "'campaigns' is not valid: its replication method must be FULL_TABLE, not 'INCREMENTAL'",
    ),
]
COLUMNS: list[tuple[object, str]] = [
    *((value, "expected `object`, got") for value in NO_OBJECTS[:-1]),
    ({}, "missing required field `type`"),
    ({"anyOf": [{"type": "string"}]}, "missing required field `type`"),
    ({"$ref": "#/definitions/x"}, "missing required field `type`"),
    ({"type": []}, "at type"),
    ({"type": 7}, "at type"),
    ({"type": ["string", 7]}, "at type[1]"),
    ({"type": "text"}, "invalid enum value 'text' at type"),
    ({"type": "string", "format": 7}, "at format"),
    ({"type": "string", "maxLength": "7"}, "is not a valid JSON Schema at maxLength"),
    ({"type": "string", "pattern": "("}, "is not a valid JSON Schema at pattern"),
    ({"type": "object", "properties": 7}, "at properties"),
    ({"type": "object", "properties": {"a": True}}, "at properties[...]"),
    ({"type": "array", "items": [{}]}, "at items"),
]
REPAIRED: dict[str, Callable[[Catalog], object]] = {
    "no metadata": lambda entry: entry.pop("metadata"),
    "no keys": lambda entry: entry.pop("key_properties") and entry.pop("replication_key"),
    "no column of a key": lambda entry: entry["schema"]["properties"].pop("customer_id"),
    "no replication key": lambda entry: entry["schema"]["properties"].pop("updated"),
    "not nullable": lambda entry: entry["schema"]["properties"].update({NAME: {"type": "integer"}}),
    "a type twice": lambda entry: entry["schema"]["properties"].update(
        {NAME: {"type": ["string", "string"]}}
    ),
    "keys deselected": lambda entry: entry["metadata"].append(
        {"breadcrumb": ["properties", "customer_id"], "metadata": {"selected": False}}
    ),
    "odd names": lambda entry: entry["schema"]["properties"].update(
        {name: {"type": ["string", "null"]} for name in ("a.b/c", 'd"', "", "\n")}
    ),
    "required": lambda entry: entry["schema"].update(required=[NAME, "nope"]),
    "empty names": lambda entry: entry.update(replication_key="", replication_method=""),
}


@pytest.mark.parametrize(("made", "words"), [*SHAPES, *ENTRIES])
def test_a_wrong_catalog_is_one_sentence(tmp_path: Path, made: object, words: str) -> None:
    """It names the file, the stream and the place, and no request is sent."""
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(made))
    sentence = refusal({}, "--catalog", str(path))
    assert sentence.startswith(f"File '{path}', given to --catalog: the catalog")
    assert words in sentence


@pytest.mark.parametrize(("schema", "words"), COLUMNS)
def test_a_wrong_column_is_named(schema: object, words: str) -> None:
    """The sentence names stream, column and place."""
    sentence = refusal({}, catalog=with_column(schema))
    assert f"'{CUSTOMERS}' is not valid: column '{NAME}'" in sentence
    assert words in sentence


@pytest.mark.parametrize("change", REPAIRED.values(), ids=REPAIRED)
def test_a_catalog_that_says_too_little_is_completed(
    cube: Sandbox, change: Callable[[Catalog], object]
) -> None:
    """Keys keep their columns, and what does not fit its type may be null."""
    made = catalog()
    change(made["streams"][0])
    run = sync(cube, catalog=made, **only(CRM))
    assert ids(run.records[CUSTOMERS]) == set(cube.account.customer_ids(CRM))
    schema = run.schemas[CUSTOMERS]
    assert {"data_owner_id", "crm_type", "customer_id", "updated"} <= schema["schema"][
        "properties"
    ].keys()
    assert schema["key_properties"] == ["data_owner_id", "crm_type", "customer_id"]


@pytest.mark.parametrize("place", ["replication_method", "replication-method", "forced"])
def test_a_full_load_may_be_asked_for_in_any_place(cube: Sandbox, place: str) -> None:
    """In the stream itself, or in its metadata, by either name."""
    made = discover(cube, **only(CRM))
    before = sync(cube, catalog=made, **only(CRM))
    entry = entry_of(made)
    (root,) = (each["metadata"] for each in entry["metadata"] if not each["breadcrumb"])
    if place == "replication_method":
        entry[place] = "FULL_TABLE"
    else:
        root["forced-replication-method" if place == "forced" else place] = "FULL_TABLE"
    run = sync(cube, catalog=made, state=before.state, **only(CRM))
    assert len(run.records[CUSTOMERS]) == len(before.records[CUSTOMERS])


def test_streams_of_other_taps_are_ignored_with_a_warning(cube: Sandbox) -> None:
    """The rest of the catalog is read."""
    made = catalog()
    made["streams"].append({"tap_stream_id": "users", "schema": {}})
    run = sync(cube, catalog=made, **only(CRM))
    assert any("they are ignored: users" in line for line in logged(run, "WARNING"))
    assert run.records.keys() == {CUSTOMERS}
