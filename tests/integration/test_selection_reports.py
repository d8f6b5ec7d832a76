"""What a run says of columns that are not selected, and what it must not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault
from tests.support.batch_runs import into, rows
from tests.support.in_process import run_in_process
from tests.support.runs import (
    CRM,
    CUSTOMERS,
    discover,
    entry_of,
    logged,
    only,
    read,
    set_selected,
    settings_for,
    sync,
)
from tests.support.singles import OF_CUSTOMERS

if TYPE_CHECKING:
    from pathlib import Path

    from cube_sandbox import Sandbox
    from tests.support.tap_process import TapRun

NAME = "crm__standard_info__name"
UNPARSED = "unparsed_values"
NATIONAL_ID = "01019012345"


def warnings(run: TapRun) -> list[str]:
    """The warnings of a run about keys that stayed out."""
    return [text for text in logged(run, "WARNING") if "stay out" in text]


def forget(catalog: dict[str, Any], stream: str, column: str) -> None:
    """Take a column out of a catalog, as if it was written before there was one."""
    entry = entry_of(catalog, stream)
    del entry["schema"]["properties"][column]
    entry["metadata"] = [m for m in entry["metadata"] if m["breadcrumb"] != ["properties", column]]


def test_each_stream_warns_once(cube: Sandbox) -> None:
    """However many partitions it has, and also a child stream, which is synced page by page."""
    crms = only(CRM, (2, "B2C"))
    catalog = discover(cube, **crms)
    for stream in (CUSTOMERS, OF_CUSTOMERS):
        set_selected(entry_of(catalog, stream), selected=True)
        forget(catalog, stream, NAME)
    run = sync(cube, catalog=catalog, **crms)
    assert sorted(text.split(":")[0] for text in warnings(run)) == [OF_CUSTOMERS, CUSTOMERS]
    assert all(NAME in text for text in warnings(run))
    messages = [m["stream"] for m in run.messages if m["type"] == "SCHEMA"]
    assert messages.count(OF_CUSTOMERS) == messages.count(CUSTOMERS) == 1


def test_a_stream_that_is_only_read_for_its_children_does_not_warn(cube: Sandbox) -> None:
    """Nothing of it is wanted."""
    catalog = discover(cube, **only(CRM))
    set_selected(entry_of(catalog, OF_CUSTOMERS), selected=True)
    set_selected(entry_of(catalog), selected=False)
    forget(catalog, CUSTOMERS, NAME)
    run = sync(cube, catalog=catalog, **only(CRM))
    assert run.records.keys() >= {OF_CUSTOMERS}
    assert not warnings(run)


def test_a_run_that_breaks_off_warns_of_what_it_saw(cube: Sandbox) -> None:
    """The warning comes before the error."""
    catalog = discover(cube, **only(CRM))
    forget(catalog, CUSTOMERS, NAME)

    fault = Fault("401", row="C2", page=2)
    run = read(cube, catalog=catalog, discovered=lambda: cube.faults.append(fault), **only(CRM))
    assert run.returncode == 1
    assert len(warnings(run)) == 1


@pytest.mark.parametrize("way", ["records", "batches", "a stream map"])
@pytest.mark.parametrize("unwanted", [NAME, UNPARSED])
def test_values_that_do_not_fit_stay_out_with_their_column(
    cube: Sandbox, unwanted: str, way: str, tmp_path: Path
) -> None:
    """Neither the column for them nor the log has the value of a column that is deselected."""
    catalog = discover(cube, **only(CRM))
    entry_of(catalog)["schema"]["properties"][NAME] = {"type": ["integer", "null"]}
    set_selected(entry_of(catalog), unwanted, selected=False)
    cube.account.add_customer(CRM, name=NATIONAL_ID + "x")
    settings = {
        "records": {},
        "batches": into(tmp_path),
        "a stream map": {"stream_maps": {CUSTOMERS: {"extra": "'x'"}}},
    }[way]
    run = run_in_process(settings_for(cube, **only(CRM), **settings), catalog=catalog)
    found = rows(run)[CUSTOMERS]
    assert len(found) == 13
    assert not any(unwanted in record or NATIONAL_ID in str(record) for record in found)
    assert NATIONAL_ID not in run.stdout + run.stderr
    told = [text for text in logged(run, "WARNING") if "do not fit" in text]
    assert [f"'{UNPARSED}' is not selected" in text for text in told] == [True] * (
        unwanted == UNPARSED
    )
