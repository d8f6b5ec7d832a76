"""Between full loads, each run says how many rows carry no id, and when a full load is due."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault, Traps
from tests.integration.conftest import TODAY
from tests.support.event_runs import CALLFLOW, DAY, EMPTY_PAGE, fill_callflow, night
from tests.support.runs import (
    ASSIGNED,
    CRM,
    CUSTOMERS,
    discover,
    entry_of,
    logged,
    only,
    read,
    sync,
)
from tests.support.sizes import scaled

if TYPE_CHECKING:
    from cube_sandbox import Request, Sandbox
    from cube_sandbox.faults import Kind
    from tests.support.tap_process import TapRun

LATER = TODAY + 31 * DAY


def anonymise(cube: Sandbox, number: int, crm: tuple[int, str] | int = CRM) -> None:
    """Anonymise some customers who are not yet."""
    for customer in [*filter(None, cube.account.customer_ids(crm))][:number]:
        cube.account.anonymise(crm, customer)


def told(run: TapRun, stream: str = CUSTOMERS) -> str:
    """What the summary of a stream says of rows without an id."""
    lines = [line.partition(" unparsed values, ") for line in logged(run, "INFO")]
    (summary,) = (end for start, _, end in lines if start.startswith(f"{stream}: ") and end)
    return summary.partition(", ")[2].rpartition(", ")[0]


def due(run: TapRun, level: str = "INFO") -> dict[str, str]:
    """What a run says of people in the target under their old keys, by stream."""
    lines = [line.partition(": ") for line in logged(run, level)]
    return {stream: text for stream, _, text in lines if "lost their id" in text}


def fully(cube: Sandbox, state: Any, **settings: Any) -> TapRun:  # noqa: ANN401 - a state, settings
    """Load all customers, as the weekly job does."""
    catalog = discover(cube, **settings)
    entry_of(catalog)["replication_method"] = "FULL_TABLE"
    return sync(cube, catalog=catalog, state=state, **settings)


def parts(state: Any, stream: str = CUSTOMERS) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    """The partitions of a stream in a state."""
    found: list[dict[str, Any]] = state["bookmarks"][stream]["partitions"]
    return found


def test_each_run_tells_how_many_rows_carry_no_id(cube: Sandbox) -> None:
    """Those that came since the last full load stand under their old keys until the next one."""
    cube.reset(customers=17, anonymised=7)
    first = sync(cube, **only(CRM))
    assert told(first) == "7 rows without an id (anonymised)"
    anonymise(cube, 3)
    second = sync(cube, state=first.state, **only(CRM))
    assert told(second) == "10 rows without an id (anonymised), 3 more than in the last run"
    assert due(second)[CUSTOMERS].startswith("3 rows lost their id since the full load of ")
    third = sync(cube, state=second.state, **only(CRM))
    assert told(third) == "10 rows without an id (anonymised), as many as in the last run"
    assert due(third) == due(second)
    assert parts(third.state) == parts(second.state)
    full = fully(cube, third.state, **only(CRM))
    assert told(full) == told(third)
    last = sync(cube, state=full.state, **only(CRM))
    assert due(first) == due(full) == due(last) == {}


def test_rows_that_go_do_not_hide_those_that_come(cube: Sandbox) -> None:
    """Two old rows without an id were deleted, and then a customer was anonymised."""
    cube.reset(anonymised=2)
    first = sync(cube, **only(CRM))
    cube.account.delete(CRM, [""])
    second = sync(cube, state=first.state, **only(CRM))
    assert told(second) == "0 rows without an id (anonymised), 2 fewer than in the last run"
    anonymise(cube, 1)
    third = sync(cube, state=second.state, **only(CRM))
    assert due(third)[CUSTOMERS].startswith("1 rows lost their id since")


@pytest.mark.parametrize("generation", scaled(["2017"], ["2017", "2019-draft"]))
def test_rows_that_keep_cubes_own_id_count_as_well(cube: Sandbox, generation: str) -> None:
    """Their key was the imported id, and now is the other one."""
    cube.reset(generation=generation, anonymised=2)
    crm, stream = (9, ASSIGNED) if generation == "2017" else (CRM, CUSTOMERS)
    settings = {"assignment_ids": [9]} if generation == "2017" else only(CRM)
    first = sync(cube, **settings)
    anonymise(cube, 1, crm)
    second = sync(cube, state=first.state, **settings)
    assert told(second, stream).startswith("3 rows without an id (anonymised), 1 more than")


def test_after_a_month_a_warning_says_what_to_do(cube: Sandbox) -> None:
    """Both streams that show customers warn; the call states are those of the campaign."""
    customers = fill_callflow(cube)
    first = night(cube, TODAY)
    cube.account.anonymise(CRM, customers[0])
    second = night(cube, TODAY + 30 * DAY, state=first.state)
    assert due(second).keys() == {CALLFLOW, CUSTOMERS}
    assert due(second, "WARNING") == {}
    third = night(cube, LATER, state=second.state)
    assert due(third) == {}
    assert due(third, "WARNING") == dict.fromkeys(
        (CALLFLOW, CUSTOMERS),
        f"1 rows lost their id since the full load of {TODAY} (anonymised). The target keeps "
        "these people under their old keys until the next one, and the GDPR gives one month to "
        "erase them. Run a full load now (docs/erasure.md).",
    )
    assert due(night(cube, LATER), "WARNING") == {}


@pytest.mark.parametrize("fault", scaled(["500"], ["500", "empty", "uncertain"]))
def test_a_crm_that_is_not_surely_read_keeps_its_number(cube: Sandbox, fault: str) -> None:
    """It neither vanishes from the sum nor comes back as a change."""
    cube.reset(anonymised=2)
    crms = only(*cube.account.crms[:2])
    first = sync(cube, **crms)
    where = cube.account.crms[0]
    anonymise(cube, 1, where)
    path = "/api/v1/data_owners/{}/{}/customers/".format(*where)

    def inject(request: Request) -> None:
        if request.path == path and fault != "uncertain":
            kind: Kind = "500" if fault == "500" else "not-json"
            cube.faults.append(Fault(kind, at=request.number, body=EMPTY_PAGE))

    cube.before_request = inject
    cube.traps = Traps(count=lambda number: number + 1) if fault == "uncertain" else Traps()
    second = read(cube, state=first.state, on_incomplete_read="warn", **crms)
    assert told(second).startswith("4 rows without an id (anonymised)")
    assert "more than" not in told(second)
    assert "fewer than" not in told(second)
    cube.before_request, cube.faults, cube.traps = None, [], Traps()
    third = sync(cube, state=second.state, **crms)
    assert told(third) == "5 rows without an id (anonymised), 1 more than in the last run"


@pytest.mark.parametrize(
    "number",
    scaled(["7", 10**400], ["7", 10**400, None, -1, 1.5, True, [7]]),
    ids=lambda value: str(value)[:9],
)
def test_a_number_that_is_damaged_does_not_count(cube: Sandbox, number: object) -> None:
    """The run compares nothing, and the next one does."""
    cube.reset(anonymised=2)
    state: Any = deepcopy(sync(cube, **only(CRM)).state)
    for name in ("without_id", "without_id_loaded"):
        parts(state)[0][name] = number
    damaged = sync(cube, state=state, **only(CRM))
    assert told(damaged) == "2 rows without an id (anonymised)"
    assert due(damaged) == {}
    assert parts(damaged.state)[0]["without_id"] == 2


def test_a_state_of_an_earlier_version_has_no_numbers(cube: Sandbox) -> None:
    """The first run with it begins to count."""
    cube.reset(anonymised=2)
    state: Any = deepcopy(sync(cube, **only(CRM)).state)
    names = ("without_id", "without_id_loaded", "loaded", "version", "activated")
    for part in [*parts(state), state["bookmarks"][CUSTOMERS]]:
        for name in names:
            part.pop(name, None)
    anonymise(cube, 1)
    second = sync(cube, state=state, **only(CRM))
    assert told(second) == "3 rows without an id (anonymised)"
    anonymise(cube, 1)
    third = sync(cube, state=second.state, **only(CRM))
    assert told(third) == "4 rows without an id (anonymised), 1 more than in the last run"
    assert due(third)[CUSTOMERS].startswith("1 rows lost their id")
