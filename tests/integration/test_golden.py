"""Output for users, compared with files that a reviewer can read.

`RENEW_GOLDEN=1 uv run pytest tests/integration/test_golden.py` rewrites the files; the
commit then shows the difference.
"""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.locked import only_locked_sdk
from tests.support.runs import CRM, discover, only, sync, unversioned
from tests.support.singer_check import OSLO
from tests.support.tap_process import run_tap

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

FILES = Path(__file__).parent / "golden"
pytestmark = only_locked_sdk

EVENT_STREAMS = {"callflow_customers", "call_outcomes", "product_registrations"}


def assert_golden(name: str, text: str) -> None:
    """Compare a text with its file, or write the file if `RENEW_GOLDEN` is set."""
    path = FILES / name
    if os.environ.get("RENEW_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def pretty(value: object) -> str:
    """Indented JSON, which is easy to compare."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def timeless(message: dict[str, Any]) -> dict[str, Any]:
    """A message without the time at which it was written, and without versions."""
    timeless: dict[str, Any] = unversioned({**message, "time_extracted": None})
    return {key: value for key, value in timeless.items() if key != "time_extracted"}


def today() -> str:
    """The current date in the account's zone."""
    return datetime.now(OSLO).date().isoformat()


def test_the_catalog(cube: Sandbox) -> None:
    """Streams, keys, types, titles and descriptions of one CRM."""
    cube.reset(generation="2020", customers=2, outcomes=2, without=())
    assert_golden("catalog.json", pretty(discover(cube, **only(CRM))))


def test_the_singer_output(cube: Sandbox) -> None:
    """All messages of a small account with one anonymised customer."""
    cube.reset(customers=3, anonymised=1)
    run = sync(cube, assignment_ids=[9], data_owners=only(CRM)["data_owners"])
    lines = (json.dumps(timeless(m), ensure_ascii=False) for m in run.messages)
    assert_golden("output.jsonl", "".join(f"{line}\n" for line in lines))


def test_the_output_of_the_oldest_generation(cube: Sandbox) -> None:
    """Records of 2016, which have filled custom fields under their labels."""
    cube.reset(generation="2016-query", customers=2)
    run = sync(cube, assignment_ids=[9])
    lines = (json.dumps(timeless(m), ensure_ascii=False) for m in run.messages)
    assert_golden("output_2016.jsonl", "".join(f"{line}\n" for line in lines))


def test_the_output_of_events(cube: Sandbox) -> None:
    """Events in the campaigns of a CRM; the bookmark is the date of the run."""
    cube.reset(generation="2020", customers=2, outcomes=2, without=())
    streams = discover(cube, **only(CRM))["streams"]
    events = [entry for entry in streams if entry["tap_stream_id"] in EVENT_STREAMS]
    began = today()
    run = sync(cube, catalog={"streams": events}, **only(CRM))
    assert began == today(), "the date changed during the run"
    lines = (json.dumps(timeless(m), ensure_ascii=False) for m in run.messages)
    assert_golden(
        "output_events.jsonl", "".join(f"{line}\n" for line in lines).replace(began, "TODAY")
    )


def test_about() -> None:
    """Settings and capabilities, without configuration and network."""
    run = run_tap(None, extra_args=["--about", "--format=json"])
    about = json.loads(run.stdout)
    versions = {name: "VERSION" for name in about if name.endswith("version")}
    assert_golden("about.json", pretty(about | versions))


def test_help() -> None:
    """The options of the command."""
    run = run_tap(None, extra_args=["--help"], env={"COLUMNS": "80"})
    assert_golden("help.txt", run.stdout)
