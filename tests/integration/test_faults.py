"""The fault matrix: kind, place and duration of a fault, and how the run must end.

`COMPLETE` below means every row of the account and status 0. Anything else is a failed run with
these words in its one sentence, which also names stream, context and page. A run that succeeds
must be complete.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import cycle, product
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault
from tap_cube.paging.complete import MAX_PASSES
from tests.support.breaking import (
    COMPLETE,
    DEFINITIONS,
    FIRST,
    LAST,
    NAME,
    PLACES,
    SHORT,
    Place,
    assert_complete,
    assert_ends,
    assert_refused,
    breaking,
    broken_read,
)
from tests.support.runs import CRM, CUSTOMERS, complaint, only, read, settings_for
from tests.support.sizes import IS_LARGE, by_turns, scaled
from tests.support.tap_process import run_tap

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

NOT_JSON = "not JSON"
NOT_A_PAGE = "not a page of results"
ELSEWHERE = "redirected to another address"
SLOW = {"endless", "stall"}
"""Kinds that last until the timeout, in each attempt."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the matrix: a kind of fault, and the result if it occurs once or always.

    `at` has the places where a persistent fault has another result. `definitions` is the result in
    discovery, where they have not answered before.
    """

    kind: Any
    once: str
    always: str
    options: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    at: dict[str, str] = field(default_factory=dict)
    definitions: str = ""

    def end(self, place: Place, times: int | None) -> str:
        """The expected result if the fault occurs `times` times (None: always) in one place."""
        if self.definitions and place is DEFINITIONS:
            return self.definitions
        return self.once if times else self.at.get(place.name, self.always)


MATRIX = [
    Row("429", COMPLETE, "HTTP 429"),
    Row("429", COMPLETE, "HTTP 429", {"retry_after": 0}, "429 with seconds"),
    Row("429", COMPLETE, "HTTP 429", {"retry_after": "Sun, 06 Nov 1994 08:49:37 GMT"}, "dated"),
    Row("429", COMPLETE, "HTTP 429", {"retry_after": "soon"}, "429 with nonsense"),
    Row("500", COMPLETE, "HTTP 500"),
    Row("502", COMPLETE, "HTTP 502"),
    Row("503", COMPLETE, "HTTP 503"),
    Row("504", COMPLETE, "HTTP 504"),
    Row("refuse", COMPLETE, "connection closed"),
    Row("reset", COMPLETE, "connection closed"),
    Row("truncate", COMPLETE, "connection closed"),
    Row("truncate-gzip", COMPLETE, ""),
    Row("endless", COMPLETE, "timed out"),
    Row("stall", COMPLETE, "timed out"),
    Row("html", COMPLETE, NOT_JSON),
    Row("not-json", COMPLETE, NOT_JSON),
    Row("not-json", COMPLETE, NOT_JSON, {"body": ""}, "empty body"),
    Row("not-json", COMPLETE, "200 levels", {"body": "[" * 100_000}, "a deep body"),
    Row("not-json", COMPLETE, NOT_A_PAGE, {"body": "null"}, "null"),
    Row("not-json", COMPLETE, NOT_A_PAGE, {"body": '{"results": [1]}'}, "rows that are integers"),
    Row("not-envelope", COMPLETE, NOT_A_PAGE),
    Row("results-not-list", COMPLETE, NOT_A_PAGE),
    Row("400", COMPLETE, "HTTP 400", definitions="HTTP 400"),
    Row("401", "HTTP 401", "HTTP 401"),
    Row("403", COMPLETE, "HTTP 403", definitions=COMPLETE),
    Row("404", COMPLETE, SHORT, at={"first": "HTTP 404"}, definitions=COMPLETE),
    Row("empty-list", COMPLETE, NOT_A_PAGE, definitions=COMPLETE),
    Row("redirect", COMPLETE, ELSEWHERE, {"location": "http://demo.example.org/"}, "away"),
    Row("redirect", COMPLETE, ELSEWHERE, {"location": "//demo.example.org/"}, "no scheme"),
    Row("redirect", COMPLETE, ELSEWHERE, {"location": "https://127.0.0.1/"}, "other scheme"),
    Row("redirect", COMPLETE, "redirect", {"location": "http://[::1"}, "an incomplete address"),
    Row("redirect", COMPLETE, ELSEWHERE, {"location": "/accounts/login/?next=/"}, "a log-in page"),
    Row(
        "redirect",
        COMPLETE,
        ELSEWHERE,
        {"location": "/api/v1/data_owners/3/B2C/customers/"},
        "another CRM",
    ),
    Row("redirect", COMPLETE, "too many redirects", {"location": ""}, "too many redirects"),
]
"""What answered before is requested again, whatever it answers now, but for a 401.

