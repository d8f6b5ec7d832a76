"""An account that sorts customers by the day of their last change, in a real PostgreSQL.

Many customers share a day, and PostgreSQL sorts those anew for each page: some come twice, others
never, although nothing changes and the count is right. Another pass finds no more.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Sandbox, Traps
from tests.support.in_process import run_in_process
from tests.support.runs import (
    CRM,
    CUSTOMERS,
    bookmarks,
    complaint,
    ids,
    logged,
    only,
    settings_for,
    sync,
)
from tests.support.singer_check import check
from tests.support.sizes import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cube_sandbox.postgres import Postgres
    from tests.support.tap_process import TapRun

ROWS, PAGE_SIZE = scaled((300, 25), (2000, 250))
TODAY, TOMORROW = date(2024, 5, 17), date(2024, 5, 18)
SETTLED, UNSETTLED = Traps(), Traps(order_by="-updated")


@pytest.fixture(scope="module")
def running(postgres_server: Postgres) -> Iterator[Sandbox]:
    """An account whose customers were last changed on six days."""
    with Sandbox(
        customers=ROWS,
        outcomes=0,
        changed_within=6,
        page_size=PAGE_SIZE,
        today=TODAY,
        postgres=postgres_server,
    ) as cube:
        yield cube


@pytest.fixture
def cube(running: Sandbox) -> Sandbox:
    """The account as it was."""
    running.reset()
    return running


def read_unsettled(
    cube: Sandbox, *, state: Mapping[str, Any] | None = None, **settings: object
) -> TapRun:
    """Read a CRM whose pages show some rows twice."""
    cube.traps = UNSETTLED
    run = run_in_process(settings_for(cube, **only(CRM), **settings), state=state)
    check(run.stdout, state, may_repeat=True)
    return run


def test_all_rows_arrive_or_the_run_fails(cube: Sandbox) -> None:
    """No run ends green without a row that was there all the time."""
    run = read_unsettled(cube)
    missing = {*cube.account.customer_ids(CRM)} - ids(run.records[CUSTOMERS])
    if run.returncode:
        assert "it is not certain that all rows were read" in complaint(run)
    else:
        assert not missing, f"green without {len(missing)} of {ROWS} rows"


def test_with_warn_the_rows_found_arrive_and_the_bookmark_stays(cube: Sandbox) -> None:
    """One warning names the list, the rows found and the rows counted."""
    before = sync(cube, **only(CRM))
    changed, *_ = cube.account.customer_ids(CRM)
    cube.account.update_customer(CRM, changed, updated=TOMORROW)
    run = read_unsettled(cube, state=before.state, on_incomplete_read="warn")
    assert run.returncode == 0, run.stderr
    assert changed in ids(run.records[CUSTOMERS])
    (warning,) = logged(run, "WARNING")
    assert "data_owners/2/B2B" in warning
    found, counted = sorted(int(number) for number in re.findall(r"\b\d{3,}\b", warning))
    assert found < counted == ROWS
    assert bookmarks(run)[CRM] == bookmarks(before)[CRM]
