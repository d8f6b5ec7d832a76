"""The path of records: compiled where the SDK need not change them, else through the SDK."""

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

COMPILED = 0
SDK = 12
"""Records that take the SDK's path: none of the account's twelve, or all."""

CONDITIONS: dict[str, tuple[int, dict[str, Any]]] = {
    "no options": (COMPILED, {}),
    "no maps": (COMPILED, {"stream_maps": {}}),
    "a map of another stream": (COMPILED, {"stream_maps": {"campaigns": {"x": "'y'"}}}),
    "flattening that is off": (COMPILED, {"flattening_enabled": False, "flattening_max_depth": 2}),
    "label names": (COMPILED, {"custom_field_names": "label"}),
    "a map": (SDK, {"stream_maps": {CUSTOMERS: {"crm_type": "crm_type"}}}),
    "a filter": (SDK, {"stream_maps": {CUSTOMERS: {"__filter__": "True"}}}),
    "an alias": (SDK, {"stream_maps": {CUSTOMERS: {"__alias__": COPY}}}),
    "a duplicate": (SDK, {"stream_maps": {COPY: {"__source__": CUSTOMERS}}}),
    "flattening": (SDK, {"flattening_enabled": True, "flattening_max_depth": 1}),
}


def customers(run: TapRun, stream: str = CUSTOMERS) -> list[Record]:
    """The records of a run that must have succeeded."""
    assert run.returncode == 0, run.stderr
    return run.records[stream]


@pytest.mark.parametrize("name", CONDITIONS)
def test_each_condition_takes_the_expected_path(cube: Sandbox, name: str) -> None:
    """Both paths write the same records, under the stream's name or its alias."""
    expected, options = CONDITIONS[name]
    names = {"custom_field_names": options.get("custom_field_names", "original")}
    plain = customers(read(cube, **only(CRM), **names))
    with watched() as counts:
        run = read_at(cube.url, auth_token=cube.token, **only(CRM), **options)
    assert counts[CUSTOMERS] == expected
    assert len(plain) == SDK
    streams = {"an alias": [COPY], "a duplicate": [CUSTOMERS, COPY]}.get(name, [CUSTOMERS])
    assert run.schemas.keys() & {CUSTOMERS, COPY} == set(streams)
    for stream in streams:
        assert customers(run, stream) == plain


def test_a_new_column_does_not_change_the_path(cube: Sandbox) -> None:
    """A field added during the run is declared, and its records stay on the compiled path."""
    added: list[int] = []

    def edit(request: Any) -> None:  # noqa: ANN401 - the sandbox's Request
        if request.row == "C2" and request.page == 3 and not added:
            added.append(cube.account.add_definition(CRM, "Nytt felt"))

    cube.before_request = edit
    with watched() as counts:
        found = customers(read(cube, read_ahead=0, **only(CRM)))
    assert counts[CUSTOMERS] == COMPILED
    assert any(f"crm__custom_info__{added[0]}" in record for record in found)


def test_batches_have_the_same_rows_and_no_records(cube: Sandbox, tmp_path: Path) -> None:
    """With `batch_config` rows are written to files, and neither path to stdout is used."""
    plain = read(cube, **only(CRM))
    with watched() as counts:
        run = read_at(cube.url, auth_token=cube.token, **into(tmp_path), **only(CRM))
    assert not counts
    assert customers(run) == []
    assert rows(run)[CUSTOMERS] == rows(plain)[CUSTOMERS]


def read_selected(cube: Sandbox, selected: Mapping[tuple[str, ...], bool]) -> TapRun:
    """Read with a catalog in which streams and columns are selected or deselected."""
    catalog = discover(cube, **only(CRM))
    for (stream, *columns), is_selected in selected.items():
        set_selected(entry_of(catalog, stream), *columns, selected=is_selected)
    return read(cube, catalog=catalog, **only(CRM))


@pytest.mark.parametrize("unwanted", [[EMAIL], [NAME, "crm__custom_info__67"]])
def test_deselected_fields_stay_out_on_the_compiled_path(
    cube: Sandbox, unwanted: Sequence[str]
) -> None:
    """Deselection keeps the compiled path, and no other field is missing."""
    plain = customers(read(cube, **only(CRM)))
    with watched() as counts:
        run = read_selected(cube, {(CUSTOMERS, name): False for name in unwanted})
    assert counts[CUSTOMERS] == COMPILED
    assert not set(unwanted) & run.schemas[CUSTOMERS]["schema"]["properties"].keys()
    assert customers(run) == [
        {name: value for name, value in record.items() if name not in unwanted} for record in plain
    ]


@pytest.mark.parametrize("parent", [True, False], ids=["with parent", "alone"])
def test_records_of_a_parent_take_the_path_of_the_sdk(cube: Sandbox, *, parent: bool) -> None:
    """With selected details the SDK gets complete records, and each customer has details."""
    plain = customers(read(cube, **only(CRM)))
    with watched() as counts:
        run = read_selected(cube, {(CUSTOMERS,): parent, (DETAILS,): True})
    assert counts[CUSTOMERS] == (SDK if parent else 0)
    assert run.records.get(CUSTOMERS, []) == (plain if parent else [])
    assert ids(customers(run, DETAILS)) == ids(plain)
