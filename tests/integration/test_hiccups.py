"""A night's hiccup changes neither keys nor columns for good: streams stay where they were read."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault
from tests.integration.conftest import TODAY
from tests.integration.test_full_loads import EMPTY, activated, version_of
from tests.support.event_runs import (
    ARCHIVED,
    DAY,
    ONE_CRM,
    at,
    begin,
    night,
    try_night,
)
from tests.support.runs import CRM, CUSTOMERS, complaint, sync
from tests.support.sizes import by_turns, scaled
from tests.support.upserts import Upserts

if TYPE_CHECKING:
    from cube_sandbox import Sandbox
    from cube_sandbox.faults import Kind
    from tests.support.tap_process import TapRun

PLACES = {
    "campaigns": ("C1",),
    "definitions": ("C4", "H2"),
    "call flow": ("C6",),
    "outcomes": ("C9",),
    "registrations": ("C11",),
}

SETTINGS: dict[str, Any] = {**ONE_CRM, "assignment_ids": [9]}


def fill(cube: Sandbox, **options: Any) -> None:  # noqa: ANN401 - options of the sandbox
    """Begin with an account in which every resource has several addresses."""
    begin(cube, generation="all", customers=3, **options)
    for campaign in cube.account.campaigns:
        happen(cube, campaign, days=3)


def happen(cube: Sandbox, campaign: int, days: int = 0) -> None:
    """Let an agent call a customer, and sell something."""
    when = at(cube.day - days * DAY)
    cube.account.add_outcome(campaign, when=when, product="MPA")
    cube.account.set_call_state(campaign, state="Sale", when=when)


def edit(cube: Sandbox, day: int) -> None:
    """Let a day pass on which every CRM and every running campaign has something new."""
    cube.today = TODAY + day * DAY
    for crm in cube.account.crms:
        cube.account.add_customer(crm)
    for campaign in cube.account.campaigns:
        if campaign != ARCHIVED:
            happen(cube, campaign)


Tables = dict[str, dict[tuple[Any, ...], dict[str, Any]]]


@pytest.fixture(scope="module")
def usual(running: Sandbox) -> tuple[TapRun, Tables]:
    """The first night, and what the account has on the third day, the same in all cases."""
    fill(running)
    first = night(running, **SETTINGS)
    edit(running, 1)
    edit(running, 2)
    account = Upserts()
    account.load(night(running, TODAY + 2 * DAY, **SETTINGS))
    return first, account.rows


PLACED = list(product(["403", "404", "empty-list", "500"], PLACES))


@pytest.mark.parametrize(("where", "times"), by_turns(scaled(PLACED[::5], PLACED), [None, 1]))
def test_a_hiccup_in_the_second_of_three_nights_leaves_no_trace(
    cube: Sandbox, usual: tuple[TapRun, Tables], where: tuple[Kind, str], times: int | None
) -> None:
    """The night is red or as always; after the third one the warehouse equals the account."""
    first, account = usual
    kind, place = where
    fill(cube)
    warehouse = Upserts()
    warehouse.load(first)
    edit(cube, 1)
    cube.faults = [Fault(kind, row=row, times=times) for row in PLACES[place]]
    second = try_night(cube, TODAY + DAY, state=warehouse.state, **SETTINGS)
    warehouse.load(second)
    if second.returncode:
        assert kind != "500" or times is None
        complaint(second)
    cube.faults = []
    edit(cube, 2)
    warehouse.load(night(cube, TODAY + 2 * DAY, state=warehouse.state, **SETTINGS))
    assert warehouse.rows == account


def test_a_list_without_dates_is_not_deleted_because_it_is_empty_for_a_night(cube: Sandbox) -> None:
    """Without dates every night is a full load. What had rows must be empty in two nights."""
    cube.change_log = False
    first = sync(cube, **ONE_CRM)
    cube.faults = [Fault("not-json", row="C2", body=EMPTY)]
    second = sync(cube, state=first.state, **ONE_CRM)
    assert CUSTOMERS not in activated(second)
    third = sync(cube, state=second.state, **ONE_CRM)
    assert activated(third)[CUSTOMERS] == version_of(third)


def test_without_a_state_an_empty_crm_is_asked_for_twice(cube: Sandbox) -> None:
    """A full refresh deletes what it does not bring, so one empty page is no proof."""
    cube.faults = [Fault("not-json", row="C2", body=EMPTY, times=1)]
    assert len(sync(cube, **ONE_CRM).records[CUSTOMERS]) == cube.account.count(CRM) > 0
