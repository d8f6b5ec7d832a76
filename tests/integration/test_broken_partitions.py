"""Campaigns and CRMs that are broken, or gone for a night, do not hide the others, in any run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cube_sandbox import Fault
from tap_cube.account.probe import PROBES
from tests.integration.conftest import TODAY
from tests.integration.test_hiccups import fill
from tests.support.event_runs import (
    ALL_CRMS,
    DAY,
    MERSALG,
    ONE_CRM,
    OUTCOMES,
    by_key,
    days_read,
    night,
    try_night,
)
from tests.support.in_process import run_in_process
from tests.support.runs import CUSTOMERS, complaint, logged, settings_for
from tests.support.sizes import scaled
from tests.support.upserts import Upserts

if TYPE_CHECKING:
    from collections.abc import Callable

    from cube_sandbox import Request, Sandbox
    from cube_sandbox.faults import Kind

NEWEST = 9


def failing(cube: Sandbox, kind: Kind, *paths: str) -> Callable[[Request], None]:
    """Let requests for these paths fail."""

    def inject(request: Request) -> None:
        if request.path.startswith(paths):
            cube.faults.append(Fault(kind, at=request.number))

    return inject


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


@pytest.mark.parametrize("has_state", scaled([False], [False, True]))
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


def test_campaigns_that_do_not_answer_do_not_hide_older_ones(cube: Sandbox) -> None:
    """However many of the newest are gone for a night, the stream stays where it was read."""
    fill(cube)
    first = night(cube, **ALL_CRMS)
    newest = [f"/api/v1/campaigns/{number}/" for number in (1, 2, 9)]
    assert len(newest) == PROBES
    cube.before_request = failing(cube, "404", *newest)
    second = night(cube, TODAY + DAY, state=first.state, **ALL_CRMS)
    assert not second.records[OUTCOMES]
    assert days_read(second.state or {})[MERSALG] == TODAY
    cube.before_request = None
    third = night(cube, TODAY + 2 * DAY, state=second.state, **ALL_CRMS)
    assert by_key(third.records[OUTCOMES]).keys() <= by_key(first.records[OUTCOMES]).keys()


def test_types_outlast_customers_that_are_refused_for_a_night(cube: Sandbox) -> None:
    """One CRM is skipped with a warning. Its definitions still decide the columns of all."""
    fill(cube)
    first = night(cube, **ALL_CRMS)
    cube.before_request = failing(cube, "403", "/api/v1/data_owners/2/B2C/customers")
    second = night(cube, TODAY + DAY, state=first.state, **ALL_CRMS)
    assert "data_owners/2/B2C is skipped" in second.stderr
    assert second.records["custom_fields"] == first.records["custom_fields"]
    warehouse = Upserts()
    for run in (first, second):
        warehouse.load(run)
    assert warehouse.columns[OUTCOMES]["crm__custom_info__15"] == ["integer", "null", ""]


def test_what_the_account_no_longer_shows_is_one_warning(cube: Sandbox) -> None:
    """The state keeps it. Whoever no longer names a CRM in the settings is not warned."""
    fill(cube)
    first = night(cube, **ALL_CRMS)
    cube.faults = [
        Fault(
            "not-json",
            row="C1",
            body="""[{"campaign__id": 2,
        "data_owner__id": 2, "campaign__crm_type": "B2B", "assignment__id": 9}]""",
        )
    ]
    second = night(cube, TODAY + DAY, state=first.state, **ALL_CRMS)
    (warning, *others) = logged(second, "WARNING")
    assert all("type of custom fields has changed" in other for other in others)
    assert warning == (
        "The account no longer shows 6 partitions that earlier runs read: assignments/12, "
        "campaigns/1, campaigns/8, campaigns/9, data_owners/1/B2C, data_owners/2/B2C. "
        "Their rows stay in the target as they are."
    )
    assert days_read(second.state or {}).keys() == days_read(first.state or {}).keys()
    cube.faults = []
    named = night(cube, TODAY + DAY, state=first.state, assignment_ids=[9], **ONE_CRM)
    assert "no longer shows" not in named.stderr
