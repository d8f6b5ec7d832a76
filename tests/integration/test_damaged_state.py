"""A damaged state file: one sentence, status 1, and no customer taken for read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.in_process import run_in_process
from tests.support.runs import CRM, CUSTOMERS, complaint, only, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from cube_sandbox import Sandbox

NOT_JSON = {"empty": b"", "cut off": b'{"bookmarks": {"data_own', "no text": b"\xff\xfe\x00"}
"""What a full disk or a strange editor leaves."""

CONTEXT = {"data_owner_id": CRM[0], "crm_type": CRM[1]}


def marked(mark: object) -> dict[str, object]:
    """A state whose bookmark of one stream is this."""
    return {"bookmarks": {CUSTOMERS: mark}}


WRONG_SHAPES: dict[str, object] = {
    "an empty list": [],
    "a list": [{"bookmarks": {}}],
    "a number": 20240517,
    "a text": "2024-05-17",
    "a list of bookmarks": {"bookmarks": [CUSTOMERS]},
    "a text for bookmarks": {"bookmarks": "2024-05-17"},
    "a list for a stream": marked([]),
    "a date for a stream": marked("2024-05-17"),
    "an object of partitions": marked({"partitions": {"2": {"B2B": "2024-05-17"}}}),
    "a number for a partition": marked({"partitions": [2]}),
    "a partition of nothing": marked({"partitions": [{"replication_key_value": "2024-05-17"}]}),
    "a text for a context": marked({"partitions": [{"context": "B2B"}]}),
}

WRONG_VALUES: dict[str, object] = {
    "nothing": None,
    "a number": 7,
    "a list": ["2024-05-17"],
    "an object": {"date": "2024-05-17"},
    "no date": "yesterday",
}


def said_of(cube: Sandbox, state: Path) -> str:
    """The one sentence that a run with this state ends with."""
    run = run_in_process(settings_for(cube, **only(CRM)), extra_args=["--state", str(state)])
    assert run.returncode == 1
    assert not run.records.get(CUSTOMERS)
    return complaint(run)


@pytest.mark.parametrize("content", NOT_JSON.values(), ids=NOT_JSON)
def test_a_state_that_is_no_json_is_refused(cube: Sandbox, tmp_path: Path, content: bytes) -> None:
    """A file that was cut off, or is no text at all, ends the run in words."""
    (tmp_path / "state.json").write_bytes(content)
    assert "--state is not JSON" in said_of(cube, tmp_path / "state.json")


@pytest.mark.parametrize("state", WRONG_SHAPES.values(), ids=WRONG_SHAPES)
def test_a_state_of_a_wrong_shape_is_refused(cube: Sandbox, tmp_path: Path, state: object) -> None:
    """JSON that is no state is neither taken for a first run nor a reason for a traceback."""
    (tmp_path / "state.json").write_text(json.dumps(state))
    assert "The state is damaged. Fix or clear it" in said_of(cube, tmp_path / "state.json")


@pytest.mark.parametrize("value", WRONG_VALUES.values(), ids=WRONG_VALUES)
def test_a_bookmark_that_is_no_date_is_refused(
    cube: Sandbox, tmp_path: Path, value: object
) -> None:
    """No date is guessed where a bookmark holds something else."""
    part = {"context": CONTEXT, "replication_key": "updated", "replication_key_value": value}
    (tmp_path / "state.json").write_text(json.dumps(marked({"partitions": [part]})))
    assert f"{CUSTOMERS}: the state holds" in said_of(cube, tmp_path / "state.json")
