"""Where events are read from: by campaign, else by CRM, else all in one, and what is left out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault
from tap_cube.account.probe import PROBES
from tests.integration.conftest import TODAY
from tests.support.event_runs import (
    ARCHIVED,
    CALLFLOW,
    DAY,
    MERSALG,
    OUTCOMES,
    REGISTRATIONS,
    at,
    begin,
    by_key,
    marks,
    night,
    questions,
    try_night,
)
from tests.support.in_process import run_in_process
from tests.support.runs import complaint, logged, settings_for
from tests.support.sizes import scaled

if TYPE_CHECKING:
    from collections.abc import Collection

    from cube_sandbox import Sandbox
    from cube_sandbox.faults import Request
    from tests.support.tap_process import TapRun

EVERYTHING: dict[str, Any] = {"data_owners": None}
B2B, B2C = (2, "B2B"), (2, "B2C")


def fill(cube: Sandbox, **options: Any) -> None:  # noqa: ANN401 - options of the sandbox
    """Let something have happened in each of the four campaigns."""
    begin(cube, **options)
    for campaign in cube.account.campaigns:
        for days in (1, 2):
            when = at(TODAY - days * DAY)
            cube.account.add_outcome(campaign, when=when, product="MPA", type=f"Type {campaign}")
        cube.account.set_call_state(campaign, state="Ready", when=at(TODAY))


def joined(run: TapRun, stream: str = OUTCOMES, *more: str) -> set[tuple[Any, ...]]:
    """The ids in the records of a stream, by which they are joined to others."""
    names = ("campaign__id", "data_owner_id", "crm_type", *more)
    return {tuple(r.get(name, "no column") for name in names) for r in run.records[stream]}


@pytest.mark.parametrize(
    ("without", "rows"),
    [
        ((), ("C9", "C11")),
        (("C9", "C11"), ("C8", "C10")),
        (("C9", "C8"), ("C7", "C11")),
    ],
)
def test_what_one_address_does_not_answer_comes_from_the_next(
    cube: Sandbox,
    without: Collection[str],
    rows: tuple[str, str],
) -> None:
    """Each change of address is in the log, and ids are looked up by the names in the rows."""
    fill(cube, without=without)
    run = night(cube, **EVERYTHING)
    for row, stream in zip(rows, (OUTCOMES, REGISTRATIONS), strict=True):
        assert questions(cube, row)
        assert len(by_key(run.records[stream], stream)) == len(run.records[stream]) == 8
        assert joined(run, stream) == {
            (1, 1, "B2C"),
            (2, 2, "B2B"),
            (8, 2, "B2B"),
            (9, 2, "B2C"),
        }
    told = [line for line in run.stderr.splitlines() if f"'{OUTCOMES}'" in line]
    answers = [text for text in told if "was not found at" in text]
    assert len(answers) == sum(row in {"C9", "C8"} for row in without)
    (is_read_from,) = [text for text in told if "is read from" in text]
    assert is_read_from.endswith(f"Stream '{OUTCOMES}' is read from {PATHS[rows[0]]}")


PATHS = {
    "C9": "/api/v1/campaigns/{campaign__id}/call_outcomes/",
    "C8": "/api/v1/data_owners/{data_owner_id}/crm/{crm_type}/call_outcomes/",
    "C7": "/api/v1/call_outcomes/",
}


@pytest.mark.parametrize(
    ("without", "crm", "crm_type"),
    [(("C9", "C11", "C6"), B2C, None), (("C9", "C8", "C11"), B2B, "B2B"),
     (("C9", "C8", "C11"), B2C, None)],
)  # fmt: skip
def test_a_name_that_two_campaigns_share_is_no_id(
    cube: Sandbox, without: Collection[str], crm: tuple[int, str], crm_type: str | None
) -> None:
    """A wrong id would be worse than none, but what both belong to is known."""
    fill(cube, without=without)
    twin = cube.account.add_campaign(crm, "Mersalg B2B")
    for campaign in (twin, MERSALG):
        cube.account.add_outcome(campaign, when=at(TODAY), type="Twin", product="MPA")
    run = night(cube, **EVERYTHING)
    duplicates = [r for r in run.records[OUTCOMES] if r["call_outcome__type"] == "Twin"]
    # Equal events of both are two all the same.
    assert len(by_key(duplicates)) == 2
    assert {r["campaign__id"] for r in duplicates} == {None}
    assert {r["campaign__id"] for r in run.records[OUTCOMES]} == {1, None, 8, 9}
    if "C8" in without:
        assert {(r["data_owner_id"], r["crm_type"]) for r in duplicates} == {(2, crm_type)}
    else:
        assert {(r["data_owner_id"], r["crm_type"]) for r in duplicates} == {B2B, crm}


@pytest.mark.parametrize(
    "without", scaled([("C9", "C8", "C11", "C6")], [("C9", "C11", "C6"), ("C9", "C8", "C11", "C6")])
)
def test_the_columns_are_those_of_every_address(cube: Sandbox, without: Collection[str]) -> None:
    """What a campaign would tell of its rows is looked up where another address has them."""
    fill(cube, generation="all")
    usual = night(cube, **EVERYTHING)
    cube.without = without
    run = night(cube, **EVERYTHING)
    for stream in (OUTCOMES, REGISTRATIONS, CALLFLOW):
        assert run.schemas[stream] == usual.schemas[stream]
        assert joined(run, stream, "assignment_id") == joined(usual, stream, "assignment_id")


def test_rows_read_otherwise_than_before_keep_nothing_back(cube: Sandbox) -> None:
    """A bookmark of campaigns says nothing about CRMs: those are read from the beginning."""
    fill(cube)
    first = night(cube, TODAY)
    cube.without = {"C9"}
    second = night(cube, TODAY + DAY, state=first.state)
    assert len(second.records[OUTCOMES]) == len(first.records[OUTCOMES]) == 4


def test_a_whole_account_in_one_goes_on_by_one_bookmark(cube: Sandbox) -> None:
    """Without campaigns and CRMs there are no partitions, and state works all the same."""
    fill(cube, without=("C9", "C8"))
    first = night(cube, TODAY, **EVERYTHING)
    assert marks(first) == {None: TODAY.isoformat()}
    cube.account.add_outcome(MERSALG, when=at(TODAY + DAY))
    second = night(cube, TODAY + DAY, state=first.state, **EVERYTHING)
    assert {q.days for q in questions(cube, "C7")} == {(TODAY - 2 * DAY, TODAY + DAY)}
    assert len(second.records[OUTCOMES]) == 9
    assert marks(second) == {None: (TODAY + DAY).isoformat()}


def test_what_the_settings_do_not_name_is_not_read(cube: Sandbox) -> None:
    """Campaigns of other CRMs stay away, and so does an address that would bring them along."""
    fill(cube)
    assert {r["campaign__id"] for r in night(cube).records[OUTCOMES]} == {2, 8}
    cube.without = {"C9", "C8"}
    assert OUTCOMES not in night(cube).schemas
    assert not questions(cube, "C7")


@pytest.mark.parametrize("campaign", scaled([9], [1, 2, 9]))
def test_a_forbidden_campaign_is_a_warning(cube: Sandbox, campaign: int) -> None:
    """What the credential may not see is named, and the rest arrives."""
    fill(cube, forbidden={f"campaigns/{campaign}"})
    run = night(cube, **EVERYTHING)
    for stream in (OUTCOMES, REGISTRATIONS, CALLFLOW):
        assert {r["campaign__id"] for r in run.records[stream]} == {1, 2, 8, 9} - {campaign}
        assert f"{stream} of campaigns/{campaign}, page 1: HTTP 403" in run.stderr
    assert campaign not in marks(run)


NO_OTHER_ADDRESS = ("C5", "C7", "C8", "C10")


def test_campaigns_that_are_forbidden_do_not_hide_the_others(cube: Sandbox) -> None:
    """A refusal says nothing about the address, so discovery goes on to a campaign that answers."""
    newest = {1, 2, 9}
    fill(cube, forbidden={f"campaigns/{n}" for n in newest}, without=NO_OTHER_ADDRESS)
    run = night(cube, **EVERYTHING)
    for stream in (OUTCOMES, REGISTRATIONS, CALLFLOW):
        assert {r["campaign__id"] for r in run.records[stream]} == {ARCHIVED}
        for campaign in newest:
            assert f"{stream} of campaigns/{campaign}, page 1: HTTP 403" in run.stderr


def test_what_is_forbidden_altogether_is_said_to_be(cube: Sandbox) -> None:
    """Who misses a table learns from the warnings whose permission is missing, and goes on."""
    fill(cube, forbidden={f"campaigns/{n}" for n in (1, 2, 8, 9)}, without=NO_OTHER_ADDRESS)
    run = night(cube, **EVERYTHING)
    assert run.records["data_owner_customers"]
    told = logged(run, "WARNING")
    for stream in (OUTCOMES, REGISTRATIONS, CALLFLOW):
        assert stream not in run.schemas
        path = f"/api/v1/campaigns/{{campaign__id}}/{stream}/"
        assert f"Stream '{stream}' is forbidden to the credential at {path}" in told
        assert f"Nothing to read for stream '{stream}'; it is skipped" in told
        assert f"'{stream}' was not found at {path}" not in run.stderr


def test_a_missing_address_is_tried_with_three_campaigns(cube: Sandbox) -> None:
    """Those that answer 404 are enough to tell, however many there are."""
    begin(cube, campaigns=12, without=("C9",))
    cube.account.add_outcome(MERSALG, when=at(TODAY))
    assert len(night(cube, **EVERYTHING).records[OUTCOMES]) == 1
    tried = [
        r for r in cube.requests if re.fullmatch(r"/api/v1/campaigns/\d+/call_outcomes/", r.path)
    ]
    assert len(tried) == PROBES


def test_a_campaign_that_has_vanished_is_a_warning(cube: Sandbox) -> None:
    """It was on the list a moment ago; the other campaigns are read."""
    fill(cube)

    def vanish(request: Request) -> None:
        if request.path.startswith("/api/v1/campaigns/8/"):
            cube.faults.append(Fault("404", at=request.number))

    cube.before_request = vanish
    run = night(cube)
    for stream in (OUTCOMES, REGISTRATIONS, CALLFLOW):
        assert {r["campaign__id"] for r in run.records[stream]} == {MERSALG}
        assert f"campaigns/8 is skipped. {stream} of campaigns/8, page 1: HTTP 404" in run.stderr


def test_a_crm_forbidden_to_the_credential_is_an_error_if_it_was_named(cube: Sandbox) -> None:
    """Who asked for it decides: named in the settings it must be readable."""
    fill(cube, forbidden={"data_owners/2/B2C"}, without=("C9", "C11", "C6"))
    discovered = night(cube, **EVERYTHING)
    assert {r["data_owner_id"] for r in discovered.records[OUTCOMES]} == {1, 2}
    assert {r["crm_type"] for r in discovered.records[CALLFLOW]} == {"B2B", "B2C"}
    assert "data_owners/2/B2C" in discovered.stderr
    named = try_night(cube, data_owners=[{"id": 2, "crm_types": ["B2B", "B2C"]}])
    assert "of data_owners/2/B2C, page 1: HTTP 403" in complaint(named)


def test_rows_out_of_order_all_arrive(cube: Sandbox) -> None:
    """Outcomes that were entered late stand last; the bookmark is a day read, not a row seen."""
    begin(cube, page_size=3)
    for days in (5, 1, 9, 0, 7, 3, 2, 8, 4, 6):
        cube.account.add_outcome(MERSALG, when=at(TODAY - days * DAY))
    first = night(cube, TODAY)
    assert len(by_key(first.records[OUTCOMES])) == 10
    assert marks(first)[MERSALG] == TODAY.isoformat()
    second = night(cube, TODAY + DAY, state=first.state)
    assert sorted(r["submitted_at"][:10] for r in second.records[OUTCOMES]) == [
        str(TODAY - days * DAY) for days in (2, 1, 0)
    ]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"start_date": "2099-01-01"}, "Setting 'start_date' is in the future"),
        ({"timezone": "Europe/Atlantis"}, "Setting 'timezone' must be an IANA zone name"),
    ],
)
def test_settings_that_no_window_can_be_made_of_are_refused(
    cube: Sandbox, settings: dict[str, Any], words: str
) -> None:
    """Before the first request, in a sentence that names the setting."""
    begin(cube)
    assert complaint(run_in_process(settings_for(cube, **settings))).startswith(words)
    assert not cube.requests


def test_an_account_of_2019_has_events_by_assignment(cube: Sandbox) -> None:
    """Then rows named assignment and client, and campaigns are joined by assignment."""
    begin(cube, generation="2019")
    cube.account.add_outcome(MERSALG, when=at(TODAY, "09:12"), type="Booked", by="a@example.com")
    run = night(cube, **EVERYTHING)
    (record,) = run.records[OUTCOMES]
    assert (record["campaign__id"], record["assignment_id"]) == (MERSALG, 9)
    assert record["submitted_at"] == f"{TODAY}T09:12:00+02:00"
    assert record["call_outcome__submitted_when"] == f"{TODAY}T09:12:00+02:00"
    assert record["call_outcome__submitted_by"] == "a@example.com"
    assert REGISTRATIONS not in run.schemas
