"""Campaigns and CRMs whose events are forbidden or gone are skipped; the others are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cube_sandbox import Fault
from tests.support.event_runs import (
    ALL_CRMS,
    ARCHIVED,
    CALLFLOW,
    MERSALG,
    OUTCOMES,
    REGISTRATIONS,
    fill_campaigns,
    marks,
    night,
    try_night,
)
from tests.support.runs import complaint, logged
from tests.support.sizes import scaled

if TYPE_CHECKING:
    from cube_sandbox import Sandbox
    from cube_sandbox.faults import Request

OTHER_ENDPOINTS = ("C5", "C7", "C8", "C10")


@pytest.mark.parametrize("campaign", scaled([9], [1, 2, 9]))
def test_a_forbidden_campaign_is_a_warning(cube: Sandbox, campaign: int) -> None:
    """The log names the forbidden campaign; the others are read."""
    fill_campaigns(cube, forbidden={f"campaigns/{campaign}"})
    run = night(cube, **ALL_CRMS)
    for stream in (OUTCOMES, REGISTRATIONS, CALLFLOW):
        assert {r["campaign__id"] for r in run.records[stream]} == {1, 2, 8, 9} - {campaign}
        assert f"{stream} of campaigns/{campaign}, page 1: HTTP 403" in run.stderr
    assert campaign not in marks(run)


def test_campaigns_that_are_forbidden_do_not_hide_the_others(cube: Sandbox) -> None:
    """HTTP 403 does not rule out the endpoint; discovery tries the next campaign."""
    newest = {1, 2, 9}
    fill_campaigns(cube, forbidden={f"campaigns/{n}" for n in newest}, without=OTHER_ENDPOINTS)
    run = night(cube, **ALL_CRMS)
    for stream in (OUTCOMES, REGISTRATIONS, CALLFLOW):
        assert {r["campaign__id"] for r in run.records[stream]} == {ARCHIVED}
        for campaign in newest:
            assert f"{stream} of campaigns/{campaign}, page 1: HTTP 403" in run.stderr


def test_a_stream_that_is_completely_forbidden_is_logged(cube: Sandbox) -> None:
    """Warnings say that the permission is missing; the other streams are read."""
    fill_campaigns(
        cube, forbidden={f"campaigns/{n}" for n in (1, 2, 8, 9)}, without=OTHER_ENDPOINTS
    )
    run = night(cube, **ALL_CRMS)
    assert run.records["data_owner_customers"]
    warnings = logged(run, "WARNING")
    for stream in (OUTCOMES, REGISTRATIONS, CALLFLOW):
        assert stream not in run.schemas
        path = f"/api/v1/campaigns/{{campaign__id}}/{stream}/"
        assert f"Stream '{stream}' is forbidden to the credential at {path}" in warnings
        assert f"Nothing to read for stream '{stream}'; it is skipped" in warnings
        assert f"'{stream}' was not found at {path}" not in run.stderr


def test_a_deleted_campaign_is_a_warning(cube: Sandbox) -> None:
    """The list still contained it; the other campaigns are read."""
    fill_campaigns(cube)

    def vanish(request: Request) -> None:
        if request.path.startswith("/api/v1/campaigns/8/"):
            cube.faults.append(Fault("404", at=request.number))

    cube.before_request = vanish
    run = night(cube)
    for stream in (OUTCOMES, REGISTRATIONS, CALLFLOW):
        assert {r["campaign__id"] for r in run.records[stream]} == {MERSALG}
        assert f"campaigns/8 is skipped. {stream} of campaigns/8, page 1: HTTP 404" in run.stderr


def test_a_forbidden_crm_is_an_error_if_the_settings_name_it(cube: Sandbox) -> None:
    """A discovered CRM is skipped; a named one must be readable."""
    fill_campaigns(cube, forbidden={"data_owners/2/B2C"}, without=("C9", "C11", "C6"))
    discovered = night(cube, **ALL_CRMS)
    assert {r["data_owner_id"] for r in discovered.records[OUTCOMES]} == {1, 2}
    assert {r["crm_type"] for r in discovered.records[CALLFLOW]} == {"B2B", "B2C"}
    assert "data_owners/2/B2C" in discovered.stderr
    named = try_night(cube, data_owners=[{"id": 2, "crm_types": ["B2B", "B2C"]}])
    assert "of data_owners/2/B2C, page 1: HTTP 403" in complaint(named)
