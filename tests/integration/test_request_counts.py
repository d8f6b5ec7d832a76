"""The number of requests of a run, counted at the server."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.conftest import TODAY
from tests.support.event_runs import (
    ALL_CRMS,
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

CAMPAIGNS = scaled(16, 150)
ROWS = ("C6", "C9", "C11")


def expected(campaigns: int) -> dict[str | None, int]:
    """A request a campaign and stream; discovery adds one of events, since it asks for few days."""
    return {"C6": campaigns, "C9": campaigns + 1, "C11": campaigns + 1}


def counts(cube: Sandbox) -> dict[str | None, int]:
    """Requests of the last run to the endpoints of campaigns, including discovery."""
    return {row: n for row, n in Counter(r.row for r in cube.requests).items() if row in ROWS}


def test_a_small_first_load_costs_one_request_per_campaign_and_stream(cube: Sandbox) -> None:
    """All days fit into one window with one page; discovery adds one request for events."""
    begin(cube, campaigns=12, outcomes=3)
    run = night(cube, **ALL_CRMS)
    assert len(run.records[OUTCOMES]) == cube.account.outcome_count() == 36
    assert counts(cube) == expected(12)


def test_a_run_without_changes_costs_one_request_per_active_campaign_and_stream(
    cube: Sandbox,
) -> None:
    """A campaign that was archived before the lookback is not requested."""
    begin(cube, campaigns=12, outcomes=3)
    first = night(cube, TODAY, **ALL_CRMS)
    # It has no registrations, and a list that seems empty is asked for twice.
    second = night(cube, TODAY, state=first.state, **ALL_CRMS)
    night(cube, TODAY + 9 * DAY, state=second.state, **ALL_CRMS)
    assert counts(cube) == expected(11)
    requests = questions(cube, "C9", "C11")
    assert not [q for q in requests if f"/campaigns/{ARCHIVED}/" in q.path]
    # A campaign without any registration has no bookmark of them.
    days = {q.days for q in questions(cube, "C9")}
    assert days == {(TODAY - 2 * DAY, TODAY + 9 * DAY)}


def test_one_new_outcome_costs_one_request_per_active_campaign(cube: Sandbox) -> None:
    """The campaign of the outcome is unknown, so each stream requests each campaign once.

    Discovery adds one request for each stream of events.
    """
    begin(cube, campaigns=CAMPAIGNS, customers=1)
    first = night(cube, TODAY, **ALL_CRMS)
    first = night(cube, TODAY, state=first.state, **ALL_CRMS)
    *_, last = cube.account.campaigns
    assert counts(cube) == expected(CAMPAIGNS)
    cube.account.add_outcome(last, when=at(TODAY + DAY))
    second = night(cube, TODAY + DAY, state=first.state, **ALL_CRMS)
    assert [r["campaign__id"] for r in second.records[OUTCOMES]] == [last]
    assert counts(cube) == expected(CAMPAIGNS - 1)
    paths = Counter(q.path for q in questions(cube, "C9", "C11"))
    assert len(paths) == 2 * (CAMPAIGNS - 1)
    assert set(paths.values()) == {1}


def test_a_window_costs_its_pages_and_two_more_requests(cube: Sandbox) -> None:
    """They verify that no row was lost; a range that is too large costs one request."""
    begin(cube, page_size=5)
    cube.account.add_outcomes(MERSALG, 400, TODAY - 700 * DAY, TODAY)
    run = night(cube)
    assert len(by_key(run.records[OUTCOMES])) == 400
    requested: dict[Any, list[int]] = {}
    for question in questions(cube, "C9"):
        requested.setdefault((question.path, question.days), []).append(question.page)
    assert all(len(pages) <= max(pages) + 2 for pages in requested.values())
    split = [pages for pages in requested.values() if pages == [1]]
    assert len(split) < 20


@pytest.mark.usefixtures("full_width")
@pytest.mark.parametrize("read_ahead", scaled([4], [2, 4]))
def test_campaigns_are_requested_concurrently(cube: Sandbox, read_ahead: int) -> None:
    """As many requests are in flight as `read_ahead` allows, and never more."""
    begin(cube, campaigns=12, outcomes=3)
    # Not the newest one, which discovery requests before all others.
    meeting = Meeting(cube, {f"/api/v1/campaigns/{number}/call_outcomes/" for number in (10, 11)})
    run = night(cube, read_ahead=read_ahead, **ALL_CRMS)
    assert len(run.records[OUTCOMES]) == 36
    assert not meeting.together.broken
    assert meeting.most <= read_ahead


def test_without_read_ahead_campaigns_are_requested_one_by_one(cube: Sandbox) -> None:
    """`read_ahead: 0` also applies to campaigns, and costs no additional request."""
    begin(cube, campaigns=6, outcomes=3)
    run = night(cube, read_ahead=0, **ALL_CRMS)
    assert len(run.records[OUTCOMES]) == 18
    assert counts(cube) == expected(6)
    paths = [q.path for q in questions(cube, "C9")]
    assert paths == sorted(paths, key=lambda path: int(path.split("/")[4]))
