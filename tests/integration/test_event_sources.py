"""The endpoint of events: by campaign, by CRM or of the account."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tap_cube.account.probe import PROBES
from tests.integration.conftest import TODAY
from tests.support.event_runs import (
    ALL_CRMS,
    CALLFLOW,
    DAY,
    MERSALG,
    OUTCOMES,
    REGISTRATIONS,
    at,
    begin,
    by_key,
    fill_campaigns,
    marks,
    night,
    questions,
)
from tests.support.sizes import scaled

if TYPE_CHECKING:
    from collections.abc import Collection

    from cube_sandbox import Sandbox
    from tests.support.tap_process import TapRun

B2B, B2C = (2, "B2B"), (2, "B2C")


def join_ids(run: TapRun, stream: str = OUTCOMES, *more: str) -> set[tuple[Any, ...]]:
    """The ids in the records of a stream that join them to other streams."""
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
def test_if_one_endpoint_does_not_respond_the_next_is_used(
    cube: Sandbox,
    without: Collection[str],
    rows: tuple[str, str],
) -> None:
    """The log names each change of endpoint; ids are looked up by the names in the rows."""
    fill_campaigns(cube, without=without)
    run = night(cube, **ALL_CRMS)
    for row, stream in zip(rows, (OUTCOMES, REGISTRATIONS), strict=True):
        assert questions(cube, row)
        assert len(by_key(run.records[stream], stream)) == len(run.records[stream]) == 8
        assert join_ids(run, stream) == {
            (1, 1, "B2C"),
            (2, 2, "B2B"),
            (8, 2, "B2B"),
            (9, 2, "B2C"),
        }
    lines = [line for line in run.stderr.splitlines() if f"'{OUTCOMES}'" in line]
    misses = [text for text in lines if "was not found at" in text]
    assert len(misses) == sum(row in {"C9", "C8"} for row in without)
    (is_read_from,) = [text for text in lines if "is read from" in text]
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
def test_a_name_of_two_campaigns_gives_no_id(
    cube: Sandbox, without: Collection[str], crm: tuple[int, str], crm_type: str | None
) -> None:
    """The id of the campaign is null; ids that both campaigns share are set."""
    fill_campaigns(cube, without=without)
    duplicate = cube.account.add_campaign(crm, "Mersalg B2B")
    for campaign in (duplicate, MERSALG):
        cube.account.add_outcome(campaign, when=at(TODAY), type="Duplicate", product="MPA")
    run = night(cube, **ALL_CRMS)
    duplicates = [r for r in run.records[OUTCOMES] if r["call_outcome__type"] == "Duplicate"]
    # Equal events of both campaigns stay two rows.
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
def test_all_endpoints_give_the_same_columns(cube: Sandbox, without: Collection[str]) -> None:
    """Ids that another endpoint lacks are looked up in the list of campaigns."""
    fill_campaigns(cube, generation="all")
    usual = night(cube, **ALL_CRMS)
    cube.without = without
    run = night(cube, **ALL_CRMS)
    for stream in (OUTCOMES, REGISTRATIONS, CALLFLOW):
        assert run.schemas[stream] == usual.schemas[stream]
        assert join_ids(run, stream, "assignment_id") == join_ids(usual, stream, "assignment_id")


def test_an_account_without_partitions_has_one_bookmark(cube: Sandbox) -> None:
    """Without endpoints for campaigns and CRMs, one bookmark covers the account."""
    fill_campaigns(cube, without=("C9", "C8"))
    first = night(cube, TODAY, **ALL_CRMS)
    assert marks(first) == {None: TODAY.isoformat()}
    cube.account.add_outcome(MERSALG, when=at(TODAY + DAY))
    second = night(cube, TODAY + DAY, state=first.state, **ALL_CRMS)
    assert {q.days for q in questions(cube, "C7")} == {(TODAY - 2 * DAY, TODAY + DAY)}
    assert len(second.records[OUTCOMES]) == 9
    assert marks(second) == {None: (TODAY + DAY).isoformat()}


def test_only_crms_of_the_settings_are_read(cube: Sandbox) -> None:
    """Campaigns of other CRMs are skipped, and so is an endpoint that would include them."""
    fill_campaigns(cube)
    assert {r["campaign__id"] for r in night(cube).records[OUTCOMES]} == {2, 8}
    cube.without = {"C9", "C8"}
    assert OUTCOMES not in night(cube).schemas
    assert not questions(cube, "C7")


def test_an_account_of_2019_has_events_by_assignment(cube: Sandbox) -> None:
    """Rows of 2019 name assignment and client; the assignment identifies the campaign."""
    begin(cube, generation="2019")
    cube.account.add_outcome(MERSALG, when=at(TODAY, "09:12"), type="Booked", by="a@example.com")
    run = night(cube, **ALL_CRMS)
    (record,) = run.records[OUTCOMES]
    assert (record["campaign__id"], record["assignment_id"]) == (MERSALG, 9)
    assert record["submitted_at"] == f"{TODAY}T07:12:00+00:00"
    assert record["call_outcome__submitted_when"] == f"{TODAY}T07:12:00+00:00"
    assert record["call_outcome__submitted_by"] == "a@example.com"
    assert REGISTRATIONS not in run.schemas


def test_a_missing_endpoint_is_probed_with_three_campaigns(cube: Sandbox) -> None:
    """A few 404 responses are enough, however many campaigns there are."""
    begin(cube, campaigns=12, without=("C9",))
    cube.account.add_outcome(MERSALG, when=at(TODAY))
    assert len(night(cube, **ALL_CRMS).records[OUTCOMES]) == 1
    probed = [
        r for r in cube.requests if re.fullmatch(r"/api/v1/campaigns/\d+/call_outcomes/", r.path)
    ]
    assert len(probed) == PROBES
