"""The record of every run: a row for each list, whatever became of it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox.faults import Fault
from tap_cube.streams.registry import RUN_LOG
from tests.support.batch_runs import into
from tests.support.runs import CRM, CUSTOMERS, discover, entry_of, only, read, set_selected, sync

if TYPE_CHECKING:
    from pathlib import Path

    from cube_sandbox import Request, Sandbox
    from cube_sandbox.faults import Kind
    from tests.support.tap_process import TapRun

DETAILS = "data_owner_customer_details"
B2B, B2C = "data_owners/2/B2B", "data_owners/2/B2C"


def rows(run: TapRun) -> dict[tuple[str, str], dict[str, Any]]:
    """What a run recorded, by stream and list."""
    found = {(row["stream"], row["source"]): row for row in run.run_log}
    assert len(found) == len(run.run_log)
    return found


def test_a_run_records_what_it_read(cube: Sandbox) -> None:
    """The numbers are those of the records, of the account, and of the requests that it got."""
    cube.reset(customers=8, outcomes=3, page_size=5, anonymised=1)
    cube.account.update_customer(CRM, cube.account.customer_ids(CRM)[0], custom={1: 5})
    run = sync(cube, selected={DETAILS}, **only(CRM))
    found = rows(run)
    (run_id,) = {row["run_id"] for row in found.values()}
    for stream, records in run.records.items():
        own = [row for (name, _), row in found.items() if name == stream]
        assert sum(row["emitted"] for row in own) == sum(row["read"] for row in own) == len(records)
    requests = Counter(request.row for request in cube.requests)
    for row in found.values():
        assert run_id < row["began"] <= row["ended"]
        assert (row["result"], row["complete"], row["run_succeeded"]) == ("complete", True, True)
        assert (row["passes"], row["retries"], row["unchanged"]) == (1, 0, 0)
        if "campaigns/" not in row["source"]:  # discovery asks for them, too
            assert row["requests"] <= requests[row["endpoint"]]
    row = found[CUSTOMERS, B2B]
    assert (row["counted"], row["read"], row["anonymised"], row["endpoint"]) == (8, 8, 1, "C2")

    again = sync(cube, state=run.state, **only(CRM))
    row = rows(again)[CUSTOMERS, B2B]
    assert row["run_id"] > run_id
    assert row["unchanged"] + row["emitted"] == row["read"] == 8
    assert row["unchanged"] > 0


@pytest.mark.parametrize(
    ("kind", "next_one"),
    [("500", "complete"), ("401", "not read")],
    ids=["of a list", "of the run"],
)
def test_a_failure_is_recorded(cube: Sandbox, kind: Kind, next_one: str) -> None:
    """Every row of the run says that it failed, and which lists are whole all the same."""

    def break_down() -> None:
        cube.faults = [Fault(kind, row="C2", page=2, times=1)]

    cube.reset(customers=8, page_size=5)
    run = read(cube, discovered=break_down, max_retries=0, read_ahead=0, **only(CRM, (2, "B2C")))
    found = rows(run)
    assert found[CUSTOMERS, B2B]["result"] == "failed"
    assert found[CUSTOMERS, B2C]["result"] == next_one
    assert not any(row["run_succeeded"] for row in found.values())
    assert {row["complete"] == (row["result"] == "complete") for row in found.values()} == {True}


def test_a_list_that_may_lack_rows_is_recorded(cube: Sandbox) -> None:
    """A run that ends well records all the same which list is not certain to be complete."""
    cube.reset(customers=8, page_size=5)
    cut_short = '{"count": 0, "next": null, "results": []}'
    cube.faults = [Fault("not-json", row="C2", page=2, body=cut_short)]
    run = sync(cube, on_incomplete_read="warn", **only(CRM))
    row = rows(run)[CUSTOMERS, B2B]
    assert (row["result"], row["passes"], row["run_succeeded"]) == ("incomplete", 5, True)


def test_a_list_that_nobody_named_is_skipped(cube: Sandbox) -> None:
    """The credential may not see one of the CRMs that the campaigns show."""

    def refuse(request: Request) -> None:
        if request.path == "/api/v1/data_owners/2/B2C/customers/":
            cube.faults.append(Fault("403", at=request.number))

    cube.before_request = refuse
    row = rows(sync(cube))[CUSTOMERS, B2C]
    assert (row["result"], row["complete"], row["run_succeeded"]) == ("skipped", False, True)
    assert row["began"] is None


def test_campaigns_that_are_over_are_not_recorded_again(cube: Sandbox) -> None:
    """They cost no request, and would be most of the rows."""
    cube.reset(without=(), outcomes=3)
    first = sync(cube)
    ended = {source for _, source in rows(first)} - {
        source for _, source in rows(sync(cube, state=first.state))
    }
    assert ended
    assert all(source.startswith("campaigns/") for source in ended)


def test_the_record_has_no_version_and_is_messages(cube: Sandbox, tmp_path: Path) -> None:
    """A full load deletes no earlier record, and there is no file for a few rows."""
    run = sync(cube, **into(tmp_path), **only(CRM))
    assert run.all_messages[-1] == {"type": "STATE", "value": run.state}  # as some targets need it
    kinds = Counter(m["type"] for m in run.all_messages if m.get("stream") == RUN_LOG)
    assert kinds == {"SCHEMA": 1, "RECORD": len(run.run_log)}
    assert all("version" not in m for m in run.all_messages if m.get("stream") == RUN_LOG)


def test_the_record_can_be_deselected(cube: Sandbox) -> None:
    """Like any other stream; a catalog of an earlier version has none."""
    catalog = discover(cube, **only(CRM))
    set_selected(entry_of(catalog, RUN_LOG), selected=False)
    assert not sync(cube, catalog=catalog, **only(CRM)).run_log
    catalog["streams"] = [each for each in catalog["streams"] if each["stream"] != RUN_LOG]
    assert not sync(cube, catalog=catalog, **only(CRM)).run_log
