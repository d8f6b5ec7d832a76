"""A type that the catalog gives to a column holds for the tap's own columns, too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.conftest import TODAY
from tests.support.batch_runs import into, rows
from tests.support.event_runs import CALLFLOW, ONE_CRM, OUTCOMES, fill_campaigns
from tests.support.runs import (
    CRM,
    CUSTOMERS,
    bookmarks,
    complaint,
    discover,
    entry_of,
    ids,
    logged,
    only,
    read,
    read_at,
    set_selected,
    sync,
)
from tests.support.singles import OF_CUSTOMERS, asked
from tests.support.strange_server import pages

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cube_sandbox import Sandbox

OBJECT = {"type": ["object", "null"]}
INTEGER = {"type": "integer"}
NUMBER = {"type": ["number", "null"]}
TEXT = {"type": ["string", "null"]}
FLATTENED = {"flattening_enabled": True, "flattening_max_depth": 1}
MAPPED = {"stream_maps": {CUSTOMERS: {"twice": "data_owner_id * 2"}}}


def overridden(catalog: dict[str, Any], **types: Mapping[str, object]) -> dict[str, Any]:
    """A catalog with the types of some columns, by stream."""
    for stream, columns in types.items():
        entry_of(catalog, stream)["schema"]["properties"] |= columns
    return catalog


def customers(*sent: dict[str, Any]) -> dict[str, Any]:
    """One page of customers."""
    day = {"crm__change_log__updated": "2024-05-17"}
    return {"count": len(sent), "next": None, "results": [{**day, **row} for row in sent]}


@pytest.mark.parametrize("way", ["RECORD", "BATCH", "flattened", "mapped"])
def test_the_types_of_the_catalog_hold_for_the_tap_s_own_columns(
    cube: Sandbox, tmp_path: Path, way: str
) -> None:
    """Keys, context, dates of change, ids that are looked up, and the columns of definitions."""
    fill_campaigns(cube)
    types: dict[str, dict[str, object]] = {
        CUSTOMERS: {"data_owner_id": TEXT, "updated": TEXT, "customer_id": INTEGER},
        OUTCOMES: {"campaign__id": TEXT, "submitted_at": TEXT, "customer_id": NUMBER},
        CALLFLOW: {"assignment_id": TEXT, "data_owner_id": NUMBER},
        "campaigns": {"campaign__id": TEXT},
        "custom_fields": {"id": TEXT, "data_owner_id": TEXT},
    }
    catalog = overridden(discover(cube, **ONE_CRM), **types)
    ways = {"BATCH": into(tmp_path), "flattened": FLATTENED, "mapped": MAPPED}
    settings = {"auth_token": cube.token, **ONE_CRM}
    plain = rows(read_at(cube.url, **settings))
    run = read_at(cube.url, catalog=catalog, **settings, **ways.get(way, {}))
    assert run.returncode == 0, run.stderr
    found = rows(run)
    # Numbers are shown as text here, and zeros in front of a number are gone.
    assert [r["customer_id"] for r in found[CUSTOMERS]] == [
        r["customer_id"].lstrip("0") for r in plain[CUSTOMERS]
    ]
    (customer, *_), (outcome, *_) = found[CUSTOMERS], found[OUTCOMES]
    assert customer["updated"] == plain[CUSTOMERS][0]["updated"]
    assert customer["data_owner_id"] == "2"
    assert outcome["submitted_at"] == plain[OUTCOMES][0]["submitted_at"]
    for stream in (OUTCOMES, CALLFLOW, "campaigns", "custom_fields"):
        assert len(found[stream]) == len(plain[stream]) > 0


def test_numbers_and_texts_have_the_json_type_of_the_catalog() -> None:
    """The key 1001 is a number, and the id of the data owner is text."""
    answer = customers({"crm__customer_id": "1001"}, {"crm__customer_id": 1002.0})
    with pages(lambda _: answer) as server:
        catalog = read_at(server.url, **only(CRM)).messages
        schema = next(each["schema"] for each in catalog if each.get("stream") == CUSTOMERS)
        schema["properties"] |= {"customer_id": INTEGER, "data_owner_id": TEXT, "crm_type": TEXT}
        chosen = {"streams": [{"tap_stream_id": CUSTOMERS, "schema": schema}]}
        run = read_at(server.url, catalog=chosen, **only(CRM))
    assert run.returncode == 0, run.stderr
    assert [(r["customer_id"], r["data_owner_id"]) for r in run.records[CUSTOMERS]] == [
        (1001, "2"),
        (1002, "2"),
    ]


@pytest.mark.parametrize(
    "sent",
    [["7", "A-113"], ["7", "007"], ["7", "7.0"], ["7", "99999999999999999999"], ["7", ""]],
)
def test_a_key_that_does_not_fit_ends_its_stream(cube: Sandbox, sent: list[str]) -> None:
    """One sentence says what to do, without the id; no bookmark moves; other streams are read."""
    cube.reset(page_size=50)
    state = sync(cube, **only(CRM)).state
    before = bookmarks(sync(cube, **only(CRM)))
    for number, key in enumerate(sent):
        cube.account.add_customer(CRM, customer_id=key, name=f"Kunde {number}")
    catalog = overridden(discover(cube, **only(CRM)), **{CUSTOMERS: {"customer_id": INTEGER}})
    run = read(cube, catalog=catalog, state=state, **only(CRM))
    told = complaint(run)
    assert "'data_owner_customers'" in told
    assert "'customer_id' of the key the type integer" in told
    assert "'schema'" in told
    assert not any(len(key) > 1 and key in told for key in sent)
    assert bookmarks(run) == before
    assert len(run.records["custom_fields"]) > 0


def test_a_value_that_is_no_key_is_kept_beside(cube: Sandbox) -> None:
    """As with Cube's own columns: it is null, and `unparsed_values` has it, in either path."""
    fill_campaigns(cube)
    types = {"customer_id": {"type": ["boolean"]}, "submitted_at": INTEGER, "crm_type": INTEGER}
    catalog = overridden(discover(cube, **ONE_CRM), **{OUTCOMES: types})
    plain = sync(cube, **ONE_CRM).records[OUTCOMES]
    run = sync(cube, catalog=catalog, **ONE_CRM)
    mapped = sync(cube, catalog=catalog, **ONE_CRM, stream_maps={OUTCOMES: {}})
    assert mapped.records[OUTCOMES] == run.records[OUTCOMES]
    for record, own in zip(run.records[OUTCOMES], plain, strict=True):
        assert {record[name] for name in types} == {None}
        assert json.loads(record["unparsed_values"]) == {name: own[name] for name in types}
    told = [line for line in logged(run, "WARNING") if "do not fit" in line]
    assert all(f"{name} 2" in line for line in told for name in types)


