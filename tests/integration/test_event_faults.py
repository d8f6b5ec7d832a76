"""A window is read completely or not at all, whatever fails on its pages."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault
from tap_cube.paging.windows import MAX_PAGES
from tests.integration.conftest import TODAY
from tests.support.event_runs import (
    ARCHIVED,
    DAY,
    MERSALG,
    OUTCOMES,
    OUTCOMES_PATH,
    REGISTRATIONS,
    at,
    begin,
    by_key,
    marks,
    night,
    questions,
    try_night,
)
from tests.support.runs import complaint
from tests.support.sizes import by_turns, scaled

if TYPE_CHECKING:
    from collections.abc import Callable

    from cube_sandbox import Request, Sandbox
    from cube_sandbox.faults import Kind

PAGES = 5
MIDDLE = TODAY - 350 * DAY


def fill(cube: Sandbox, **options: Any) -> None:  # noqa: ANN401 - options of the sandbox
    """Give one campaign five pages of outcomes, newest last."""
    begin(cube, page_size=3, **options)
    for days in reversed(range(3 * PAGES)):
        cube.account.add_outcome(MERSALG, when=at(TODAY - days * DAY), product="MPA")


@pytest.mark.parametrize(
    ("kind", "where"),
    by_turns(["500", "429", "reset", "truncate", "html"], [(1, 4), (3, 0), (4, 4), (PAGES, 0)]),
)
def test_a_page_that_fails_once_is_retried(
    cube: Sandbox, kind: Kind, where: tuple[int, int]
) -> None:
    """The run is complete, and its bookmark is the same as without the fault."""
    page, read_ahead = where
    fill(cube, without=("C6", "C5", "C11", "C10"))
    injected: list[int] = []

    def inject(request: Request) -> None:
        if (
            request.path == OUTCOMES_PATH
            and _is_sync(request)
            and request.page == page
            and not injected
        ):
            injected.append(request.number)
            cube.faults.append(Fault(kind, at=request.number, retry_after=0))

    cube.before_request = inject
    run = night(cube, read_ahead=read_ahead)
    assert injected
    assert len(by_key(run.records[OUTCOMES])) == len(run.records[OUTCOMES]) == 3 * PAGES
    assert marks(run)[MERSALG] == TODAY.isoformat()


def _is_sync(request: Request) -> bool:
    """Whether a request is of the sync; discovery requests days of the real calendar."""
    return f"to_date={TODAY:%Y%m%d}" in request.query or "from_date=2000" in request.query


def fill_windows(cube: Sandbox) -> None:
    """Give one campaign enough for several windows, and another campaign one outcome."""
    begin(cube, page_size=2)
    cube.account.add_outcomes(MERSALG, 5 * MAX_PAGES, TODAY - 700 * DAY, TODAY)
    cube.account.add_outcome(ARCHIVED, when=at(date(2019, 5, 1)))


def failing(cube: Sandbox, kind: Kind, page: int) -> Callable[[Request], None]:
    """Let a page always fail in windows that begin in the last year."""

    def inject(request: Request) -> None:
        first = request.query.partition("from_date=")[2][:8]
        is_late = f"{MIDDLE:%Y%m%d}" <= first <= f"{TODAY:%Y%m%d}"
        if request.path == OUTCOMES_PATH and request.page == page and is_late:
            cube.faults.append(Fault(kind, at=request.number))

    return inject


@pytest.mark.parametrize(
    ("kind", "page", "read_ahead"),
    [("500", 4, 0), ("html", 3, 4), *scaled([], [("429", 2, 4), ("403", 2, 0)])],
)
def test_a_page_that_always_fails_loses_only_its_window(
    cube: Sandbox, kind: Kind, page: int, read_ahead: int
) -> None:
    """The error names stream, campaign and page; the next run resumes after the last window."""
    fill_windows(cube)
    cube.before_request = failing(cube, kind, page)
    broken = try_night(cube, TODAY, read_ahead=read_ahead)
    cube.before_request, cube.faults = None, []
    sentence = complaint(broken)
    words = "the response is not JSON" if kind == "html" else f"HTTP {kind}"
    assert sentence.startswith(f"{OUTCOMES} of campaigns/{MERSALG}, page {page}: {words}")
    reached = date.fromisoformat(marks(broken)[MERSALG])
    assert TODAY - 700 * DAY < reached < TODAY - DAY
    run = night(cube, TODAY, state=broken.state)
    assert min(q.first for q in questions(cube, "C9") if q.path == OUTCOMES_PATH and q.first) == (
        reached - 2 * DAY
    )
    found = by_key([*broken.records[OUTCOMES], *run.records[OUTCOMES]])
    assert len(found) == cube.account.outcome_count() == 5 * MAX_PAGES + 1
    # Rows that the failed run wrote of its unfinished window are correct, too.
    again = by_key(run.records[OUTCOMES])
    for key, record in by_key(broken.records[OUTCOMES]).items():
        assert again.get(key, record) == record


@pytest.mark.parametrize("kind", ["404", "403"])
def test_a_campaign_that_disappears_during_the_sync_is_an_error(cube: Sandbox, kind: Kind) -> None:
    """Some of its rows were written, so skipping the rest would be a short read."""
    fill_windows(cube)
    cube.before_request = failing(cube, kind, 1)
    run = try_night(cube, TODAY)
    assert f"{OUTCOMES} of campaigns/{MERSALG}, page 1: HTTP {kind}" in complaint(run)
    assert (TODAY - 700 * DAY).isoformat() < marks(run)[MERSALG] < TODAY.isoformat()


def delete_meanwhile(cube: Sandbox, path: str, doomed: list[int]) -> list[int]:
    """Delete outcomes before the response to page 3.

    Returns:
        A list that will contain the deleted outcomes.
    """
    deleted: list[int] = []

    def delete(request: Request) -> None:
        if request.path == path and request.page == 3 and not deleted:
            deleted.extend(doomed)
            cube.account.delete_outcomes(doomed)

    cube.before_request = delete
    return deleted


@pytest.mark.parametrize(("stream", "read_ahead"), by_turns([OUTCOMES, REGISTRATIONS], [0, 4]))
def test_a_window_with_rows_deleted_between_its_pages_is_read_again(
    cube: Sandbox, stream: str, read_ahead: int
) -> None:
    """Rows that move to a page that was read already are found, each of them once."""
    fill(cube)
    path = f"/api/v1/campaigns/{MERSALG}/{stream}/"
    deleted = delete_meanwhile(cube, path, cube.account.outcomes(MERSALG)[:4])
    run = night(cube, read_ahead=read_ahead)
    assert len(deleted) == 4
    found = by_key(run.records[stream], stream)
    assert len(found) == len(run.records[stream])
    stayed = by_key(night(cube).records[stream], stream)
    assert len(stayed) == 3 * PAGES - 4
    assert stayed.items() <= found.items()


def test_a_first_page_fetched_long_before_the_rest_is_checked_again(cube: Sandbox) -> None:
    """It was requested while another campaign was read; rows may have been deleted since."""
    fill(cube)
    other = cube.account.add_campaign((2, "B2B"), "Etterpå")
    for hour in range(10, 20):
        cube.account.add_outcome(other, when=at(TODAY, f"{hour}:00"), type=str(hour))
    deleted = delete_meanwhile(cube, OUTCOMES_PATH, cube.account.outcomes(other)[:2])
    run = night(cube)
    assert len(deleted) == 2
    found = {r["call_outcome__type"] for r in run.records[OUTCOMES] if r["campaign__id"] == other}
    assert found >= {str(hour) for hour in range(12, 20)}
