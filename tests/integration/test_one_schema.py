"""One SCHEMA a stream: the first pages of all partitions say which columns it has."""

from __future__ import annotations

import json
import signal
import tempfile
from collections import Counter
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tap_cube.paging import first_pages
from tests.integration.conftest import TODAY
from tests.integration.test_broken_partitions import failing
from tests.support.batch_runs import into
from tests.support.ending import SECONDS, assert_cut_short, wait_until
from tests.support.event_runs import (
    ALL_CRMS,
    CALLFLOW,
    DAY,
    MERSALG,
    OSLO,
    OUTCOMES,
    REGISTRATIONS,
    at,
    begin,
    fill_callflow,
    marks,
    night,
    questions,
    try_night,
)
from tests.support.runs import CRM, CUSTOMERS, complaint, discover, entry_of, schemas, settings_for
from tests.support.sizes import scaled
from tests.support.tap_process import TapRun, started_tap

if TYPE_CHECKING:
    from cube_sandbox import Request, Sandbox

STREAMS = (CALLFLOW, OUTCOMES, REGISTRATIONS)
NEW = {CALLFLOW: "product__STR1", OUTCOMES: "call_outcome__extra__Nytt"}
"""Columns of one campaign alone."""


def fill(cube: Sandbox, **options: Any) -> list[int]:  # noqa: ANN401 - options of the sandbox
    """Begin with several campaigns, of which one of the older ones has columns of its own."""
    begin(cube, **options)
    account = cube.account
    account.add_campaign(CRM, "Egen", products=["STR1"], outcome_extras=["Nytt"])
    account.add_campaign(CRM, "Ny")
    campaigns = list(account.campaigns)
    for campaign in campaigns:
        extras = {"Nytt": "svar"} if campaign == campaigns[-2] else {}
        for days in (1, 2, 3):
            account.add_outcome(campaign, when=at(TODAY - days * DAY), extras=extras)
            account.set_call_state(campaign, state="Ready", when=at(TODAY))
    return campaigns


def assert_one_schema(run: TapRun, *streams: str) -> None:
    """Each of these streams has one SCHEMA, with the columns that few rows have."""
    for stream in streams:
        (columns,) = schemas(run, stream)
        assert NEW.get(stream, "campaign__id") in columns


@pytest.mark.parametrize("read_ahead", scaled([8], [0, 8]))
def test_columns_of_one_campaign_are_in_the_first_schema(cube: Sandbox, read_ahead: int) -> None:
    """In the same order in every run, and no first page is requested twice."""
    campaigns = fill(cube)
    run = night(cube, read_ahead=read_ahead, **ALL_CRMS)
    assert_one_schema(run, *STREAMS)
    asked = Counter(question.path for question in questions(cube, "C9"))
    assert asked == {f"/api/v1/campaigns/{number}/call_outcomes/": 1 for number in campaigns}
    customers = Counter(request.path for request in cube.requests if request.row == "C2")
    assert [*customers.values()] == [1] * len(cube.account.crms)  # by discovery
    again = night(cube, read_ahead=8 - read_ahead, **ALL_CRMS)
    for stream in STREAMS:
        assert [[*each] for each in schemas(run, stream)] == [
            [*each] for each in schemas(again, stream)
        ]


@pytest.mark.parametrize("extras", [["NYTT", "nytt"], ["nytt", "NYTT"]])
def test_names_that_are_alike_do_not_depend_on_the_campaign(
    cube: Sandbox, extras: list[str]
) -> None:
    """The key that is plain has the plain name, also if another campaign is read before its own."""
    begin(cube)
    for extra in [*extras, "Annet"]:
        campaign = cube.account.add_campaign(CRM, f"Med {extra}", outcome_extras=[extra])
        cube.account.add_outcome(campaign, when=at(TODAY), extras={extra: extra})
    records = night(cube, **ALL_CRMS).records[OUTCOMES]
    sent = {(name, value) for each in records for name, value in each.items() if value in extras}
    digest = next(name for name, value in sent if value == "NYTT").rpartition("_")[2]
    assert sent == {
        ("call_outcome__extra__nytt", "nytt"), (f"call_outcome__extra__NYTT_{digest}", "NYTT"),
    }  # fmt: skip


MAPS: dict[str, dict[str, Any]] = {
    "map": {"stream_maps": {OUTCOMES: {"day": "submitted_at", "crm_type": None}}},
    "flattening": {"flattening_enabled": True, "flattening_max_depth": 2},
}


@pytest.mark.parametrize("name", scaled(["map"], list(MAPS)))
def test_stream_maps_have_one_schema_too(cube: Sandbox, name: str) -> None:
    """The keys are its first columns."""
    fill(cube)
    run = night(cube, **ALL_CRMS, **MAPS[name])
    assert_one_schema(run, *STREAMS)
    assert next(iter(schemas(run, OUTCOMES)[0])) == "call_outcome_key"


def test_the_schema_before_the_first_batch_has_all_columns(cube: Sandbox, tmp_path: Path) -> None:
    """A target that begins its file anew with each SCHEMA would keep the last files alone."""
    fill(cube)
    run = night(cube, **ALL_CRMS, **into(tmp_path, batch_size=2))
    assert_one_schema(run, *STREAMS)


def test_a_key_on_a_later_page_becomes_the_last_column(cube: Sandbox) -> None:
    """No first page shows it, so it takes a second SCHEMA."""
    fill(cube, page_size=3)
    cube.account.add_outcome(MERSALG, when=at(TODAY - 300 * DAY), extras={"Gammelt": "ja"})
    run = night(cube, **ALL_CRMS, **MAPS["map"])
    before, after = schemas(run, OUTCOMES)
    assert [*after] == [*before, "call_outcome__extra__Gammelt"]


