"""Options of users: fields, names, credential, and features of the SDK."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.support.batch_runs import exact
from tests.support.documented import fenced
from tests.support.in_process import run_in_process
from tests.support.runs import (
    ASSIGNED,
    CRM,
    CUSTOMERS,
    bookmarks,
    discover,
    entry_of,
    ids,
    logged,
    only,
    set_selected,
    settings_for,
    sync,
    unversioned,
)
from tests.support.singer_check import as_message, check

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

NAME = "crm__standard_info__name"
EMAIL = "crm__standard_info__email"


def deselect(catalog: dict[str, Any], stream: str, *columns: str) -> dict[str, Any]:
    """Deselect a stream, or some of its columns."""
    set_selected(entry_of(catalog, stream), *columns, selected=False)
    return catalog


def test_a_deselected_stream_sends_no_message(cube: Sandbox) -> None:
    """It sends no SCHEMA, and its pages are not requested."""
    catalog = deselect(discover(cube), ASSIGNED)
    cube.requests.clear()
    run = sync(cube, catalog=catalog)
    assert run.schemas.keys() == {"campaigns", "custom_fields", CUSTOMERS}
    assert not any(request.row == "S1" and request.page > 1 for request in cube.requests)


@pytest.mark.parametrize("option", [(), ("--test",)])
def test_a_catalog_that_selects_nothing_is_a_warning(
    cube: Sandbox, option: tuple[str, ...]
) -> None:
    """A run without rows would look like any other."""
    catalog = discover(cube, **only(CRM))
    for entry in catalog["streams"]:
        set_selected(entry, selected=False)
    run = run_in_process(settings_for(cube, **only(CRM)), catalog=catalog, extra_args=option)
    assert run.returncode == 0, run.stderr
    assert logged(run, "WARNING") == ["The catalog selects no stream (Meltano: check 'select')."]


def test_a_deselected_field_is_in_no_schema_and_no_record(cube: Sandbox) -> None:
    """Custom and fixed fields can be deselected."""
    field = "crm__custom_info__67"
    catalog = deselect(discover(cube), CUSTOMERS, field, EMAIL)
    run = sync(cube, catalog=catalog)
    properties = run.schemas[CUSTOMERS]["schema"]["properties"]
    assert not {field, EMAIL} & properties.keys()
    assert not any({field, EMAIL} & record.keys() for record in run.records[CUSTOMERS])
    assert any(field in record for record in run.records[ASSIGNED])


def test_keys_stay_when_everything_else_is_deselected(cube: Sandbox) -> None:
    """Key and bookmark are automatic, because targets need them."""
    catalog = discover(cube)
    everything = entry_of(catalog)["schema"]["properties"]
    run = sync(cube, catalog=deselect(catalog, CUSTOMERS, *everything))
    keys = {"data_owner_id", "crm_type", "customer_id", "updated"}
    assert {name for record in run.records[CUSTOMERS] for name in record} == keys
    assert len(run.records[CUSTOMERS]) == 36


def test_label_names_are_readable_and_have_the_same_values(cube: Sandbox) -> None:
    """`custom_field_names: label` names columns by their labels and changes nothing else."""
    original = sync(cube, **only(CRM))
    labelled = sync(cube, custom_field_names="label", **only(CRM))
    labels = cube.account.definitions(CRM)
    properties = labelled.schemas[CUSTOMERS]["schema"]["properties"]
    names = {schema.get("title"): name for name, schema in properties.items()}
    assert names["Antall år"] == "custom__antall_ar"
    assert names["Fast ansatt over 50 %"] == "custom__fast_ansatt_over_50"
    renamed = [
        {
            names[labels[int(name.rpartition("__")[2])]] if "custom_info" in name else name: value
            for name, value in record.items()
        }
        for record in original.records[CUSTOMERS]
    ]
    assert labelled.records[CUSTOMERS] == renamed


def test_labels_with_the_same_name_get_their_ids(cube: Sandbox) -> None:
    """Two labels that differ only in punctuation both get the id of their field."""
    first = cube.account.add_definition(CRM, "Antall år?")
    customer = cube.account.add_customer(CRM, custom={first: "mange", 15: "7"})
    run = sync(cube, custom_field_names="label", **only(CRM))
    (record,) = [r for r in run.records[CUSTOMERS] if r["customer_id"] == customer]
    assert (record[f"custom__antall_ar__{first}"], record["custom__antall_ar__15"]) == ("mange", 7)
    assert "custom__antall_ar" not in run.schemas[CUSTOMERS]["schema"]["properties"]


def test_basic_authentication_reads_the_same_rows(cube: Sandbox) -> None:
    """User name and password replace the token in every request."""
    by_token = sync(cube, **only(CRM))
    cube.requests.clear()
    by_password = sync(
        cube, auth_token=None, username=cube.username, password=cube.password, **only(CRM)
    )
    assert {request.scheme_of_auth for request in cube.requests} == {"Basic"}
    assert by_password.records == by_token.records


@pytest.mark.parametrize("option", ["--test", "--test=schema"])
def test_a_dry_run_checks_that_the_account_can_be_read(cube: Sandbox, option: str) -> None:
    """`--test` succeeds with a valid token and fails with a wrong one."""
    good = run_in_process(settings_for(cube), extra_args=[option])
    bad = run_in_process(settings_for(cube, auth_token="0" * 40), extra_args=[option])
    assert good.returncode == 0, good.stderr
    assert bad.returncode != 0
    assert "'auth_token'" in bad.stderr
    if option == "--test=schema":
        assert good.schemas.keys() >= {CUSTOMERS, ASSIGNED}


def test_stream_maps_hash_and_remove_columns(cube: Sandbox) -> None:
    """A map can emit an e-mail as its hash and remove a name."""
    plain = {r["customer_id"]: r[EMAIL] for r in sync(cube, **only(CRM)).records[CUSTOMERS]}
    maps = {CUSTOMERS: {EMAIL: None, NAME: None, "email_hash": f"md5({EMAIL})"}}
    run = sync(cube, stream_maps=maps, stream_map_config={"hash_seed": ""}, **only(CRM))
    for record in run.records[CUSTOMERS]:
        assert not {NAME, EMAIL} & record.keys()
        email = plain[record["customer_id"]]
        assert record["email_hash"] == hashlib.md5(email.encode()).hexdigest()  # noqa: S324 - the SDK's
    assert not {NAME, EMAIL} & run.schemas[CUSTOMERS]["schema"]["properties"].keys()


def test_a_map_can_write_a_whole_record_as_json(cube: Sandbox) -> None:
    """Records have decimals, on which Python's own module fails; a filter may be null."""
    maps = {CUSTOMERS: {"all": "json.dumps(record)", "__filter__": None}}
    for record in sync(cube, stream_maps=maps, **only(CRM)).records[CUSTOMERS]:
        assert json.loads(record.pop("all")) == record


