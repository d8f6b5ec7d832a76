"""Where call states are read if an account has not all endpoints: by campaign or by CRM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.conftest import TODAY
from tests.support.event_runs import (
    ARCHIVED,
    CALL_STATE,
    CALLFLOW,
    DAY,
    at,
    by_key,
    fill_callflow,
    night,
    questions,
)
from tests.support.runs import CRM

if TYPE_CHECKING:
    from cube_sandbox import Sandbox


@pytest.mark.parametrize("without", [(), ("C9",)])
def test_without_the_endpoint_of_campaigns_the_crm_is_read(
    cube: Sandbox, without: tuple[str, ...]
) -> None:
    """One request returns the states of all campaigns, and names identify the campaign."""
    customers = fill_callflow(cube, without=("C6", *without))
    for customer in customers[:2]:
        cube.account.set_call_state(ARCHIVED, customer, state="Sale", when=at(TODAY - DAY))
    run = night(cube, TODAY)
    found = by_key(run.records[CALLFLOW], CALLFLOW)
    assert len(found) == len(run.records[CALLFLOW]) == 6
    assert sorted(r["campaign__id"] for r in found.values()) == [2, 2, 2, 2, 8, 8]
    assert {q.row for q in questions(cube, "C5", "C6")} == {"C5"}
    assert {q.path for q in questions(cube, "C5")} == {
        "/api/v1/data_owners/2/crm/B2B/callflow_customers/"
    }
    again = night(cube, TODAY + DAY, state=run.state)
    assert set(by_key(again.records[CALLFLOW], CALLFLOW)) < set(found)


@pytest.mark.parametrize("hidden", [{"without": ("C1",)}, {"forbidden": {"campaigns"}}])
def test_without_a_list_of_campaigns_the_named_crm_is_read(
    cube: Sandbox, hidden: dict[str, Any]
) -> None:
    """The ids of campaigns are unknown, but names still distinguish their states."""
    customers = fill_callflow(cube, **hidden)
    for customer in customers[:2]:
        cube.account.set_call_state(ARCHIVED, customer, state="Sale", when=at(TODAY - DAY))
    run = night(cube, TODAY)
    found = by_key(run.records[CALLFLOW], CALLFLOW)
    assert len(found) == len(run.records[CALLFLOW]) == 6
    assert {(r["campaign__id"], r["data_owner_id"], r["crm_type"]) for r in found.values()} == {
        (None, *CRM)
    }
    assert sorted((r["campaign__name"], r[CALL_STATE]) for r in found.values()) == [
        *[("Mersalg B2B", "Ready")] * 4,
        *[("Nysalg oppfølging", "Sale")] * 2,
    ]
    assert {q.path for q in questions(cube, "C5", "C6")} == {
        "/api/v1/data_owners/2/crm/B2B/callflow_customers/"
    }
    cube.account.set_call_state(ARCHIVED, customers[1], state="Lost", when=at(TODAY + DAY))
    again = by_key(night(cube, TODAY + DAY, state=run.state).records[CALLFLOW], CALLFLOW)
    assert again.keys() < found.keys()
    assert [r["customer_id"] for r in again.values() if r[CALL_STATE] == "Lost"] == [customers[1]]


def test_campaigns_with_the_same_name_keep_separate_states(cube: Sandbox) -> None:
    """Campaigns with one name in two CRMs stay distinct, also where ids are unknown."""
    fill_callflow(cube, without=("C6",))
    duplicate = cube.account.add_campaign((2, "B2C"), "Mersalg B2B")
    cube.account.set_call_state(duplicate, state="Sale", when=at(TODAY))
    run = night(cube, data_owners=None)
    assert len(by_key(run.records[CALLFLOW], CALLFLOW)) == len(run.records[CALLFLOW]) == 5
    assert {r["campaign__id"] for r in run.records[CALLFLOW]} == {None}
