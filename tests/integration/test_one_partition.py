"""One campaign or CRM that is broken in the account does not hide the others, in any run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cube_sandbox import Fault
from tests.integration.conftest import TODAY
from tests.integration.test_hiccups import fill
from tests.integration.test_remembered import ALL_CRMS, failing
from tests.support.event_runs import DAY, OUTCOMES, night, try_night
from tests.support.runs import complaint

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