def test_a_filter_drops_records(cube: Sandbox) -> None:
    """`__filter__` works, the bookmark still moves, and the log does not show the expression."""
    wanted = cube.account.customer_ids(CRM)[0]
    maps = {CUSTOMERS: {"__filter__": f"customer_id == '{wanted}'"}}
    run = run_in_process(settings_for(cube, stream_maps=maps, **only(CRM)))
    assert run.returncode == 0, run.stderr
    assert ids(run.records[CUSTOMERS]) == {wanted}
    assert bookmarks(run).keys() == {CRM}
    assert f"'{wanted}'" not in run.stderr


def test_a_map_of_a_deselected_stream_is_ignored(cube: Sandbox) -> None:
    """The same maps can be used with every selection."""
    catalog = discover(cube, **only(CRM))
    deselect(catalog, CUSTOMERS)
    maps = {CUSTOMERS: {"email_hash": f"md5({EMAIL})"}, "campaigns": {"campaign__name": None}}
    run = sync(cube, catalog=catalog, stream_maps=maps, **only(CRM))
    assert CUSTOMERS not in run.schemas
    assert "campaign__name" not in run.schemas["campaigns"]["schema"]["properties"]


def test_flattening_splits_objects_into_columns(cube: Sandbox) -> None:
    """Objects in records of 2016 become columns, and all records are valid."""
    cube.reset(generation="2016-query")
    run = sync(cube, assignment_ids=[9], flattening_enabled=True, flattening_max_depth=2)
    assert ids(run.records[ASSIGNED]) == set(cube.account.customer_ids(9))
    assert all(
        "object" not in schema["type"]
        for schema in run.schemas[ASSIGNED]["schema"]["properties"].values()
    )


def test_batches_have_the_same_records(cube: Sandbox, tmp_path: Path) -> None:
    """With the documented `batch_config`, customers are written to files of JSON lines."""
    plain = sync(cube, **only(CRM))
    (block,) = fenced("docs/batch.md", "json", "Settings")
    batch = json.loads(f"{{{block}}}")["batch_config"]
    batch["storage"] = {"root": tmp_path.as_uri(), "prefix": "cube-"}
    run = run_in_process(settings_for(cube, batch_config=batch, **only(CRM)))
    assert run.returncode == 0, run.stderr
    check("".join(f"{json.dumps(m)}\n" for m in run.messages if m["type"] != "STATE"))
    found = [
        as_message(exact(line))["record"]
        for message in run.messages
        if message["type"] == "BATCH" and message["stream"] == CUSTOMERS
        for path in message["manifest"]
        for line in gzip.decompress(Path(unquote(urlsplit(path).path)).read_bytes())
        .decode()
        .split("\n")
        if line
    ]
    assert found == [exact(json.dumps(record)) for record in plain.records[CUSTOMERS]]
    assert unversioned(run.state) == unversioned(plain.state)
