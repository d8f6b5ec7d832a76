"""Nights in the life of a small account: runs that begin when a test says, and what they asked."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import pytest

from tap_cube.tap import TapCube
from tests.support.runs import CRM, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cube_sandbox import Sandbox
    from tests.support.tap_process import TapRun

Record = dict[str, Any]

OSLO = ZoneInfo("Europe/Oslo")
DAY = timedelta(days=1)
OUTCOMES = "call_outcomes"
REGISTRATIONS = "product_registrations"
CALLFLOW = "callflow_customers"
KEYS = {
    OUTCOMES: "call_outcome_key",
    REGISTRATIONS: "product_registration_key",
    CALLFLOW: "callflow_key",
}
MERSALG = 2
"""The campaign that most tests edit: it runs over CRM (2, "B2B")."""

OUTCOMES_PATH = f"/api/v1/campaigns/{MERSALG}/call_outcomes/"
"""Where its outcomes are."""

ARCHIVED = 8
ONE_CRM: dict[str, Any] = {"data_owners": [{"id": 2, "crm_types": ["B2B"]}]}
"""Settings that read campaigns 2 and 8 alone."""
ALL_CRMS: dict[str, Any] = {"data_owners": None}
"""Settings that read all four campaigns."""

EMPTY_PAGE = '{"count": 0, "next": null, "results": []}'
CALL_STATE = "callflow__callstate__name"


def begin(cube: Sandbox, **options: Any) -> None:  # noqa: ANN401 - options of the sandbox
    """Let the account be a small one of today's generation in which nothing happened yet."""
    cube.reset(**{"generation": "2020", "without": (), "customers": 4, "outcomes": 0, **options})


def fill_campaigns(cube: Sandbox, **options: Any) -> None:  # noqa: ANN401 - options of the sandbox
    """Begin with two outcomes and a call state in each of the four campaigns."""
    begin(cube, **options)
    for campaign in cube.account.campaigns:
        for days in (1, 2):
            when = at(cube.day - days * DAY)
            cube.account.add_outcome(campaign, when=when, product="MPA", type=f"Type {campaign}")
        cube.account.set_call_state(campaign, state="Ready", when=at(cube.day))


def fill_callflow(cube: Sandbox, **options: Any) -> list[str]:  # noqa: ANN401 - options of the sandbox
    """Begin with a state of each customer in one campaign, each changed on another day.

    Returns:
        The customers, whose state changed last first.
    """
    begin(cube, page_size=2, **options)
    customers = cube.account.customer_ids(CRM)
    for days, customer in enumerate(customers):
        when = at(cube.day - days * DAY)
        cube.account.set_call_state(MERSALG, customer, state="Ready", when=when)
    return customers


def night(
    cube: Sandbox,
    day: date | None = None,
    *,
    hour: str = "23:30",
    state: Mapping[str, Any] | None = None,
    **settings: Any,  # noqa: ANN401 - settings
) -> TapRun:
    """Read an account in a run that begins on a day of its own calendar, and must succeed.

    Args:
        cube: The account.
        day: The account's present day; the one it has when left out.
        hour: When the run begins, with an offset where the hour comes twice.
        state: What the night before left.
        settings: Settings of the tap.
    """
    run = try_night(cube, day, hour=hour, state=state, **settings)
    assert run.returncode == 0, run.stderr
    return run


def try_night(
    cube: Sandbox,
    day: date | None = None,
    *,
    hour: str = "23:30",
    state: Mapping[str, Any] | None = None,
    **settings: Any,  # noqa: ANN401 - settings
) -> TapRun:
    """Read an account as `night` does, in a run that may fail."""
    cube.today = day or cube.day
    cube.requests.clear()
    moment = datetime.fromisoformat(f"{cube.day}T{hour}")
    with beginning(cube, moment if moment.tzinfo else moment.replace(tzinfo=OSLO)):
        return read(cube, state=state, **{**ONE_CRM, **settings})


@contextmanager
def beginning(cube: Sandbox, moment: datetime) -> Iterator[None]:
    """Let runs begin at a moment, by the account's clock and by that of the runner."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cube, "now", moment)
        patch.setattr(TapCube, "initialized_at", int(moment.timestamp() * 1000))
        yield


@dataclass(frozen=True, slots=True)
class Question:
    """A request for a page of events.

    Attributes:
        row: The endpoint's row.
        path: Whose events.
        first: The first day; None where none was given.
        last: The last day; None where none was given.
        page: The page.
    """

    row: str
    path: str
    first: date | None
    last: date | None
    page: int

    @property
    def days(self) -> tuple[date | None, date | None]:
        """Both days."""
        return self.first, self.last


def questions(cube: Sandbox, *rows: str) -> list[Question]:
    """What was asked at these endpoints since the run began, without what discovery looked at."""
    return [
        Question(request.row or "", request.path, *_dates(request.query), request.page)
        for request in cube.requests
        if request.row in rows and not _is_probe(request.query)
    ]


def _dates(query: str) -> tuple[date | None, date | None]:
    given = parse_qs(query)
    first, last = (given.get(name, [""])[0] for name in ("from_date", "to_date"))
    return _day(first), _day(last)


def _day(text: str) -> date | None:
    return datetime.strptime(text, "%Y%m%d").replace(tzinfo=OSLO).date() if text else None


def _is_probe(query: str) -> bool:
    """Whether this is the one look of discovery, which goes by the real calendar."""
    _, last = _dates(query)
    return last is not None and last >= datetime.now(OSLO).date() - DAY


def by_key(records: Iterable[Record], stream: str = OUTCOMES) -> dict[str, Record]:
    """Records by their key, as a target that upserts would hold them in the end."""
    return {record[KEYS[stream]]: record for record in records}


def call_states(run: TapRun) -> dict[str, str]:
    """The call states that a run emitted, by customer."""
    return {r["customer_id"]: r[CALL_STATE] for r in run.records[CALLFLOW]}


def marks(run: TapRun, stream: str = OUTCOMES) -> dict[object, str]:
    """The bookmark of each campaign or CRM of a stream, or of the whole account."""
    bookmark = (run.state or {"bookmarks": {}})["bookmarks"].get(stream, {})
    return {
        next(iter(part.get("context", {}).values()), None): part["replication_key_value"]
        for part in bookmark.get("partitions", [bookmark])
        if "replication_key_value" in part
    }


def days_read(state: Mapping[str, Any], stream: str = OUTCOMES) -> dict[int, date]:
    """The last day that was read of each campaign, as a state says."""
    parts = state.get("bookmarks", {}).get(stream, {}).get("partitions", [])
    return {
        part["context"]["campaign__id"]: date.fromisoformat(part["replication_key_value"][:10])
        for part in parts
        if "replication_key_value" in part
    }


def at(day: date, clock: str = "10:00") -> datetime:
    """A moment of a day by the account's clock."""
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=OSLO)
