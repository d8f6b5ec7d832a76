"""What discovery cannot see is not deleted: a stream that may lack rows activates no version."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault
from tests.integration.test_broken_partitions import failing
from tests.support.event_runs import CALLFLOW, OUTCOMES, REGISTRATIONS, fill_campaigns
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
    from collections.abc import Set as AbstractSet

    from cube_sandbox import Sandbox
    from cube_sandbox.faults import Kind
    from tests.support.tap_process import TapRun

DEFINITIONS = "custom_fields"
EVENTS = frozenset({CALLFLOW, OUTCOMES, REGISTRATIONS})
ALL = EVENTS | {"campaigns", DEFINITIONS, ASSIGNED, CUSTOMERS}
NAMED_CRM: dict[str, Any] = {"data_owners": only(CRM)["data_owners"]}
NAMED = {**NAMED_CRM, "assignment_ids": [9]}
NAME = "data_owners/2/B2B"
CAMPAIGN = {"campaign__id": 2, "data_owner__id": 2, "crm_type__name": "B2B", "assignment__id": 9}
OTHER = {"campaign__id": 1, "data_owner__id": 1, "crm_type__name": "B2C", "assignment__id": 12}


@dataclass(frozen=True, slots=True)
class Case:
    """An account that does not show everything.

    Attributes:
        what: What it does not show.
        keeping: The streams that may lack rows.
        reason: How their warnings name what is not read.
        broken: Status of requests, and the beginnings of their paths.
        faults: How endpoints respond.
        without: Endpoints that the account does not have.
        settings: Settings of the tap.
    """

    what: str
    keeping: AbstractSet[str]
    reason: str
    broken: tuple[Kind, *tuple[str, ...]] | None = None
    faults: tuple[Fault, ...] = ()
    without: frozenset[str] = frozenset()
    settings: dict[str, Any] = field(default_factory=dict)


def listing(*campaigns: object) -> tuple[Fault]:
    """A list of just these campaigns."""
    return (Fault("not-json", row="C1", body=json.dumps(campaigns)),)


def cut(endpoint: str, row: object) -> tuple[Fault]:
    """A list with one row of two."""
    body = {"count": 2, "next": None, "results": [row]}
    return (Fault("not-json", row=endpoint, body=json.dumps(body)),)


REFUSED: tuple[Kind, str] = ("403", f"/api/v1/{NAME}/")
CUSTOMERS_PATH = f"/api/v1/{NAME}/customers/"
FAILING: tuple[Kind, str] = ("500", CUSTOMERS_PATH)
BY_CRM = frozenset({"C6", "C9", "C11"})
"""Endpoints that an account lacks whose events come by CRM."""
AT_ONCE = frozenset({"C8", "C9"})
"""Endpoints that an account lacks whose outcomes come all at once."""
CASES = [
    Case("a CRM, refused", {CUSTOMERS, DEFINITIONS}, NAME, REFUSED),
    Case(
        "the first assignment, missing",
        {ASSIGNED, DEFINITIONS},
        "assignments/9",
        ("404", "/api/v1/assignments/9/", "/crm/"),
    ),
    Case("a CRM, failing", {CUSTOMERS}, NAME, FAILING),
    Case("a CRM, events by CRM", {CUSTOMERS, *EVENTS}, NAME, FAILING, without=BY_CRM),
    Case("a CRM, events at once", {CUSTOMERS, DEFINITIONS}, NAME, REFUSED, without=AT_ONCE),
    Case(
        "a campaign of no CRM that the settings name",
        EVENTS,
        "campaigns/1",
        without=BY_CRM,
        settings={**NAMED_CRM, "assignment_ids": [12]},
    ),
    Case("definitions", {DEFINITIONS}, "assignments/9, assignments/12", without=frozenset({"H2"})),
    Case("definitions, empty", {DEFINITIONS}, NAME, faults=(Fault("empty-list", row="C4"),)),
    Case("some definitions", {DEFINITIONS}, NAME, faults=cut("C4", {"id": 62})),
    Case("campaigns, for outcomes", {OUTCOMES}, "campaigns/9", faults=(Fault("403", row="C9"),)),
    Case("some campaigns", ALL, "may be incomplete", faults=cut("C1", CAMPAIGN)),
    Case(
        "some campaigns, all CRMs named",
        {"campaigns", *EVENTS},
        "may be incomplete",
        faults=cut("C1", CAMPAIGN),
        settings=NAMED,
    ),
    Case(
        "any campaign",
        {"campaigns", DEFINITIONS, *EVENTS},
        "is empty",
        faults=listing(),
        settings=NAMED_CRM,
    ),
    Case(
        "the id of a campaign",
        ALL,
        "campaign__id is not",
        faults=listing(CAMPAIGN, {**OTHER, "campaign__id": "two"}),
    ),
    Case(
        "the id of a data owner",
        {CUSTOMERS, DEFINITIONS},
        "data_owner__id is not",
        faults=listing(CAMPAIGN, {**OTHER, "data_owner__id": 1.5}),
    ),
    Case(
        "the id of an assignment",
        {ASSIGNED, DEFINITIONS},
        "assignment__id is not",
        faults=listing(CAMPAIGN, {**OTHER, "assignment__id": [12]}),
    ),
]


def kept(run: TapRun) -> set[str]:
    """The streams of a run whose older rows stay in the target."""
    activated = {m["stream"] for m in run.messages if m["type"] == "ACTIVATE_VERSION"}
    return run.schemas.keys() - activated


@pytest.mark.parametrize("case", scaled(CASES[::4], CASES), ids=lambda case: case.what)
def test_streams_that_may_lack_rows_delete_nothing(cube: Sandbox, case: Case) -> None:
    """The log says what is not read. All others activate their version."""
    fill_campaigns(cube, generation="all", without=case.without, faults=list(case.faults))
    if case.broken:
        cube.before_request = failing(cube, *case.broken)
    run = read(cube, on_incomplete_read="warn", **case.settings)
    assert kept(run) == case.keeping
    for stream in case.keeping:
        lines = [line for line in logged(run, "INFO") if line.startswith(f"{stream}: ")]
        assert any("stay in the target" in line and case.reason in line for line in lines)


def test_a_refused_crm_is_not_taken_for_one_that_has_gone(cube: Sandbox) -> None:
    """The state of a weekly run shows that it was read. No line advises to accept its loss."""
    fill_campaigns(cube, generation="all")
    catalog = discover(cube)
    state = sync(cube, catalog=catalog).state
    entry_of(catalog)["replication_method"] = "FULL_TABLE"
    cube.before_request = failing(cube, "403", CUSTOMERS_PATH)
    run = sync(cube, catalog=catalog, state=state)
    assert CUSTOMERS in kept(run)
    (line,) = [line for line in logged(run, "INFO") if "stay in the target" in line]
    assert f"Not read: {NAME}." in line
    assert "--full-refresh" not in line


@pytest.mark.parametrize("status", ["403", "404"])
def test_a_list_of_campaigns_that_never_answers_blocks_only_the_first_run(
    cube: Sandbox, status: Kind
) -> None:
    """For one night it may be a fault, and the events might come by campaign, with other keys.

    The customers are those that the settings name. The run after it goes on without the list.
    """
    fill_campaigns(cube, generation="all", faults=[Fault(status, row="C1")])
    first = sync(cube, **NAMED_CRM)
    assert kept(first) == {DEFINITIONS, *EVENTS}
    second = sync(cube, state=first.state, **NAMED_CRM)
    activated = {m["stream"] for m in second.messages if m["type"] == "ACTIVATE_VERSION"}
    assert activated >= {DEFINITIONS, *EVENTS}