Without definitions (403, 404, an empty list) custom fields are read as text.
"""


BY_PLACE = {"500", "404", "403", "empty-list"}
"""Kinds for every place when thorough: one that a retry fixes, and those that depend on it."""

DEPENDING = [row for row in MATRIX if row.kind in BY_PLACE]

CELLS: list[Any] = [
    *(product(DEPENDING, PLACES) if IS_LARGE else by_turns(DEPENDING, PLACES)),
    *by_turns([row for row in MATRIX if row.kind not in BY_PLACE], PLACES),
]


def by_cell(cells: Any) -> pytest.MarkDecorator:  # noqa: ANN401 - pairs of a row and a place
    """Let a test have a case for each row and place."""
    cases = [pytest.param(row, at, id=f"{row.name or row.kind}-{at.name}") for row, at in cells]
    return pytest.mark.parametrize(("row", "place"), cases)


@by_cell(zip(MATRIX, cycle(PLACES)))  # a retry is the same in every place
def test_a_fault_that_occurs_once(cube: Sandbox, row: Row, place: Place) -> None:
    """A retry fixes it, and the run is complete; only a refused credential fails at once."""
    fault = Fault(row.kind, row=place.row, page=place.page, times=1, **row.options)
    timeout = {"request_timeout": 2} if row.kind in SLOW else {}
    run = broken_read(cube, place, fault, max_retries=5, **timeout)
    assert_ends(cube, run, place, row.end(place, 1))


@by_cell(CELLS)
def test_a_fault_that_persists(cube: Sandbox, row: Row, place: Place) -> None:
    """The run fails with one sentence, after at most the allowed number of attempts."""
    fault = Fault(row.kind, row=place.row, page=place.page, **row.options)
    attempts = 1 if row.kind in SLOW else 2
    timeout = {"request_timeout": 2} if row.kind in SLOW else {}
    run = broken_read(cube, place, fault, max_retries=attempts - 1, **timeout)
    expected = row.end(place, None)
    assert_ends(cube, run, place, expected)
    requests = [r for r in cube.requests if (r.row, r.page) == (place.row, place.page)]
    # As many attempts as allowed; a redirect has three hops. Each pass requests a missing page
    # again.
    assert len(requests) <= (3 * MAX_PASSES if expected == SHORT else 6)


@pytest.mark.parametrize("kind", scaled(["500", "404"], ["500", "html", "404", "403", "truncate"]))
def test_definitions_that_disappear_during_the_run(cube: Sandbox, kind: Any) -> None:  # noqa: ANN401 - kind
    """Discovery has read them, and the sync emits what discovery read."""
    cube.reset(customers=30)
    fault = Fault(kind, row="C4")
    run = read(cube, discovered=breaking(cube, FIRST, fault), read_ahead=0, **only(CRM))
    assert_complete(cube, run)
    assert len(run.records["custom_fields"]) == len(cube.account.definitions(CRM))


@pytest.mark.parametrize("place", PLACES)
def test_a_redirect_to_the_same_path_is_followed(cube: Sandbox, place: Place) -> None:
    """A slash at the end may come or go (T17): the account redirects to the path with it."""
    resource = "crm_custom_fields" if place is DEFINITIONS else "customers"
    location = f"/api/v1/data_owners/2/B2B/{resource}?page={place.page}"
    fault = Fault("redirect", row=place.row, page=place.page, location=location, times=1)
    assert_complete(cube, broken_read(cube, place, fault))


@pytest.mark.parametrize(
    "after", [1, lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=6), usegmt=True)]
)
def test_the_tap_waits_as_long_as_retry_after_says(cube: Sandbox, after: Any) -> None:  # noqa: ANN401 - both spellings
    """Seconds or a date in `Retry-After` replace the tap's own wait."""
    after = after() if callable(after) else after
    run = broken_read(cube, FIRST, Fault("429", row="C2", retry_after=after, times=1))
    assert_complete(cube, run)
    waits = [line for line in run.stderr.splitlines() if "retrying in" in line]
    assert len(waits) == 1
    seconds = float(waits[0].partition("retrying in ")[2].split()[0])
    assert 0 < seconds <= 6


@pytest.mark.parametrize("after", [86_400, "Fri, 31 Dec 2100 23:59:59 GMT", "9" * 40])
def test_a_retry_after_that_is_too_long_ends_the_run(cube: Sandbox, after: Any) -> None:  # noqa: ANN401 - both spellings
    """The run fails at once, and the error has the requested wait."""
    run = broken_read(cube, LAST, Fault("429", row="C2", retry_after=after))
    assert_refused(run, LAST, "HTTP 429, the server asks to wait")


def test_the_command_fails_with_one_sentence_too(cube: Sandbox) -> None:
    """The installed command fails with status 1 and the same sentence, and no traceback."""
    cube.reset(customers=30, faults=[Fault("500", row="C2", page=3)])
    run = run_tap(settings_for(cube, max_retries=1, **only(CRM)))
    assert run.returncode == 1
    sentence = complaint(run)
    assert "HTTP 500" in sentence
    assert f"{CUSTOMERS} of {NAME}, page 3" in sentence


def test_the_command_recovers_from_passing_faults(cube: Sandbox) -> None:
    """With real waits between attempts, a run with many faults is complete."""
    kinds: tuple[Any, ...] = ("500", "reset", "truncate", "html", "429", "404")
    faults = [Fault(kind, row="C2", page=page, times=1) for page, kind in enumerate(kinds, 1)]
    cube.reset(customers=30, faults=faults)
    run = run_tap(settings_for(cube, max_retries=4, **only(CRM)))
    assert_complete(cube, run)
