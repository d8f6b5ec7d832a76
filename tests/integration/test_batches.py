"""Records in files (BATCH): equal to RECORD messages, complete, and announced in time."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.batch_runs import batch_records, into, kinds, rows
from tests.support.in_process import run_in_process
from tests.support.runs import (
    ASSIGNED,
    CRM,
    CUSTOMERS,
    discover,
    only,
    read,
    read_at,
    settings_for,
    sync,
    unversioned,
)
from tests.support.singer_check import SingerReader, batch_lines
from tests.support.singles import OF_CUSTOMERS
from tests.support.sizes import scaled
from tests.support.tap_process import started_tap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cube_sandbox import Sandbox

Record = dict[str, Any]
EMAIL = "crm__standard_info__email"
NAME = "crm__standard_info__name"
CUSTOM = "crm__custom_info__67"
COPY = "people"
EVENTS = {"call_outcomes": "submitted_at", "product_registrations": "submitted_at"}


@pytest.mark.parametrize(
    ("compression", "size"), [("gzip", 7), *scaled([], [("none", 10_000), (None, 1)])]
)
def test_files_hold_the_records(
    cube: Sandbox, tmp_path: Path, compression: str | None, size: int
) -> None:
    """With any size, files hold the rows of RECORD messages, each once."""
    cube.reset(without=(), outcomes=6, undated=1)
    plain = read(cube)
    run = read(cube, **into(tmp_path, compression=compression, batch_size=size))
    assert run.returncode == 0, run.stderr
    assert rows(run) == rows(plain)
    assert unversioned(run.state) == unversioned(plain.state)
    assert all(kinds(run, stream).keys() == {"SCHEMA", "BATCH"} for stream in rows(run))
    files = [url for m in run.messages for url in m.get("manifest", ())]
    assert len(set(files)) == len(files) == len(list(tmp_path.iterdir()))
    lengths = Counter(len(list(batch_lines(m))) for m in run.messages if m["type"] == "BATCH")
    assert max(lengths) <= size


def test_times_in_files_are_in_utc(cube: Sandbox, tmp_path: Path) -> None:
    """Targets load the text of files unchanged, into columns that drop an offset."""
    cube.reset(without=(), outcomes=12)
    run = read(cube, **into(tmp_path))
    moments = [
        value
        for path in tmp_path.iterdir()
        for line in gzip.decompress(path.read_bytes()).splitlines()
        for value in json.loads(line).values()
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+[+-]\d\d:\d\d", value)
    ]
    assert len(moments) > len(rows(run)["call_outcomes"])
    assert {moment[-6:] for moment in moments} == {"+00:00"}


def test_a_state_covers_only_files_that_were_announced(cube: Sandbox, tmp_path: Path) -> None:
    """In every stream, earlier BATCH messages announce all rows that a bookmark covers."""
    cube.reset(without=(), outcomes=40)
    expected = rows(read(cube))
    run = read(cube, **into(tmp_path, batch_size=7))
    announced: dict[str, list[Record]] = {stream: [] for stream in expected}
    seen: set[str] = set()
    for message in run.messages:
        if message["type"] == "BATCH":
            announced[message["stream"]] += batch_records(message)
        if message["type"] != "STATE":
            continue
        for stream, context, bookmark in bookmarks(message["value"]):
            column = EVENTS.get(stream)
            due = [
                row
                for row in expected.get(stream, [])
                if context.items() <= row.items()
                and (column is None or "" < (row[column] or "")[:10] <= bookmark)
            ]
            assert all(row in announced[stream] for row in due), (stream, context, bookmark)
            if due and len(announced[stream]) < len(expected[stream]):
                seen.add(stream)
    assert {CUSTOMERS, ASSIGNED, *EVENTS} <= seen, "no state between two files"


def bookmarks(state: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, str], str]]:
    """Yield stream, context and bookmark of each partition in a state."""
    for stream, found in state["bookmarks"].items():
        for part in found.get("partitions", [found]):
            if "replication_key_value" in part:
                context = {name: str(value) for name, value in part.get("context", {}).items()}
                yield stream, context, part["replication_key_value"]


def test_a_file_is_complete_when_its_message_arrives(cube: Sandbox, tmp_path: Path) -> None:
    """A reader can load and delete each file as soon as its message arrives."""
    cube.reset(customers=30, delay=0.01)
    reader, taken = SingerReader({}), 0
    with started_tap(settings_for(cube, **only(CRM), **into(tmp_path, batch_size=4))) as process:
        assert process.stdout is not None
        for line in process.stdout:
            message = reader.read(line.decode())
            if message["type"] == "BATCH" and message["stream"] == CUSTOMERS:
                taken += len(list(batch_lines(message)))
            for url in message.get("manifest", ()):
                Path(url.removeprefix("file://")).unlink()
    assert process.returncode == 0
    assert taken == 30
    assert not list(tmp_path.iterdir())


MAPS: dict[str, tuple[str, Record]] = {
    "a hash": ("BATCH", {CUSTOMERS: {EMAIL: f"md5({EMAIL}) if {EMAIL} else None"}}),
    "a removed field": ("BATCH", {CUSTOMERS: {NAME: None}}),
    "a filter": ("BATCH", {CUSTOMERS: {"__filter__": "int(customer_id) % 2"}}),
    "an alias": ("BATCH", {CUSTOMERS: {"__alias__": COPY}}),
    "a duplicate": ("RECORD", {COPY: {"__source__": CUSTOMERS}}),
    "a removed stream": ("", {CUSTOMERS: "__NULL__"}),
}


@pytest.mark.parametrize("name", MAPS)
def test_stream_maps_hold_for_files(cube: Sandbox, tmp_path: Path, name: str) -> None:
    """Files hold mapped records; no file is announced for two streams."""
    kind, maps = MAPS[name]
    settings = {"auth_token": cube.token, "stream_maps": maps, **only(CRM)}
    plain = read_at(cube.url, **settings)
    run = read_at(cube.url, **settings, **into(tmp_path))
    assert rows(run) == rows(plain)
    assert unversioned(run.state) == unversioned(plain.state)
    stream = COPY if name == "an alias" else CUSTOMERS
    assert kinds(run, stream).keys() == ({"SCHEMA", kind} if kind else set())
    if name == "a hash":
        hashes = [row[EMAIL] for row in rows(run)[CUSTOMERS] if row[EMAIL]]
        assert hashes
        assert all(re.fullmatch("[0-9a-f]{32}", value) for value in hashes)


@pytest.mark.parametrize("flattening", [False, True])
def test_deselected_and_flattened_fields(
    cube: Sandbox, tmp_path: Path, *, flattening: bool
) -> None:
    """Selection and flattening apply to files as they do to messages."""
    catalog = discover(cube, **only(CRM))
    for entry in catalog["streams"]:
        for part in entry["metadata"]:
            if part["breadcrumb"][1:] in ([EMAIL], [CUSTOM]):
                part["metadata"]["selected"] = False
    options = {"flattening_enabled": flattening, "flattening_max_depth": 2, **only(CRM)}
    plain = sync(cube, catalog=catalog, **options)
    run = sync(cube, catalog=catalog, **options, **into(tmp_path))
    assert rows(run) == rows(plain)
    assert len(rows(run)[CUSTOMERS]) == 12
    assert not {EMAIL, CUSTOM} & {name for row in rows(run)[CUSTOMERS] for name in row}
    assert kinds(run).keys() == {"SCHEMA", "BATCH"}


@pytest.mark.parametrize("maps", [{}, {"stream_maps": {CUSTOMERS: {NAME: None}}}])
def test_a_new_field_is_declared_before_its_file(
    cube: Sandbox, tmp_path: Path, maps: Record
) -> None:
    """A field added during the run is declared in a SCHEMA before its BATCH."""
    added: list[int] = []

    def edit(request: Any) -> None:  # noqa: ANN401 - the sandbox's Request
        if request.row == "C2" and request.page == 2 and not added:
            added.append(cube.account.add_definition(CRM, "Nytt felt"))
            *_, last = cube.account.customer_ids(CRM)
            cube.account.update_customer(CRM, last, custom={added[0]: "ny verdi"})

    cube.before_request = edit
    run = read(cube, read_ahead=0, **only(CRM), **maps, **into(tmp_path, batch_size=4))
    assert "ny verdi" in {row.get(f"crm__custom_info__{added[0]}") for row in rows(run)[CUSTOMERS]}
    assert kinds(run)["SCHEMA"] == 2


def test_details_are_records_between_files(cube: Sandbox, tmp_path: Path) -> None:
    """The tap requests details page by page, so they stay messages; states wait for both."""
    plain = read(cube, selected=[OF_CUSTOMERS], **only(CRM))
    run = read(cube, selected=[OF_CUSTOMERS], **only(CRM), **into(tmp_path, batch_size=7))
    assert rows(run) == rows(plain)
    assert len(rows(run)[OF_CUSTOMERS]) == kinds(run, OF_CUSTOMERS)["RECORD"] == 12
    assert kinds(run)["BATCH"] == 2
    assert unversioned(run.state) == unversioned(plain.state)


def test_a_prefix_may_name_a_folder(cube: Sandbox, tmp_path: Path) -> None:
    """A prefix separates files below one root."""
    settings = into(tmp_path)
    settings["batch_config"]["storage"]["prefix"] = "night/one-"
    run = read(cube, **only(CRM), **settings)
    assert len(rows(run)[CUSTOMERS]) == 12
    assert all(path.name.startswith("one-tap-cube--") for path in (tmp_path / "night").iterdir())


def test_a_stream_without_rows_has_no_file(cube: Sandbox, tmp_path: Path) -> None:
    """A stream without rows sends its SCHEMA, and no BATCH."""
    cube.reset(customers=0)
    run = read(cube, **only(CRM), **into(tmp_path))
    assert kinds(run) == {"SCHEMA": 1}


def test_a_test_run_leaves_no_file(cube: Sandbox, tmp_path: Path) -> None:
    """`--test` reads from the account and writes nothing."""
    run = run_in_process(settings_for(cube, **into(tmp_path)), extra_args=["--test"])
    assert run.returncode == 0, run.stderr
    assert not list(tmp_path.iterdir())
