"""docs/architecture.md agrees with the code, and its example works unchanged."""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
import sys
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Sandbox
from cube_sandbox.clock import OSLO
from tap_cube.account import generations
from tap_cube.account.discovery import Discovery
from tap_cube.http.client import CubeClient
from tap_cube.settings import Settings
from tests.repository import docs
from tests.repository.test_sdk_contract import PRIVATE
from tests.support.pools import pool_of
from tests.support.runs import EVENTS, only, settings_for
from tests.support.sizes import only_large
from tests.support.tap_process import TapRun, clean_environment, written_options

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_cube.account.endpoint import Endpoint

PAGE = (docs.ROOT / "docs/architecture.md").read_text("utf-8")
BLOCK = re.compile(
    r"^\*\*(?P<how>New file|At the end of|In) `(?P<path>[^`]+)`"
    r"(?:, above the line `(?P<line>[^`]+)`)?:\*\*\n\n```python\n(?P<code>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
STREAM = "campaign_notes"
MERSALG, ARCHIVED = 2, 8
"""The campaigns of the CRM that is read."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the package and apply each code block of the page."""
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(
        docs.ROOT / "tap_cube", root / "tap_cube", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(docs.ROOT / "pyproject.toml", root)
    for block in BLOCK.finditer(PAGE):
        path, code = root / block["path"], block["code"]
        if block["how"] == "New file":
            assert not path.exists()
            path.write_text(code, "utf-8")
            continue
        text = path.read_text("utf-8")
        if block["how"] == "In":
            line = f"\n{block['line']}\n"
            assert text.count(line) == 1
            path.write_text(text.replace(line, f"\n{code}{line[1:]}"), "utf-8")
        else:
            path.write_text(f"{text}\n\n{code}", "utf-8")
    return root


@pytest.fixture(scope="module")
def cube() -> Iterator[Sandbox]:
    """Run an account with three notes in each campaign."""
    today = date(2024, 5, 17)
    with Sandbox(customers=4, notes=3, page_size=2, today=today, without=EVENTS) as cube:
        yield cube


def run(project: Path, cube: Sandbox, folder: Path, *options: str, state: Any = None) -> TapRun:  # noqa: ANN401 - JSON
    """Run the tap of the copied project as a command."""
    files = written_options(str(folder), config=settings_for(cube, **only((2, "B2B"))), state=state)
    ended = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "tap_cube", *files, *options],
        cwd=project,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return TapRun(ended.returncode, ended.stdout, ended.stderr)


def test_the_example_touches_three_files() -> None:
    """The page says that a new stream touches three files."""
    assert {block["path"] for block in BLOCK.finditer(PAGE)} == {
        "tap_cube/account/generations.py",
        "tap_cube/streams/notes.py",
        "tap_cube/streams/registry.py",
    }
    # No code block is skipped because of another heading.
    assert PAGE.count("```python\n") == len(BLOCK.findall(PAGE))


def test_the_example_keeps_the_rules_of_the_repository(project: Path) -> None:
    """The linter, the formatter and the import contract accept the example."""
    for command in (["ruff", "check"], ["ruff", "format", "--check"], ["lint-imports"]):
        done = subprocess.run(  # noqa: S603 - our own command
            command,
            cwd=project,
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_is_discovered(project: Path, cube: Sandbox, tmp_path: Path) -> None:
    """The catalog has the new stream with its key, its replication key and its types."""
    streams = run(project, cube, tmp_path, "--discover").catalog["streams"]
    (entry,) = (each for each in streams if each["tap_stream_id"] == STREAM)
    assert entry["key_properties"] == ["note__id"]
    assert entry["replication_key"] == "note__changed_when"
    properties = entry["schema"]["properties"]
    assert properties["note__id"]["type"] == ["integer"]
    assert properties["campaign__id"]["type"] == ["integer", "null"]
    assert properties["note__text"]["type"] == ["string", "null"]
    assert properties["note__changed_when"]["format"] == "date-time"


@only_large
def test_the_example_is_incremental(project: Path, cube: Sandbox, tmp_path: Path) -> None:
    """The second run writes changed notes and those of the last days."""
    cube.reset()
    notes = {campaign: cube.account.notes(campaign) for campaign in (MERSALG, ARCHIVED)}
    first = run(project, cube, tmp_path)
    records = first.records[STREAM]
    assert [(r["campaign__id"], r["note__id"]) for r in records] == [
        (campaign, note) for campaign, own in notes.items() for note in own
    ]
    changed, recent, last = notes[MERSALG]
    assert records[2] == {
        "campaign__id": MERSALG,
        "data_owner_id": 2,
        "crm_type": "B2B",
        "assignment_id": 9,
        "note__id": last,
        "note__text": "",
        "note__changed_when": "2024-05-16T10:30:00+00:00",
        "crm__customer_id": cube.account.customer_ids((2, "B2B"))[2],
        "campaign__name": "Mersalg B2B",
        "data_owner__name": "Fjordmedia AS",
        "unparsed_values": None,
    }

    cube.account.change_note(changed, "Ring igjen", datetime(2024, 5, 17, 9, 30, tzinfo=OSLO))
    second = run(project, cube, tmp_path, state=first.state)
    assert {r["note__id"]: r["note__text"] for r in second.records[STREAM]} == {
        changed: "Ring igjen",
        recent: records[1]["note__text"],
        last: "",
    }


@pytest.mark.parametrize(
    ("endpoint", "partition"),
    [
        (generations.DATA_OWNER_CUSTOMERS[0], "data_owners/2/B2B"),
        (generations.ASSIGNMENT_CUSTOMERS[0], "assignments/9"),
        (generations.CAMPAIGNS[0], ""),
    ],
)
def test_the_ids_in_a_path_decide_the_partitions(
    cube: Sandbox, endpoint: Endpoint, partition: str
) -> None:
    """Discovery finds a further stream by CRM, by assignment or for the account by its endpoint."""
    settings = Settings.from_config(settings_for(cube))
    logger = logging.getLogger(__name__)
    discovery = Discovery(CubeClient(settings, logger), pool_of(0), settings, logger)
    resource = discovery.account({"things": [endpoint]}).resources["things"]
    assert resource.endpoint is endpoint
    assert partition in [each.name for each in resource.partitions]


def test_the_page_names_every_private_name_of_the_sdk() -> None:
    """The table has the same names as the list that is checked against the SDK."""
    table = PAGE.partition("## Private names")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| `[^|]*\| ([^|]*) \|", table, re.MULTILINE)
    names = {name for cell in cells for name in re.findall(r"\w+", cell)}
    assert names == {name.rpartition(".")[2] for name in PRIVATE}


def test_the_page_names_modules_that_exist() -> None:
    """All modules and links on the page exist."""
    named = set(re.findall(r"`([a-z_]+/[a-z_]*(?:\.py)?)`", PAGE))
    assert len(named) > 20
    missing = {name for name in named if not (docs.ROOT / "tap_cube" / name).exists()}
    assert missing == set()
    links = re.findall(r"\]\(([^)#]+)", PAGE)
    assert [link for link in links if not (docs.ROOT / "docs" / link).exists()] == []


def test_the_page_shows_the_layers_of_the_contract() -> None:
    """The table of layers names every package and module of the tap."""
    layers = re.findall(r"^\| \d \| (.*?) \|", PAGE, re.MULTILINE)
    named = {name.strip("/") for layer in layers for name in re.findall(r"`([\w/]+)`", layer)}
    existing = {path.stem for path in (docs.ROOT / "tap_cube").glob("[!.]*")}
    assert named == existing - {"__init__", "__pycache__", "py"}
    assert len(layers) == 9
