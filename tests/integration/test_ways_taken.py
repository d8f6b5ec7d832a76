"""Which way records take: past the SDK where it has nothing to do with them, else through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.batch_runs import into, rows
from tests.support.runs import (
    CRM,
    CUSTOMERS,
    Record,
    discover,
    entry_of,
    ids,
    only,
    read,
    read_at,
    set_selected,
)
from tests.support.ways import watched

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cube_sandbox import Sandbox
    from tests.support.tap_process import TapRun

EMAIL = "crm__standard_info__email"
NAME = "crm__standard_info__name"
COPY = "people"
DETAILS = "data_owner_customer_details"

FAST = 0
OWN = 12
"""Records that take the SDK's way: none of the account's twelve, or all."""

CONDITIONS: dict[str, tuple[int, dict[str, Any]]] = {
    "nothing": (FAST, {}),
    "no maps": (FAST, {"stream_maps": {}}),
    "a map of another stream": (FAST, {"stream_maps": {"campaigns": {"x": "'y'"}}}),
    "flattening that is off": (FAST, {"flattening_enabled": False, "flattening_max_depth": 2}),
    "label names": (FAST, {"custom_field_names": "label"}),
    "a map": (OWN, {"stream_maps": {CUSTOMERS: {"crm_type": "crm_type"}}}),
    "a filter": (OWN, {"stream_maps": {CUSTOMERS: {"__filter__": "True"}}}),
    "an alias": (OWN, {"stream_maps": {CUSTOMERS: {"__alias__": COPY}}}),
    "a duplicate": (OWN, {"stream_maps": {COPY: {"__source__": CUSTOMERS}}}),
    "flattening": (OWN, {"flattening_enabled": True, "flattening_max_depth": 1}),
}


def customers(run: TapRun, stream: str = CUSTOMERS) -> list[Record]:
    """The records of a run that must have succeeded."""
    assert run.returncode == 0, run.stderr
    return run.records[stream]


@pytest.mark.parametrize("name", CONDITIONS)
def test_each_condition_takes_its_way(cube: Sandbox, name: str) -> None:
    """Whichever it is, the same records come, under the stream's name or its alias."""
    expected, options = CONDITIONS[name]
    names = {"custom_field_names": options.get("custom_field_names", "original")}
    plain = customers(read(cube, **only(CRM), **names))
    with watched() as ways:
        run = read_at(cube.url, auth_token=cube.token, **only(CRM), **options)
    assert ways[CUSTOMERS] == expected
    assert len(plain) == OWN
    streams = {"an alias": [COPY], "a duplicate": [CUSTOMERS, COPY]}.get(name, [CUSTOMERS])
    assert run.schemas.keys() & {CUSTOMERS, COPY} == set(streams)
    for stream in streams:
        assert customers(run, stream) == plain


def test_a_column_that_comes_meanwhile_changes_no_way(cube: Sandbox) -> None:
    """A field added in mid-run is declared, and its records still go past the SDK."""
    added: list[int] = []

    def edit(request: Any) -> None:  # noqa: ANN401 - the sandbox's Request
        if request.row == "C2" and request.page == 3 and not added:
            added.append(cube.account.add_definition(CRM, "Nytt felt"))

    cube.before_request = edit
    with watched() as ways:
        found = customers(read(cube, read_ahead=0, **only(CRM)))
    assert ways[CUSTOMERS] == FAST
    assert any(f"crm__custom_info__{added[0]}" in record for record in found)


def test_a_batch_holds_the_same_and_no_record_is_written(cube: Sandbox, tmp_path: Path) -> None:
    """With `batch_config` rows go to files, and neither way to stdout is taken."""
    plain = read(cube, **only(CRM))
    with watched() as ways:
        run = read_at(cube.url, auth_token=cube.token, **into(tmp_path), **only(CRM))
    assert not ways
    assert customers(run) == []
    assert rows(run)[CUSTOMERS] == rows(plain)[CUSTOMERS]


def read_selected(cube: Sandbox, selected: Mapping[tuple[str, ...], bool]) -> TapRun:
    """Read by a catalog in which a few things are selected, or not: streams and their columns."""
    catalog = discover(cube, **only(CRM))
    for (stream, *columns), is_selected in selected.items():
        set_selected(entry_of(catalog, stream), *columns, selected=is_selected)
    return read(cube, catalog=catalog, **only(CRM))


@pytest.mark.parametrize("unwanted", [[EMAIL], [NAME, "crm__custom_info__67"]])
def test_deselected_fields_stay_out_on_the_fast_way(cube: Sandbox, unwanted: Sequence[str]) -> None:
    """A catalog that leaves fields out costs no detour, and nothing else is missing."""
    plain = customers(read(cube, **only(CRM)))
    with watched() as ways:
        run = read_selected(cube, {(CUSTOMERS, name): False for name in unwanted})
    assert ways[CUSTOMERS] == FAST
    assert not set(unwanted) & run.schemas[CUSTOMERS]["schema"]["properties"].keys()
    assert customers(run) == [
        {name: value for name, value in record.items() if name not in unwanted} for record in plain
    ]


@pytest.mark.parametrize("parent", [True, False], ids=["with parent", "alone"])
def test_a_parent_gives_its_records_to_the_sdk(cube: Sandbox, *, parent: bool) -> None:
    """With selected details the SDK sees whole records, and details of each customer come."""
    plain = customers(read(cube, **only(CRM)))
    with watched() as ways:
        run = read_selected(cube, {(CUSTOMERS,): parent, (DETAILS,): True})
    assert ways[CUSTOMERS] == (OWN if parent else 0)
    assert run.records.get(CUSTOMERS, []) == (plain if parent else [])
    assert ids(customers(run, DETAILS)) == ids(plain)
