"""`--test`: one line for each selected stream, and no customer's data."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cube_sandbox import Fault
from tests.support.in_process import run_in_process
from tests.support.runs import (
    ASSIGNED,
    CRM,
    CUSTOMERS,
    complaint,
    complaints,
    discover,
    entry_of,
    only,
    set_selected,
    settings_for,
)
from tests.support.singles import OF_CUSTOMERS
from tests.support.tap_process import run_tap

if TYPE_CHECKING:
    from cube_sandbox import Request, Sandbox

OUTCOMES, REGISTRATIONS = "call_outcomes", "product_registrations"


def test_each_stream_is_one_line(cube: Sandbox) -> None:
    """A stream costs at most a request beside those of discovery, whatever it holds."""
    cube.reset(without=(), customers=40, outcomes=60)
    discover(cube)
    requests = len(cube.requests)
    cube.requests.clear()
    run = run_tap(settings_for(cube), extra_args=["--test"])
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == [
        f"{ASSIGNED}: ok, 5 rows seen",
        f"{OUTCOMES}: ok, 5 rows seen",
        "callflow_customers: ok, 5 rows seen",
        "campaigns: ok, 4 rows seen",
        "custom_fields: ok, 22 rows seen",
        f"{CUSTOMERS}: ok, 5 rows seen",
        f"{REGISTRATIONS}: ok, 5 rows seen",
    ]
    assert len(cube.requests) == requests + 3  # discovery has read pages of customers


def test_a_catalog_says_what_is_tested(cube: Sandbox) -> None:
    """Selected details are tested with one customer; deselected streams are not read."""
    catalog = discover(cube, **only(CRM))
    set_selected(entry_of(catalog, OF_CUSTOMERS), selected=True)
    set_selected(entry_of(catalog, "custom_fields"), selected=False)
    cube.requests.clear()
    run = run_in_process(settings_for(cube, **only(CRM)), catalog=catalog, extra_args=["--test"])
    assert run.stdout.splitlines() == [
        "campaigns: ok, 4 rows seen",
        f"{CUSTOMERS}: ok, 1 rows seen",
        f"{OF_CUSTOMERS}: ok, 1 rows seen",
    ]
    assert sum(request.row == "C3" for request in cube.requests) == 1


def test_a_stream_that_fails_is_an_error_and_the_others_are_tested(cube: Sandbox) -> None:
    """Output and log name each failure, and the status is 1."""
    cube.reset(without=(), outcomes=60)

    asked: Counter[str] = Counter()

    def fail(request: Request) -> None:
        asked[request.row or ""] += 1
        if request.row in {"C9", "C11"} and asked[request.row] == 2:  # the first is discovery's
            cube.faults.append(Fault("500", row=request.row))

    cube.before_request = fail
    run = run_in_process(settings_for(cube, max_retries=0, **only(CRM)), extra_args=["--test"])
    errors = complaints(run)
    assert [error.partition(" of ")[0] for error in errors] == [OUTCOMES, REGISTRATIONS]
    lines = dict(line.split(": ", 1) for line in run.stdout.splitlines())
    assert {name for name, text in lines.items() if not text.startswith("ok, ")} == {
        OUTCOMES,
        REGISTRATIONS,
    }
    assert [lines[OUTCOMES], lines[REGISTRATIONS]] == errors


def test_a_stream_map_that_fails_is_found(cube: Sandbox) -> None:
    """Rows go through the maps, as in a run; the other streams are tested, too."""
    maps = {CUSTOMERS: {"x": "float(crm__standard_info__name)"}}
    settings = settings_for(cube, stream_maps=maps, **only(CRM))
    run = run_in_process(settings, extra_args=["--test"])
    assert run.stdout.splitlines() == [
        "campaigns: ok, 4 rows seen",
        "custom_fields: ok, 22 rows seen",
        f"{CUSTOMERS}: {complaint(run)}",
    ]


def test_details_are_tested_without_their_parent(cube: Sandbox) -> None:
    """A deselected parent still says which customer to request."""
    catalog = discover(cube, **only(CRM))
    for entry in catalog["streams"]:
        set_selected(entry, selected=entry["tap_stream_id"] == OF_CUSTOMERS)
    run = run_in_process(settings_for(cube, **only(CRM)), catalog=catalog, extra_args=["--test"])
    assert run.stdout.splitlines() == [f"{OF_CUSTOMERS}: ok, 1 rows seen"], run.stderr


def test_an_account_without_rows_is_readable(cube: Sandbox) -> None:
    """A few empty partitions are enough."""
    cube.reset(customers=0, without=())
    run = run_in_process(settings_for(cube), extra_args=["--test"])
    assert run.returncode == 0, run.stderr
    assert f"{OUTCOMES}: ok, 0 rows seen" in run.stdout.splitlines()
