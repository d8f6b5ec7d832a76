"""One campaign or CRM that is broken in the account does not hide the others, in any run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cube_sandbox import Fault
from tests.integration.conftest import TODAY
from tests.integration.test_hiccups import fill
from tests.integration.test_remembered import failing
from tests.support.event_runs import ALL_CRMS, DAY, OUTCOMES, night, try_night
from tests.support.in_process import run_in_process
from tests.support.runs import CUSTOMERS, complaint, settings_for
from tests.support.upserts import Upserts

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

NEWEST = 9


@pytest.mark.parametrize("has_state", [False, True])
def test_the_newest_campaign_is_broken(cube: Sandbox, has_state: bool) -> None:  # noqa: FBT001 - has_state
    """Discovery asks it first. Older ones say where outcomes are, and all but it are read."""
    fill(cube)
    state = night(cube, **ALL_CRMS, start_date=str(TODAY)).state if has_state else None
    cube.before_request = failing(cube, "500", f"/api/v1/campaigns/{NEWEST}/call_outcomes")
    run = try_night(cube, TODAY + DAY, state=state, **ALL_CRMS, lookback_days=9)
    sentence = complaint(run)
    assert sentence.startswith(f"{OUTCOMES} of campaigns/{NEWEST}, page 1: HTTP 500 after 3")
    read = {record["campaign__id"] for record in run.records[OUTCOMES]}
    assert read == {*cube.account.campaigns} - {NEWEST}


def test_a_first_run_takes_no_other_address_from_one_that_fails(cube: Sandbox) -> None:
    """Or all later runs would use it."""
    fill(cube)
    cube.faults = [Fault("500", row="C9")]
    run = try_night(cube, **ALL_CRMS)
    assert complaint(run).startswith(f"{OUTCOMES} of campaigns/{NEWEST}, page 1: HTTP 500 after 3")
    assert not [request for request in cube.requests if request.row in {"C7", "C8"}]


@pytest.mark.parametrize("has_state", [False, True])
def test_the_customers_of_one_crm_are_broken(cube: Sandbox, has_state: bool) -> None:  # noqa: FBT001 - has_state
    """All else is read, with the types that the CRM defines, and the next night misses nothing."""
    fill(cube)
    first = night(cube, **ALL_CRMS)
    cube.before_request = failing(cube, "500", "/api/v1/data_owners/1/B2C/customers")
    run = try_night(cube, TODAY, state=first.state if has_state else None, **ALL_CRMS)
    assert complaint(run).startswith("data_owner_customers of data_owners/1/B2C, page 1: HTTP 500")
    read = {(r["data_owner_id"], r["crm_type"]) for r in run.records[CUSTOMERS]}
    assert read == {*cube.account.crms} - {(1, "B2C")}
    warehouse = Upserts()
    warehouse.load(run)
    cube.before_request = None
    warehouse.load(night(cube, TODAY + DAY, state=run.state, **ALL_CRMS))
    expected = Upserts()
    expected.load(night(cube, TODAY + DAY, **ALL_CRMS))
    if not has_state:
        assert warehouse.rows == expected.rows


@pytest.mark.parametrize("option", ["--discover", "--test", "--test=schema"])
def test_no_catalog_is_written_without_a_crm_that_is_broken(cube: Sandbox, option: str) -> None:
    """It would lack columns for as long as a scheduler keeps it."""
    fill(cube)
    cube.before_request = failing(cube, "500", "/api/v1/data_owners/1/B2C/customers")
    run = run_in_process(settings_for(cube, **ALL_CRMS), extra_args=[option])
    assert complaint(run).startswith("data_owner_customers of data_owners/1/B2C, page 1: HTTP 500")
    assert not run.stdout or option != "--discover"
