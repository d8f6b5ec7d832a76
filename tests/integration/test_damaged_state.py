"""A damaged state file: one sentence, status 1, and no customer is emitted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.in_process import run_in_process
from tests.support.runs import CRM, CUSTOMERS, complaint, only, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from cube_sandbox import Sandbox

NOT_JSON = {"empty": b"", "cut off": b'{"bookmarks": {"data_own', "not text": b"\xff\xfe\x00"}
"""Contents that a full disk or a wrong encoding can leave."""

CONTEXT = {"data_owner_id": CRM[0], "crm_type": CRM[1]}


def state_with(bookmark: object) -> dict[str, object]:
    """Make a state with this bookmark of one stream."""
    return {"bookmarks": {CUSTOMERS: bookmark}}


WRONG_SHAPES: dict[str, object] = {
    "an empty list": [],
    "a list": [{"bookmarks": {}}],
    "a number": 20240517,
    "a text": "2024-05-17",
    "a list of bookmarks": {"bookmarks": [CUSTOMERS]},
    "a text for bookmarks": {"bookmarks": "2024-05-17"},
    "a list for a stream": state_with([]),
    "a date for a stream": state_with("2024-05-17"),
    "an object of partitions": state_with({"partitions": {"2": {"B2B": "2024-05-17"}}}),
    "a number for a partition": state_with({"partitions": [2]}),
    "a partition without context": state_with(
        {"partitions": [{"replication_key_value": "2024-05-17"}]}
    ),
    "a text for a context": state_with({"partitions": [{"context": "B2B"}]}),
}

WRONG_VALUES: dict[str, object] = {
    "null": None,
    "a number": 7,
    "a list": ["2024-05-17"],
    "an object": {"date": "2024-05-17"},
    "not a date": "yesterday",
}


def sentence_for(cube: Sandbox, state: Path) -> str:
    """Run with this state and return the sentence that it fails with."""
    run = run_in_process(settings_for(cube, **only(CRM)), extra_args=["--state", str(state)])
    assert run.returncode == 1
    assert not run.records.get(CUSTOMERS)
    return complaint(run)


@pytest.mark.parametrize("content", NOT_JSON.values(), ids=NOT_JSON)
def test_a_state_that_is_not_json_is_rejected(
    cube: Sandbox, tmp_path: Path, content: bytes
) -> None:
    """A truncated or binary file ends the run with a sentence."""
    (tmp_path / "state.json").write_bytes(content)
    assert "--state is not JSON" in sentence_for(cube, tmp_path / "state.json")


@pytest.mark.parametrize("state", WRONG_SHAPES.values(), ids=WRONG_SHAPES)
def test_a_state_of_a_wrong_shape_is_rejected(cube: Sandbox, tmp_path: Path, state: object) -> None:
    """JSON of another shape neither starts a full load nor causes a traceback."""
    (tmp_path / "state.json").write_text(json.dumps(state))
    assert "The state is damaged. Fix or clear it" in sentence_for(cube, tmp_path / "state.json")


@pytest.mark.parametrize("value", WRONG_VALUES.values(), ids=WRONG_VALUES)
def test_a_bookmark_that_is_not_a_date_is_rejected(
    cube: Sandbox, tmp_path: Path, value: object
) -> None:
    """The tap does not guess a date from another value."""
    part = {"context": CONTEXT, "replication_key": "updated", "replication_key_value": value}
    (tmp_path / "state.json").write_text(json.dumps(state_with({"partitions": [part]})))
    assert f"{CUSTOMERS}: the state holds" in sentence_for(cube, tmp_path / "state.json")
