"""Reads of one CRM while something goes wrong in one place, and how they may end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.runs import CRM, CUSTOMERS, bookmarks, complaint, ids, only, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from cube_sandbox import Fault, Sandbox
    from tests.support.tap_process import TapRun

NAME = "data_owners/2/B2B"
PAGES = 6
COMPLETE = "complete"
SHORT = "not certain that all rows were read"


@dataclass(frozen=True, slots=True)
class Place:
    """Which request is struck."""

    name: str
    row: str
    page: int
    read_ahead: int = 0

    @property
    def subject(self) -> str:
        """What an error must call its resource."""
        stream = "custom_fields" if self.row == "C4" else CUSTOMERS
        return f"{stream} of {NAME}"


FIRST = Place("first", "C2", 1)
LAST = Place("last", "C2", PAGES)
DEFINITIONS = Place("definitions", "C4", 1)
PLACES = [
    FIRST,
    Place("middle", "C2", 3),
    LAST,
    Place("ahead", "C2", 4, read_ahead=3),
    DEFINITIONS,
]


def breaking(cube: Sandbox, place: Place, fault: Fault) -> Callable[[], None]:
    """Set a fault after discovery, or at once where discovery is what is struck."""

    def begin() -> None:
        cube.faults = [fault]
        cube.requests.clear()

    if place is DEFINITIONS:
        begin()
        return lambda: None
    return begin


def broken_read(cube: Sandbox, place: Place, fault: Fault, **settings: Any) -> TapRun:  # noqa: ANN401 - settings
    """Read one CRM of 30 rows on 6 pages while something goes wrong in one place."""
    cube.reset(customers=30)
    options = {"max_retries": 1, "read_ahead": place.read_ahead}
    return read(
        cube,
        discovered=breaking(cube, place, fault),
        **{**options, **only(CRM), **settings},
    )


def assert_complete(cube: Sandbox, run: TapRun) -> None:
    """Every row of the CRM is there, and the bookmark has moved."""
    assert run.returncode == 0, run.stderr
    assert ids(run.records[CUSTOMERS]) == set(cube.account.customer_ids(CRM))
    assert len(run.records[CUSTOMERS]) == 30
    assert CRM in bookmarks(run)


def assert_refused(run: TapRun, place: Place, words: str) -> None:
    """The run failed with one sentence about the place, and the bookmark has not moved."""
    sentence = complaint(run)
    assert words in sentence
    assert sentence.startswith(place.subject)
    assert words == SHORT or f", page {place.page}: " in sentence
    assert "\n" not in sentence
    assert not (run.state and CUSTOMERS in run.state.get("bookmarks", {}) and bookmarks(run))


def assert_ends(cube: Sandbox, run: TapRun, place: Place, expected: str) -> None:
    """The run ended as the matrix says."""
    if expected == COMPLETE:
        assert_complete(cube, run)
    else:
        assert_refused(run, place, expected)
