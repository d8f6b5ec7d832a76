"""Call states of customers: a run reads only what changed since the last one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from cube_sandbox import Fault
from tests.integration.conftest import TODAY
from tests.support.event_runs import (
    ARCHIVED,
    CALL_STATE,
    CALLFLOW,
    DAY,
    EMPTY_PAGE,
    MERSALG,
    OUTCOMES,
    at,
    by_key,
    call_states,
    days_read,
    fill_callflow,
    marks,
    night,
    questions,
)
from tests.support.runs import CRM

if TYPE_CHECKING:
    from cube_sandbox import Sandbox


def test_only_changed_rows_are_emitted_again(cube: Sandbox) -> None:
    """The bookmark is the minute of the last change; rows of that minute are emitted again."""
    customers = fill_callflow(cube)
    first = night(cube, TODAY)
    assert call_states(first).keys() == set(customers)
    assert marks(first, CALLFLOW)[MERSALG] == f"{TODAY}T08:00:00+00:00"
    cube.account.set_call_state(MERSALG, customers[2], state="Sale", when=at(TODAY + DAY))
    second = night(cube, TODAY + DAY, state=first.state, lookback_days=0)
    assert call_states(second) == {customers[0]: "Ready", customers[2]: "Sale"}
    assert marks(second, CALLFLOW)[MERSALG] == f"{TODAY + DAY}T08:00:00+00:00"
    old, new = (by_key(run.records[CALLFLOW], CALLFLOW) for run in (first, second))
    assert new.keys() < old.keys()


@pytest.mark.parametrize("lookback", [0, 2])
def test_rows_of_the_lookback_are_emitted_again(cube: Sandbox, lookback: int) -> None:
    """Each run begins so many days before the bookmark, but never before `start_date`."""
    customers = fill_callflow(cube)
    first = night(cube, TODAY)
    second = night(cube, TODAY + DAY, state=first.state, lookback_days=lookback)
    assert call_states(second).keys() == set(customers[: lookback + 1])
    start = (TODAY - DAY).isoformat()
    third = night(cube, TODAY + DAY, state=first.state, lookback_days=2, start_date=start)
    assert call_states(third).keys() == set(customers[:2])


def test_an_archived_campaign_is_read_until_the_lookback_is_over(cube: Sandbox) -> None:
    """Then nothing changes in it any more, and its bookmark shows that it was read since."""
    customers = fill_callflow(cube)
    cube.account.archive(MERSALG, TODAY - DAY)
    path = f"/api/v1/campaigns/{MERSALG}/callflow_customers/"
    state, last, requests = None, None, []
    for days in range(5):
        if days == 2:
            cube.account.set_call_state(MERSALG, customers[3], state="Late", when=at(TODAY - DAY))
        run = night(cube, TODAY + days * DAY, state=state)
        requests.append(len([q for q in questions(cube, "C6") if q.path == path]))
        if days == 2:
            assert call_states(run)[customers[3]] == "Late"
        last, state = state, run.state
    # Discovery looks at one campaign even if all have ended.
    assert [number > 1 for number in requests] == [True, True, True, False, False]
    assert days_read(state or {}, CALLFLOW)[MERSALG] == TODAY + DAY
    assert (state or {})["bookmarks"][CALLFLOW] == (last or {})["bookmarks"][CALLFLOW]


def test_an_archived_campaign_that_seems_empty_is_asked_again(cube: Sandbox) -> None:
    """A list can be empty by mistake for a night; two nights are believed."""
    customers = fill_callflow(cube)
    for campaign in (MERSALG, ARCHIVED):
        cube.account.archive(campaign, TODAY - 9 * DAY)
    empty = Fault("empty-list", row="C6", body=EMPTY_PAGE)
    first = night(cube, TODAY, discovered=lambda: cube.faults.append(empty))
    cube.faults.clear()
    second = night(cube, TODAY + DAY, state=first.state)
    assert not call_states(first)
    assert call_states(second).keys() == set(customers)
    night(cube, TODAY + 2 * DAY, state=second.state)
    assert len(questions(cube, "C6")) == 1  # by discovery


def test_changes_of_the_same_minute_are_not_lost(cube: Sandbox) -> None:
    """Cube gives the minute only; a run may read it before it is over."""
    customers = fill_callflow(cube)
    first = night(cube, TODAY, hour="10:00:10")
    cube.account.set_call_state(MERSALG, customers[3], state="Sale", when=at(TODAY, "10:00:40"))
    second = night(cube, TODAY, state=first.state, lookback_days=0)
    assert call_states(second)[customers[3]] == "Sale"


def test_a_state_in_the_future_does_not_move_the_bookmark_there(cube: Sandbox) -> None:
    """The row is emitted unchanged, and later changes are still emitted."""
    customers = fill_callflow(cube)
    cube.account.set_call_state(
        MERSALG, customers[1], state="Scheduled", when=at(TODAY.replace(year=2099))
    )
    first = night(cube, TODAY, hour="12:00:30")
    assert marks(first, CALLFLOW)[MERSALG] == f"{TODAY}T10:00:00+00:00"
    cube.account.set_call_state(MERSALG, customers[2], state="Sale", when=at(TODAY, "12:00:45"))
    second = night(cube, TODAY, state=first.state, lookback_days=0)
    assert call_states(second) == {customers[1]: "Scheduled", customers[2]: "Sale"}


def test_a_customer_has_a_row_in_each_campaign(cube: Sandbox) -> None:
    """A customer can be in several campaigns; each campaign has its own bookmark."""
    customer = fill_callflow(cube)[0]
    cube.account.set_call_state(ARCHIVED, customer, state="Sale", when=at(TODAY - 9 * DAY))
    run = night(cube, TODAY)
    rows = [r for r in run.records[CALLFLOW] if r["customer_id"] == customer]
    assert {(r["campaign__id"], r[CALL_STATE]) for r in rows} == {
        (MERSALG, "Ready"),
        (ARCHIVED, "Sale"),
    }
    assert len(by_key(rows, CALLFLOW)) == 2
    assert marks(run, CALLFLOW) == {
        MERSALG: f"{TODAY}T08:00:00+00:00",
        ARCHIVED: f"{TODAY - 9 * DAY}T08:00:00+00:00",
    }


def test_products_of_each_campaign_are_columns(cube: Sandbox) -> None:
    """Each campaign adds its `product__CODE` columns, whichever one discovery read."""
    customer = fill_callflow(cube)[0]
    cube.account.set_call_state(ARCHIVED, customer, state="Sale", when=at(TODAY))
    run = night(cube)
    columns = run.schemas[CALLFLOW]["schema"]["properties"]
    assert {"product__MPA", "product__MPC", "product__ProdB", "product__ProdC"} <= columns.keys()


def test_anonymised_customers_keep_their_states(cube: Sandbox) -> None:
    """Rows without an id have keys computed from their content, all of them distinct."""
    customers = fill_callflow(cube)
    for customer in customers[:3]:
        cube.account.anonymise(CRM, customer)
    run = night(cube, TODAY)
    found = by_key(run.records[CALLFLOW], CALLFLOW)
    assert len(found) == len(run.records[CALLFLOW]) == 4
    assert [r["customer_id"] for r in found.values()].count(None) == 3
    assert set(by_key(night(cube, TODAY).records[CALLFLOW], CALLFLOW)) == set(found)


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ("02:30:00+02:00", "02:10:00+01:00"),
        ("02:30:00+02:00", "02:31:00+02:00"),
        ("02:50:00+01:00", "03:00:00+01:00"),
        ("01:59:00+02:00", "02:00:00+02:00"),
    ],
)
def test_no_change_is_lost_in_the_repeated_hour(cube: Sandbox, first: str, later: str) -> None:
    """When clocks go back, a later change can have an earlier minute."""
    customers = fill_callflow(cube, customers=3)
    night_of = TODAY.replace(year=2023, month=10, day=29)
    for customer in customers:
        cube.account.set_call_state(MERSALG, customer, state="Ready", when=at(night_of - 9 * DAY))
    state = None
    for moment, customer in zip((first, later), customers, strict=False):
        when = datetime.fromisoformat(f"{night_of}T{moment}")
        cube.account.set_call_state(MERSALG, customer, state=moment, when=when)
        hour = moment.replace(":00+", ":30+")
        run = night(cube, night_of, hour=hour, state=state, lookback_days=0)
        assert call_states(run)[customer] == moment
        # With a bookmark, rows that changed days ago are skipped.
        assert (customers[2] in call_states(run)) is (state is None)
        state = run.state


def test_no_change_is_lost_in_the_skipped_hour(cube: Sandbox) -> None:
    """When clocks go forward, 01:59 is followed by 03:00."""
    customers = fill_callflow(cube, customers=2)
    night_of = TODAY.replace(month=3, day=31)
    for customer in customers:
        cube.account.set_call_state(MERSALG, customer, state="Ready", when=at(night_of - 9 * DAY))
    cube.account.set_call_state(MERSALG, customers[0], state="A", when=at(night_of, "01:59"))
    first = night(cube, night_of, hour="01:59:30")
    cube.account.set_call_state(MERSALG, customers[1], state="B", when=at(night_of, "03:00"))
    second = night(cube, night_of, hour="03:00:30", state=first.state, lookback_days=0)
    assert marks(second, CALLFLOW)[MERSALG] == "2024-03-31T01:00:00+00:00"
    assert call_states(second)[customers[1]] == "B"


def test_minutes_are_interpreted_in_the_zone_of_the_settings(cube: Sandbox) -> None:
    """Setting 'timezone' applies to minutes without offset, in records and bookmarks."""
    fill_callflow(cube, customers=1)
    run = night(cube, TODAY, timezone="Europe/Helsinki")
    (record,) = run.records[CALLFLOW]
    assert record["callflow__last_change__when"] == f"{TODAY}T07:00:00+00:00"
    assert marks(run, CALLFLOW)[MERSALG] == f"{TODAY}T07:00:00+00:00"


def test_an_account_without_outcomes_has_states(cube: Sandbox) -> None:
    """Streams with nothing to read are skipped; the others are read."""
    customers = fill_callflow(cube, without=("C7", "C8", "C9", "C10", "C11"))
    run = night(cube, TODAY)
    assert OUTCOMES not in run.schemas
    assert call_states(run).keys() == set(customers)
