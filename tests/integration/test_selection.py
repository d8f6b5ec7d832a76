"""What is not selected never leaves the tap."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.batch_runs import into, rows
from tests.support.event_runs import CALLFLOW, OUTCOMES, REGISTRATIONS, at
from tests.support.in_process import run_in_process
from tests.support.runs import (
    CRM,
    CUSTOMERS,
    discover,
    entry_of,
    logged,
    only,
    settings_for,
    sync,
)
from tests.support.selecting import selected_by
from tests.support.singles import OF_CUSTOMERS
from tests.support.sizes import by_turns
from tests.support.strange_server import CUSTOMERS_PATH, PagesServer, pages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cube_sandbox import Sandbox
    from tests.support.tap_process import TapRun

pytestmark = pytest.mark.xdist_group("meltano")  # imports Meltano

NAME = "crm__standard_info__name"
PHONE = "crm__standard_info__phone_1"
FNR = "crm__standard_info__fnr"
NATIONAL_ID = "01019012345"
KEYS = {"data_owner_id", "crm_type", "customer_id", "updated"}
WAYS = ["records", "batches", "a stream map", "flattening"]


def settings_of(way: str, folder: Path, stream: str = CUSTOMERS) -> dict[str, Any]:
    """Settings that make records take one of the ways to the target."""
    return {
        "records": {},
        "batches": into(folder),
        "a stream map": {"stream_maps": {stream: {"extra": "'x'"}}},
        "flattening": {"flattening_enabled": True, "flattening_max_depth": 1},
    }[way]


def warnings(run: TapRun) -> list[str]:
    """The warnings of a run about keys that stayed out."""
    return [text for text in logged(run, "WARNING") if "stay out" in text]


def customer(number: int, **content: object) -> dict[str, Any]:
    """A customer with a name and a telephone number."""
    return {"crm__customer_id": f"{number}", NAME: f"Kari {number}", PHONE: "99887766", **content}


def two_pages(server: list[PagesServer]) -> Callable[[int], Any]:
    """Customers of whom only those on page 2 have a national id, in a field that is new."""

    def answer(number: int) -> Any:  # noqa: ANN401 - JSON
        found = [customer(number, **({FNR: NATIONAL_ID} if number > 1 else {}))]
        link = f"{server[0].url}{CUSTOMERS_PATH}?page=2" if number == 1 else None
        return {"count": 2, "next": link, "results": found}

    return answer


def run_two_pages(*patterns: str, **settings: object) -> TapRun:
    """Read these customers with a selection."""
    server: list[PagesServer] = []
    with pages(two_pages(server)) as strange:
        server.append(strange)
        config = {"api_url": strange.url, "auth_token": "t", **only(CRM)}
        catalog = run_in_process(config, extra_args=["--discover"]).catalog
        run = run_in_process({**config, **settings}, catalog=selected_by(catalog, *patterns))
    assert run.returncode == 0, run.stderr
    return run


@pytest.mark.parametrize(
    ("way", "patterns"),
    by_turns(
        WAYS,
        [
            [f"{CUSTOMERS}.{NAME}"],
            [f"{CUSTOMERS}.*", "!*.crm__standard_info__phone*"],
            ["*.*", f"!{CUSTOMERS}.crm__standard_info__*"],
        ],
    ),
)
def test_a_key_that_first_appears_on_page_2_stays_out(
    way: str, patterns: list[str], tmp_path: Path
) -> None:
    """If one column is deselected, unknown keys stay out, and one warning names them."""
    run = run_two_pages(*patterns, **settings_of(way, tmp_path))
    found = rows(run)[CUSTOMERS]
    assert len(found) == 2
    assert not any({FNR, PHONE} & record.keys() or NATIONAL_ID in str(record) for record in found)
    assert FNR not in run.schemas[CUSTOMERS]["schema"]["properties"]
    assert NATIONAL_ID not in run.stdout + run.stderr
    (warning,) = warnings(run)
    assert FNR in warning
    assert PHONE not in warning  # deselected by name, which needs no warning


@pytest.mark.parametrize("way", WAYS)
def test_with_the_whole_stream_selected_the_key_comes(way: str, tmp_path: Path) -> None:
    """It comes in the same run, without a warning."""
    run = run_two_pages("*.*", **settings_of(way, tmp_path))
    assert [record.get(FNR) for record in rows(run)[CUSTOMERS]] == [None, NATIONAL_ID]
    assert FNR in run.schemas[CUSTOMERS]["schema"]["properties"]
    assert not warnings(run)


@pytest.mark.parametrize(
    ("stream", "way"),
    by_turns([CUSTOMERS, CALLFLOW, OUTCOMES, REGISTRATIONS, OF_CUSTOMERS], WAYS[:3]),
)
def test_one_selected_column_comes_with_the_keys_alone(
    cube: Sandbox, stream: str, way: str, tmp_path: Path
) -> None:
    """No other column of Cube or of the tap comes, whatever the stream and the way."""
    cube.reset(without=(), outcomes=40)
    catalog = discover(cube, **only(CRM))
    entry = entry_of(catalog, stream)
    automatic = {*entry["key_properties"], entry.get("replication_key")} - {None}
    chosen = selected_by(catalog, f"{stream}.*_phone_1", f"{CUSTOMERS}.crm_type")
    settings = settings_of(way, tmp_path, stream)
    run = sync(cube, catalog=chosen, **only(CRM), **settings)
    found = rows(run)[stream]
    extra = {"extra"} if way == "a stream map" else set()
    assert found
    assert {name for record in found for name in record} == {*automatic, PHONE} | extra
    assert run.schemas[stream]["schema"]["properties"].keys() == {*automatic, PHONE} | extra


EXTRAS = "call_outcome__extra__*"
MELTANO: dict[str, Any] = {
    "MELTANO_EXTRACT__SELECT": [f"{OUTCOMES}.*", f"!{OUTCOMES}.{EXTRAS}"],
    "MELTANO_EXTRACT__METADATA": {OUTCOMES: {EXTRAS: {"selected": False}}},
}


@pytest.mark.parametrize("variable", MELTANO)
def test_keys_that_a_pattern_of_meltano_excludes_stay_out(cube: Sandbox, variable: str) -> None:
    """Also if discovery found none of them, so that the catalog looks like a whole stream."""
    cube.reset(without=(), outcomes=40)
    chosen = selected_by(discover(cube, **only(CRM)), f"{OUTCOMES}.*", f"!{OUTCOMES}.{EXTRAS}")
    cube.account.add_outcome(2, when=at(cube.day), extras={"Fødselsnummer": NATIONAL_ID})
    run = run_in_process(
        settings_for(cube, **only(CRM)),
        catalog=chosen,
        env={variable: json.dumps(MELTANO[variable])},
    )
    assert run.records[OUTCOMES]
    assert NATIONAL_ID not in run.stdout + run.stderr
    assert "call_outcome__extra__" not in run.stdout
    (warning,) = warnings(run)
    assert "Fødselsnummer" in warning


@pytest.mark.parametrize("way", WAYS)
def test_a_deselected_part_of_a_column_stays_out(way: str, tmp_path: Path) -> None:
    """Where the catalog overrides a column to an object, with a part that is not selected."""
    part = {"type": ["string", "null"]}
    info = {"name": "Kari", "fnr": NATIONAL_ID}
    with pages(
        lambda _: {"count": 1, "next": None, "results": [customer(1, info=info)]}
    ) as strange:
        config = {
            "api_url": strange.url,
            "auth_token": "t",
            **only(CRM),
            **settings_of(way, tmp_path),
        }
        catalog = run_in_process(config, extra_args=["--discover"]).catalog
        entry = entry_of(catalog, CUSTOMERS)
        override = {"type": ["object", "null"], "properties": {"name": part, "fnr": part}}
        entry["schema"]["properties"]["info"] = override
        path = ["properties", "info", "properties", "fnr"]
        entry["metadata"].append({"breadcrumb": path, "metadata": {"selected": False}})
        run = run_in_process(config, catalog=catalog)
    assert run.returncode == 0, run.stderr
    (record,) = rows(run)[CUSTOMERS]
    assert "Kari" in str(record)
    assert NATIONAL_ID not in run.stdout + run.stderr + str(record)


HANDWRITTEN: dict[str, list[dict[str, Any]]] = {
    "no metadata": [],
    "the stream's alone": [{"breadcrumb": [], "metadata": {"selected": True}}],
    "by default": [{"breadcrumb": [], "metadata": {"selected-by-default": True}}],
    "a column's alone": [
        {"breadcrumb": ["properties", NAME], "metadata": {"selected": True}},
        {"breadcrumb": ["properties", PHONE], "metadata": {"selected": False}},
    ],
    "as Meltano completes it": [
        {"breadcrumb": [], "metadata": {"inclusion": "automatic", "selected": True}},
        {
            "breadcrumb": ["properties", PHONE],
            "metadata": {"inclusion": "automatic", "selected": False},
        },
        {
            "breadcrumb": ["properties", "customer_id"],
            "metadata": {"inclusion": "available", "selected": False},
        },
    ],
}


@pytest.mark.parametrize(("metadata", "way"), by_turns(HANDWRITTEN, WAYS[:3]))
def test_a_handwritten_catalog_is_completed_by_the_keys(
    cube: Sandbox, metadata: str, way: str, tmp_path: Path
) -> None:
    """Columns that it lacks stay out, but for those of the key and the replication key."""
    text = {"type": ["string", "null"]}
    entry = {
        "tap_stream_id": CUSTOMERS,
        "schema": {"type": "object", "properties": {NAME: text, PHONE: text}},
        "metadata": deepcopy(HANDWRITTEN[metadata]),
    }
    run = sync(cube, catalog={"streams": [entry]}, **only(CRM), **settings_of(way, tmp_path))
    found = rows(run)[CUSTOMERS]
    names = {name for record in found for name in record} - {"extra"}
    is_deselected = PHONE in str(HANDWRITTEN[metadata])
    assert len(found) == 12
    assert names == KEYS | {NAME} | (set() if is_deselected else {PHONE})
    assert run.schemas[CUSTOMERS]["key_properties"] == ["data_owner_id", "crm_type", "customer_id"]
    assert "crm__change_log__updated_by" in warnings(run)[0]


def test_a_schema_override_holds(cube: Sandbox) -> None:
    """The catalog's own type of a column is used, and a column that only the catalog has."""
    catalog = discover(cube, **only(CRM))
    properties = entry_of(catalog)["schema"]["properties"]
    properties[PHONE] = {"type": ["integer", "null"]}
    properties["crm__custom_info__later"] = {"type": ["number", "null"]}
    run = sync(cube, catalog=selected_by(catalog, "*.*"), **only(CRM))
    assert run.schemas[CUSTOMERS]["schema"]["properties"] == properties
    assert all(type(record[PHONE]) in {int, type(None)} for record in run.records[CUSTOMERS])
    assert any(record[PHONE] for record in run.records[CUSTOMERS])
