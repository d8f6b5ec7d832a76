"""Many incremental runs against a changing account, loaded into a simulated warehouse."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from typing_extensions import override

from cube_sandbox import Fault
from tests.integration.conftest import TODAY
from tests.integration.test_histories import ASIDE, rows_of
from tests.support.event_runs import OSLO, beginning
from tests.support.runs import CRM, CUSTOMERS, bookmarks, only, read
from tests.support.sizes import scaled

if TYPE_CHECKING:
    from cube_sandbox import Sandbox
    from tests.support.tap_process import TapRun

pytestmark = pytest.mark.slow

NIGHT = time(23, tzinfo=OSLO)
NIGHTS = scaled(5, 35)
"""Nights after which the warehouse is compared with the account, at least."""

places = st.floats(0, 1, exclude_max=True)


class Nights(RuleBasedStateMachine):
    """Edits by day and runs by night; each run starts from the state of the last one."""

    def __init__(self, cube: Sandbox, checked: list[date]) -> None:
        """Start with a small account and an empty warehouse; add to the days that were checked."""
        super().__init__()
        cube.reset(generation="2020", without=ASIDE, customers=7, page_size=3)
        self.cube = cube
        self.state: dict[str, Any] | None = None
        self.warehouse: dict[str, dict[str, Any]] = {}
        self.checked = checked

    @override
    def teardown(self) -> None:
        """End with a night that succeeds, and reset the date of the account."""
        self._succeed()
        self.cube.today = TODAY

    def _some(self, place: float) -> str:
        ids = self.cube.account.customer_ids(CRM)
        return ids[int(place * len(ids))]

    def _night(self, **options: Any) -> TapRun:  # noqa: ANN401 - those of `read`
        with beginning(self.cube, datetime.combine(self.cube.day, NIGHT)):
            return read(self.cube, state=self.state, **only(CRM), **options)

    def _load(self, run: TapRun) -> None:
        for record in run.records.get(CUSTOMERS, []):
            self.warehouse[record["customer_id"]] = record
        if run.state:
            self.state = run.state

    @rule(updated=st.sampled_from([TODAY, None, date(2099, 1, 1)]))
    def add(self, updated: date | None) -> None:
        """Add a customer: of today, without a date, or with a mistyped date."""
        day = self.cube.today if updated == TODAY else updated
        self.cube.account.add_customer(CRM, updated=day)

    @precondition(lambda self: self.cube.account.count(CRM))
    @rule(place=places, number=st.integers(0, 99))
    def change(self, place: float, number: int) -> None:
        """Change a customer on the current day."""
        email = f"changed.{number}@example.com"
        self.cube.account.update_customer(CRM, self._some(place), email=email)

    @precondition(lambda self: self.cube.account.count(CRM))
    @rule(place=places)
    def delete(self, place: float) -> None:
        """Delete a customer; the warehouse keeps the row."""
        self.cube.account.delete_customer(CRM, self._some(place))

    @rule(days=st.integers(1, 40))
    def pass_days(self, days: int) -> None:
        """Let days pass without a run."""
        self.cube.today = self.cube.day + timedelta(days=days)

    @rule(fails=st.integers(0, 3).map(lambda number: number == 3))
    def run(self, *, fails: bool) -> None:
        """Run the tap; a page fails in some nights, if there are several pages."""
        if fails and self.cube.account.count(CRM) > 3:
            self._fail()
        else:
            self._succeed()

    def _succeed(self) -> None:
        """Run the tap; afterwards the warehouse has the current rows of the account."""
        self.cube.page_size = 3
        run = self._night()
        assert run.returncode == 0, run.stderr
        self._load(run)
        self.cube.page_size = 1000
        for row in rows_of(self.cube):
            assert row.items() <= self.warehouse[row["crm__customer_id"]].items() | {
                (key, "") for key, value in row.items() if value == ""
            }
        assert all(day <= self.cube.day.isoformat() for day in bookmarks(run).values())
        self.checked.append(self.cube.day)

    def _fail(self) -> None:
        """Run with a page that fails; rows and state that were emitted are kept."""
        self.cube.page_size = 3
        fault = Fault("500", row="C2", page=2)
        run = self._night(max_retries=0, discovered=lambda: self.cube.faults.append(fault))
        self.cube.faults.clear()
        assert run.returncode == 1
        self._load(run)


def test_the_warehouse_is_current_after_each_run(cube: Sandbox) -> None:
    """After each successful run no row is missing, whatever was edited or failed before."""
    checked: list[date] = []

    class OnThisAccount(Nights):
        def __init__(self) -> None:
            super().__init__(cube, checked)

    # Each history ends with a night that is checked, and most have others before.
    run_state_machine_as_test(
        OnThisAccount, settings=settings(max_examples=NIGHTS, stateful_step_count=8)
    )
    assert len(checked) >= NIGHTS
