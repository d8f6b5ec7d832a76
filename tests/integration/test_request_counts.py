"""What a night costs the account: requests are counted where they arrive."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.conftest import TODAY
from tests.support.event_runs import (
    ARCHIVED,
    DAY,
    MERSALG,
    OUTCOMES,
    at,
    begin,
    by_key,
    night,
    questions,
)
from tests.support.meeting import Meeting
from tests.support.sizes import scaled

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

MANY = scaled(40, 500)
ROWS = ("C6", "C9", "C11")
EVERYTHING: dict[str, Any] = {"data_owners": None}


def counts(cube: Sandbox) -> dict[str | None, int]:
    """Requests of the last night at the addresses of campaigns, with the looks of discovery."""
    return {row: n for row, n in Counter(r.row for r in cube.requests).items() if row in ROWS}


def test_a_first_load_of_little_costs_one_request_a_campaign_and_stream(cube: Sandbox) -> None:
    """All days fit into one window, whose first page is its only one; discovery looks once."""
    begin(cube, campaigns=12, outcomes=3)
    run = night(cube, **EVERYTHING)
    assert len(run.records[OUTCOMES]) == cube.account.outcome_count() == 36
    assert counts(cube) == dict.fromkeys(ROWS, 12 + 1)


def test_a_quiet_night_costs_one_request_a_live_campaign_and_stream(cube: Sandbox) -> None:
    """A campaign that was archived before the lookback has nothing new to ask for."""
    begin(cube, campaigns=12, outcomes=3)
    first = night(cube, TODAY, **EVERYTHING)
    night(cube, TODAY + 9 * DAY, state=first.state, **EVERYTHING)
    assert counts(cube) == dict.fromkeys(ROWS, 11 + 1)
    asked = questions(cube, "C9", "C11")
    assert not [q for q in asked if f"/campaigns/{ARCHIVED}/" in q.path]
    assert {q.days for q in asked} == {(TODAY - 2 * DAY, TODAY + 9 * DAY)}


def test_one_new_outcome_in_many_campaigns_costs_one_request_a_live_campaign(cube: Sandbox) -> None:
    """Nothing tells in which of them something happened: each stream asks each once, and no more.

    Beside these there is the one look of discovery at each stream.
    """
    begin(cube, campaigns=MANY, customers=1)
    first = night(cube, TODAY, **EVERYTHING)
    *_, last = cube.account.campaigns
    assert counts(cube) == dict.fromkeys(ROWS, MANY + 1)
    cube.account.add_outcome(last, when=at(TODAY + DAY))
    second = night(cube, TODAY + DAY, state=first.state, **EVERYTHING)
    assert [r["campaign__id"] for r in second.records[OUTCOMES]] == [last]
    assert counts(cube) == dict.fromkeys(ROWS, MANY)
    paths = Counter(q.path for q in questions(cube, "C9", "C11"))
    assert len(paths) == 2 * (MANY - 1)
    assert set(paths.values()) == {1}


def test_a_window_costs_two_requests_more_than_it_has_pages(cube: Sandbox) -> None:
    """They prove that no row was lost; a range that is too large costs one look, and no more."""
    begin(cube, page_size=5)
    cube.account.add_outcomes(MERSALG, 400, TODAY - 700 * DAY, TODAY)
    run = night(cube)
    assert len(by_key(run.records[OUTCOMES])) == 400
    asked: dict[Any, list[int]] = {}
    for question in questions(cube, "C9"):
        asked.setdefault((question.path, question.days), []).append(question.page)
    assert all(len(pages) <= max(pages) + 2 for pages in asked.values())
    looks = [pages for pages in asked.values() if pages == [1]]
    assert len(looks) < 20


@pytest.mark.parametrize("read_ahead", scaled([4], [2, 4]))
def test_campaigns_are_asked_a_few_at_once(cube: Sandbox, read_ahead: int) -> None:
    """As many requests are in flight as the setting says, and never more."""
    begin(cube, campaigns=12, outcomes=3)
    # Not the newest one, which discovery asks before all others.
    meeting = Meeting(cube, {f"/api/v1/campaigns/{number}/call_outcomes/" for number in (10, 11)})
    run = night(cube, read_ahead=read_ahead, **EVERYTHING)
    assert len(run.records[OUTCOMES]) == 36
    assert not meeting.together.broken
    assert meeting.most <= read_ahead


def test_without_reading_ahead_campaigns_are_asked_one_by_one(cube: Sandbox) -> None:
    """`read_ahead: 0` holds for campaigns as for pages, and costs no request more."""
    begin(cube, campaigns=6, outcomes=3)
    run = night(cube, read_ahead=0, **EVERYTHING)
    assert len(run.records[OUTCOMES]) == 18
    assert counts(cube) == dict.fromkeys(ROWS, 6 + 1)
    paths = [q.path for q in questions(cube, "C9")]
    assert paths == sorted(paths, key=lambda path: int(path.split("/")[4]))