@pytest.mark.parametrize("way", ["RECORD", "mapped"])
def test_a_catalog_of_an_earlier_version_gets_unparsed_values_as_an_object(way: str) -> None:
    """So a table with a column of JSON goes on, until the catalog is refreshed."""
    answer = customers(
        {"crm__customer_id": "1", "n": "x"}, {"crm__customer_id": "2", "n": {"a": [1.50, None]}},
        {"crm__customer_id": "3", "n": 5},
    )  # fmt: skip
    names = {"data_owner_id": INTEGER, "crm_type": TEXT, "customer_id": TEXT, "n": INTEGER}
    schema = {"properties": {**names, "unparsed_values": OBJECT}}
    catalog = {"streams": [{"tap_stream_id": CUSTOMERS, "schema": schema}]}
    settings = MAPPED if way == "mapped" else {}
    with pages(lambda _: answer) as server:
        run = read_at(server.url, catalog=catalog, **only(CRM), **settings)
    assert run.returncode == 0, run.stderr
    found = [r["unparsed_values"] for r in run.records[CUSTOMERS]]
    assert found == [{"n": "x"}, {"n": {"a": [1.5, None]}}, None]


@pytest.mark.parametrize("kind", [{"type": "integer"}, {"type": ["array", "null"]}])
def test_unparsed_values_are_text_or_an_object(cube: Sandbox, kind: dict[str, Any]) -> None:
    """Any other type could not hold them, so the catalog is refused."""
    catalog = overridden(discover(cube, **only(CRM)), **{CUSTOMERS: {"unparsed_values": kind}})
    told = complaint(read(cube, catalog=catalog, **only(CRM)))
    assert "'unparsed_values' holds JSON: its type must be string or object" in told


def test_details_are_asked_for_by_the_id_that_cube_has(cube: Sandbox) -> None:
    """Also where the catalog makes a number of it, which has no zeros in front."""
    cube.reset(page_size=50, today=TODAY)
    cube.account.add_customer(CRM, customer_id="0235")
    types = {"customer_id": INTEGER}
    catalog = overridden(discover(cube, **only(CRM)), **{CUSTOMERS: types, OF_CUSTOMERS: types})
    set_selected(entry_of(catalog, OF_CUSTOMERS), selected=True)
    run = sync(cube, catalog=catalog, **only(CRM))
    assert "0235" in asked(cube)
    assert ids(run.records[OF_CUSTOMERS]) == ids(run.records[CUSTOMERS]) >= {235}
