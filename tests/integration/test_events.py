"""Outcomes and registrations are emitted once, under a key that survives later edits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Traps
from tests.integration.conftest import TODAY
from tests.support.event_runs import (
    DAY,
    MERSALG,
    ONE_CRM,
    OUTCOMES,
    REGISTRATIONS,
    at,
    begin,
    beginning,
    by_key,
    night,
    questions,
)
from tests.support.runs import CRM, read_at
from tests.support.sizes import by_turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from cube_sandbox import Sandbox
    from cube_sandbox.account import Account
    from cube_sandbox.faults import Request

REPORT_AS = "call_outcome__report_as__submitted"
STREAMS = (OUTCOMES, REGISTRATIONS)


def test_the_second_run_emits_the_lookback_and_new_events(cube: Sandbox) -> None:
    """Rows that are read again have the same keys, so that targets can upsert them."""
    begin(cube, page_size=5)
    cube.account.add_outcomes(MERSALG, 80, TODAY - 39 * DAY, TODAY)
    first = night(cube, TODAY)
    cube.account.add_outcome(MERSALG, when=at(TODAY + DAY), type="New", product="MPA")
    second = night(cube, TODAY + DAY, state=first.state)
    days = {q.days for q in questions(cube, "C9", "C11") if f"/{MERSALG}/" in q.path}
    assert days == {(TODAY - 2 * DAY, TODAY + DAY)}
    for stream in STREAMS:
        old, again = (by_key(run.records[stream], stream) for run in (first, second))
        recent = {key for key in old if old[key]["submitted_at"][:10] >= str(TODAY - 2 * DAY)}
        (new,) = again.keys() - old.keys()
        assert again[new]["call_outcome__type"] == "New"
        assert {key: again[key] for key in recent} == {key: old[key] for key in recent}
        assert again.keys() == recent | {new}
    assert len(second.records[OUTCOMES]) == 7


@pytest.mark.parametrize(("no_timestamps", "newest_first"), by_turns([False, True], [True, False]))
def test_a_reassigned_outcome_updates_its_row(
    cube: Sandbox, *, no_timestamps: bool, newest_first: bool
) -> None:
    """Its agent and team change; its key does not."""
    begin(cube, traps=Traps(no_timestamps=no_timestamps, newest_first=newest_first))
    changed = cube.account.add_outcome(MERSALG, when=at(TODAY, "09:00"), product="MPA")
    cube.account.add_outcome(MERSALG, when=at(TODAY, "10:00"), product="MPA")
    first = night(cube, TODAY)
    cube.account.reassign(changed, by="ny@example.com", team="Kveldslag Øst")
    second = night(cube, TODAY + DAY, state=first.state)
    for stream in STREAMS:
        old, new = (by_key(run.records[stream], stream) for run in (first, second))
        assert old.keys() == new.keys()
        teams = {r["submitted_at"][11:16]: r[f"{REPORT_AS}_in_team"] for r in new.values()}
        assert teams == {"07:00": "Kveldslag Øst", "08:00": "Default"}
        assert {r[f"{REPORT_AS}_by"] for r in old.values()} == {"agent@example.com"}


@pytest.mark.parametrize(
    ("correction", "shown"),
    [
        (
            lambda cube, event: cube.reassign(event, when=at(TODAY, "09:30")),
            ("07:30", "Sale", "Sale"),
        ),
        (lambda cube, event: cube.correct(event, type="Complaint"), ("07:00", "Complaint", "Sale")),
        (lambda cube, event: cube.correct(event, subtype="Mail"), ("07:00", "Sale", "Mail")),
    ],
    ids=["time", "type", "subtype"],
)
def test_a_corrected_time_or_type_gives_a_new_row(
    cube: Sandbox, correction: Callable[[Account, int], None], shown: tuple[str, ...]
) -> None:
    """Time and type identify an event, so the old row stays unchanged."""
    begin(cube)
    changed = cube.account.add_outcome(MERSALG, when=at(TODAY, "09:00"), type="Sale", product="MPA")
    cube.account.add_outcome(MERSALG, when=at(TODAY), type="Sale", product="MPA")
    first = night(cube, TODAY)
    correction(cube.account, changed)
    second = night(cube, TODAY + DAY, state=first.state)
    third = night(cube, TODAY + 2 * DAY, state=second.state)
    for stream in STREAMS:
        old, new, later = (by_key(run.records[stream], stream) for run in (first, second, third))
        assert len(old) == len(new) == 2
        (gone,), (corrected,) = old.keys() - new.keys(), new.keys() - old.keys()
        assert identity(old[gone]) == ("07:00", "Sale", "Sale")
        assert identity(new[corrected]) == shown
        assert later == new


def identity(record: dict[str, Any]) -> tuple[str, ...]:
    """Time, type and subtype of an event."""
    kind = record["call_outcome__type"], record["call_outcome__subtype"]
    return record["submitted_at"][11:16], *kind


def test_events_of_an_anonymised_customer_update_their_rows(cube: Sandbox) -> None:
    """Old outcomes lose the customer, but keep their keys, prices and times (T40)."""
    begin(cube)
    customer = cube.account.customer_ids(CRM)[1]
    cube.account.add_outcome(MERSALG, customer, when=at(TODAY), product="MPA", price=599)
    first = night(cube, TODAY)
    cube.account.anonymise(CRM, customer)
    second = night(cube, TODAY + DAY, state=first.state)
    for stream in STREAMS:
        (before,), (after,) = first.records[stream], second.records[stream]
        key = f"{stream[:-1]}_key"
        assert before[key] == after[key]
        assert (before["customer_id"], after["customer_id"]) == (customer, None)
        assert before["submitted_at"] == after["submitted_at"]
        assert after["crm__standard_info__name"] == "Anonymized"
    assert second.records[REGISTRATIONS][0]["product__price"] == 599


@pytest.mark.parametrize("trap", [{}, {"newest_first": True}])
def test_the_number_of_equal_rows_does_not_change(cube: Sandbox, trap: dict[str, Any]) -> None:
    """Only their position distinguishes them, on one page or several, in every run."""
    begin(cube, page_size=3, traps=Traps(no_timestamps=True, **trap))
    for _ in range(8):
        cube.account.add_outcome(MERSALG, when=at(TODAY), product="MPA")
    first = night(cube, TODAY)
    second = night(cube, TODAY + DAY, state=first.state)
    for stream in STREAMS:
        old, new = (by_key(run.records[stream], stream) for run in (first, second))
        assert len(old) == len(first.records[stream]) == 8
        assert old == new


def test_two_products_of_one_call_are_two_registrations(cube: Sandbox) -> None:
    """So is the same product twice: an agent can sell two of them."""
    begin(cube)
    outcome = cube.account.add_outcome(MERSALG, when=at(TODAY), product="MPA")
    cube.account.register(outcome, "ProdB", 2490)
    cube.account.register(outcome, "MPA")
    found = by_key(night(cube).records[REGISTRATIONS], REGISTRATIONS)
    assert sorted(r["product__code"] for r in found.values()) == ["MPA", "MPA", "ProdB"]
    assert {r["submitted_at"] for r in found.values()} == {f"{TODAY}T08:00:00+00:00"}


def add_while_reading(cube: Sandbox) -> None:
    """Add three outcomes before the first row when page 3 is requested."""

    def add(request: Request) -> None:
        if request.row == "C9" and request.page == 3:
            cube.before_request = None
            for minute in range(3):
                when = at(TODAY, f"11:0{minute}")
                cube.account.add_outcome(MERSALG, when=when, type="New")

    cube.before_request = add


@pytest.mark.parametrize("read_ahead", [0, 4])
def test_rows_that_move_to_another_page_are_not_duplicated(cube: Sandbox, read_ahead: int) -> None:
    """A row on two pages is emitted once, with the key of the next run."""
    begin(cube, page_size=5, traps=Traps(newest_first=True))
    for second in range(30):
        cube.account.add_outcome(MERSALG, when=at(TODAY, f"10:00:{second:02}"))
    add_while_reading(cube)
    first = night(cube, TODAY, read_ahead=read_ahead)
    found = by_key(first.records[OUTCOMES])
    assert len(first.records[OUTCOMES]) == len(found) >= 30
    again = by_key(night(cube, TODAY + DAY, state=first.state).records[OUTCOMES])
    assert len(again) == 33
    assert found.items() <= again.items()


def test_the_number_of_equal_rows_that_move_does_not_change(cube: Sandbox) -> None:
    """With minutes only, rows can change keys, but not their number."""
    begin(cube, page_size=5, traps=Traps(newest_first=True, no_timestamps=True))
    customers = cube.account.customer_ids(CRM)
    for number in range(30):
        when = at(TODAY, f"10:{number // 2:02}")
        cube.account.add_outcome(MERSALG, customers[number % 2], when=when)
    add_while_reading(cube)
    with beginning(cube, at(TODAY, "23:00")):
        # Passes may number them differently, so that a key can be emitted twice.
        run = read_at(cube.url, auth_token=cube.token, **ONE_CRM)
    found = by_key(run.records[OUTCOMES])
    calls = [(r["submitted_at"], r["customer_id"]) for r in found.values()]
    old = [call for call in calls if call[0] < f"{TODAY}T09"]
    assert len(old) == len(set(old)) == 30
    again = by_key(night(cube, TODAY + DAY, state=run.state).records[OUTCOMES])
    assert len(again) == 33
    assert found.keys() <= again.keys()