def test_a_later_key_that_a_map_removes_takes_no_schema(cube: Sandbox) -> None:
    """It would be the same once more. A copy of the stream that has the key gets one."""
    fill(cube, page_size=3)
    cube.account.add_outcome(MERSALG, when=at(TODAY - 300 * DAY), extras={"Gammelt": "ja"})
    key = "call_outcome__extra__Gammelt"
    run = night(
        cube, **ALL_CRMS, stream_maps={OUTCOMES: {key: None}, "c": {"__source__": OUTCOMES}}
    )
    assert len(schemas(run, OUTCOMES)) == 1
    assert [key in columns for columns in schemas(run, "c")] == [False, True]


@pytest.mark.parametrize("read_ahead", scaled([8], [0, 8]))
def test_a_campaign_without_an_answer_fails_alone(cube: Sandbox, read_ahead: int) -> None:
    """Its failure is told once, with its name; the others come, with one SCHEMA."""
    campaigns = fill(cube)
    path = f"/api/v1/campaigns/{campaigns[1]}/call_outcomes/"
    sound = night(cube, **ALL_CRMS)
    cube.before_request = failing(cube, "500", path)
    broken = try_night(cube, read_ahead=read_ahead, **ALL_CRMS)
    assert complaint(broken).startswith(f"{OUTCOMES} of campaigns/{campaigns[1]}, page 1: HTTP 500")
    assert_one_schema(broken, *STREAMS)
    assert len(broken.records[OUTCOMES]) == len(sound.records[OUTCOMES]) - 3


@pytest.mark.parametrize("can_write", [True, False])
def test_many_first_pages_are_kept_on_disk(
    cube: Sandbox, monkeypatch: pytest.MonkeyPatch, *, can_write: bool
) -> None:
    """With the same output. If the disk refuses them, they are requested again."""
    campaigns = fill(cube)
    sound = night(cube, **ALL_CRMS)
    monkeypatch.setattr(first_pages, "MAX_KEPT_BYTES", 2000)
    if not can_write:
        full = partial(Path("/dev/full").open, "wb")
        monkeypatch.setattr(tempfile, "TemporaryFile", full)
    run = night(cube, **ALL_CRMS)
    for stream in (CUSTOMERS, *STREAMS):
        assert run.records[stream] == sound.records[stream]
    assert_one_schema(run, *STREAMS)
    asked = len(questions(cube, "C9"))
    assert asked == len(campaigns) if can_write else asked > len(campaigns)


def test_a_page_from_long_ago_is_requested_again_if_others_follow(
    cube: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that changed meanwhile would look like rows that moved from page to page."""
    fill(cube, page_size=2)
    night(cube, **ALL_CRMS)
    usual = Counter((question.path, question.page) for question in questions(cube, "C9"))
    monkeypatch.setattr(first_pages, "MAX_AGE", 0)
    night(cube, **ALL_CRMS)
    again = Counter((question.path, question.page) for question in questions(cube, "C9"))
    assert {page for _, page in (again - usual)} == {1}
    assert set((again - usual).values()) == {1}


def test_no_bookmark_passes_the_time_of_a_page_that_was_kept(cube: Sandbox) -> None:
    """What changes on it before the other pages are read comes with the next run."""
    customers = fill_callflow(cube, today=TODAY)
    changed: list[str] = []

    def change(request: Request) -> None:
        is_later = request.row == "C6" and request.page == 2 and f"/{MERSALG}/" in request.path
        if is_later and not changed:
            cube.now = at(TODAY, "23:40")
            changed.extend(customers)
            for customer in changed:
                cube.account.set_call_state(MERSALG, customer, state="Sale", when=cube.now)

    cube.before_request = change
    run = night(cube, hour="23:30", read_ahead=0)
    assert changed
    bookmark = datetime.fromisoformat(str(marks(run, CALLFLOW)[MERSALG]))
    assert bookmark.astimezone(OSLO) <= at(TODAY, "23:30")


def test_keys_are_the_first_columns_of_any_catalog(cube: Sandbox) -> None:
    """Some targets sort their tables by the first columns."""
    fill(cube)
    catalog = discover(cube, **ALL_CRMS)
    entry = entry_of(catalog)
    keys = ["data_owner_id", "crm_type", "customer_id"]
    assert [*entry["schema"]["properties"]][:3] == keys
    columns = entry["schema"]["properties"]
    entry["schema"]["properties"] = {name: columns[name] for name in reversed(columns)}
    run = night(cube, catalog=catalog, **ALL_CRMS)
    assert [*schemas(run)[0]][:3] == keys


def test_a_signal_ends_a_run_that_reads_first_pages(cube: Sandbox) -> None:
    """What was written is whole: the streams before, and the state."""
    campaigns = fill(cube)
    path = f"/api/v1/campaigns/{campaigns[0]}/call_outcomes/"

    def hold(request: Request) -> None:
        if request.path == path:
            cube.closing.wait(10 * SECONDS)

    cube.before_request = hold
    with started_tap(settings_for(cube, **ALL_CRMS)) as process:
        wait_until(lambda: any(request.path == path for request in [*cube.requests]), process)
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=SECONDS)
    assert process.returncode == 128 + signal.SIGTERM
    assert_cut_short(TapRun(process.returncode, stdout.decode(), stderr.decode()))
    last = json.loads(stdout.splitlines()[-1])
    assert last["type"] == "STATE"
