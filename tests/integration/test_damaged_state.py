"""A damaged state file: one sentence, status 1, and no customer is emitted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.in_process import run_in_process
from tests.support.refusals import refusal
from tests.support.runs import CRM, CUSTOMERS, complaint, only, settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from cube_sandbox import Sandbox

NOT_JSON = {
    "cut off": b'{"bookmarks": {"data_own',
    "not text": b"\xff\xfe\x00",
    "deep": b"[" * 99999,
    "no number": b'{"bookmarks": NaN}',
    "a number without end": b'{"bookmarks": 1e99999999999999999999}',
    "half a character": b'{"bookmarks": {"\\ud800": {}}}',
}
"""Contents that a full disk or a wrong encoding can leave."""

CONTEXT = {"data_owner_id": CRM[0], "crm_type": CRM[1]}


def state_with(bookmark: object) -> dict[str, object]:
    """Make a state with this bookmark of one stream."""
    return {"bookmarks": {CUSTOMERS: bookmark}}


def partition(value: object, **context: object) -> dict[str, object]:
    """Make the state of a partition with this bookmark."""
    return {
        "context": {**CONTEXT, **context},
        "replication_key": "updated",
        "replication_key_value": value,
    }


WRONG_SHAPES: dict[str, object] = {
    "an empty list": [],
    "a list": [{"bookmarks": {}}],
    "a number": 20240517,
    "a text": "2024-05-17",
    "a list of bookmarks": {"bookmarks": [CUSTOMERS]},
    "a text for bookmarks": {"bookmarks": "2024-05-17"},
    "a list for a stream": state_with([]),
    "a date for a stream": state_with("2024-05-17"),
    "nothing for a stream": state_with(None),
    "an object of partitions": state_with({"partitions": {"2": {"B2B": "2024-05-17"}}}),
    "a number for a partition": state_with({"partitions": [2]}),
    "a partition without context": state_with(
        {"partitions": [{"replication_key_value": "2024-05-17"}]}
    ),
    "a text for a context": state_with({"partitions": [{"context": "B2B"}]}),
    "a list in a context": state_with({"partitions": [partition("2024-05-17", crm_type=["B2B"])]}),
    "a version that nothing can follow": state_with({"version": 2**31 - 1}),
    "a text for a version": state_with({"partitions": [{"context": CONTEXT, "loaded": "1"}]}),
    "a list for a version": state_with({"partitions": [{"context": CONTEXT, "details": []}]}),
    "too many levels": state_with({"partitions": json.loads("[" * 99 + "]" * 99)}),
}

PARTS = {"partitions": [partition("2024-05-17")]}
WRAPPED: dict[str, tuple[object, str]] = {
    "meltano state get": ({"singer_state": state_with(PARTS)}, "`jq .singer_state`"),
    "a row of Meltano's database": (
        {"completed": {"singer_state": state_with(PARTS)}, "partial_state": {}},
        "`jq .completed.singer_state`",
    ),
    "a STATE message": (
        {"type": "STATE", "value": state_with(PARTS)},
        "a whole STATE message. Give only the object that has 'bookmarks', as `jq .value`",
    ),
    "another name": ({"state": state_with(PARTS)}, "`jq .state`"),
    "bookmarks alone": ({CUSTOMERS: PARTS}, "the state has no 'bookmarks'"),
}

WRONG_VALUES: dict[str, object] = {
    "a small number": 7,
    "a fraction": 2024.5,
    "a boolean": True,
    "an empty text": "",
    "a list": ["2024-05-17"],
    "an object": {"date": "2024-05-17"},
    "words": "last week",
    "a day that does not exist": "2024-02-30",
    "seconds since 1970": "1715904000",
    "a digit too many": "2024-05-17910:00",
}


def sentence_for(cube: Sandbox, state: Path, **settings: object) -> str:
    """Run with this state, and return the sentence about the file that it fails with."""
    options = ["--state", str(state)]
    run = run_in_process(settings_for(cube, **only(CRM), **settings), extra_args=options)
    assert run.returncode == 1
    assert not run.records.get(CUSTOMERS)
    named, _, sentence = complaint(run).partition(": ")
    assert named == f"File '{state}', given to --state"
    return sentence


@pytest.mark.parametrize("option", ["state", "catalog", "config"])
@pytest.mark.parametrize("content", NOT_JSON.values(), ids=NOT_JSON)
def test_a_file_that_is_not_json_is_named(
    cube: Sandbox, tmp_path: Path, content: bytes, option: str
) -> None:
    """A truncated or binary file ends the run with a sentence."""
    path = tmp_path / "night.json"
    path.write_bytes(content)
    run = run_in_process(settings_for(cube), extra_args=[f"--{option}", str(path)])
    assert complaint(run).startswith(f"File '{path}', given to --{option}, is not JSON")


@pytest.mark.parametrize("content", ["", " \n", "{}", "\ufeff{}"])
def test_an_empty_state_is_no_state(cube: Sandbox, tmp_path: Path, content: str) -> None:
    """A run without anything to go on from is a first run."""
    (tmp_path / "state.json").write_text(content, encoding="utf-8")
    options = ["--state", str(tmp_path / "state.json")]
    run = run_in_process(settings_for(cube, **only(CRM)), extra_args=options)
    assert run.returncode == 0, run.stderr
    assert len(run.records[CUSTOMERS]) == 12


@pytest.mark.parametrize("state", WRONG_SHAPES.values(), ids=WRONG_SHAPES)
def test_a_state_of_a_wrong_shape_is_rejected(cube: Sandbox, tmp_path: Path, state: object) -> None:
    """JSON of another shape neither starts a full load nor causes a traceback."""
    (tmp_path / "state.json").write_text(json.dumps(state))
    assert "is damaged. Fix or clear it" in sentence_for(cube, tmp_path / "state.json")


@pytest.mark.parametrize(("state", "remedy"), WRAPPED.values(), ids=WRAPPED)
def test_a_state_in_a_wrapper_is_rejected(
    cube: Sandbox, tmp_path: Path, state: object, remedy: str
) -> None:
    """The sentence says what it is and how to get the state out."""
    (tmp_path / "state.json").write_text(json.dumps(state))
    assert remedy in sentence_for(cube, tmp_path / "state.json")


def test_a_partition_that_comes_twice_is_rejected(cube: Sandbox, tmp_path: Path) -> None:
    """Neither of two bookmarks is taken for the right one."""
    twice = [partition("2024-05-17"), partition("2024-05-16", data_owner_id=2.0)]
    (tmp_path / "state.json").write_text(json.dumps(state_with({"partitions": twice})))
    assert f"'{CUSTOMERS}' has a partition twice" in sentence_for(cube, tmp_path / "state.json")


@pytest.mark.parametrize("value", WRONG_VALUES.values(), ids=WRONG_VALUES)
def test_a_bookmark_that_is_not_a_date_is_rejected(
    cube: Sandbox, tmp_path: Path, value: object
) -> None:
    """The tap does not guess a date from another value."""
    state = state_with({"partitions": [partition(value)]})
    (tmp_path / "state.json").write_text(json.dumps(state))
    sentence = sentence_for(cube, tmp_path / "state.json", start_date="2024-01-01")
    assert sentence.startswith(f"{CUSTOMERS}: the state holds a bookmark that is not a date")
    assert "data_owner_id 2, crm_type B2B. Write it as YYYY-MM-DD" in sentence


@pytest.mark.parametrize("part", [partition(None), {"context": CONTEXT}], ids=["null", "missing"])
def test_a_bookmark_without_a_value_is_no_bookmark(cube: Sandbox, part: dict[str, object]) -> None:
    """Nothing says that anything was read, so everything is."""
    run = run_in_process(settings_for(cube, **only(CRM)), state=state_with({"partitions": [part]}))
    assert run.returncode == 0, run.stderr
    assert len(run.records[CUSTOMERS]) == 12


def test_a_state_of_other_streams_does_no_harm(cube: Sandbox) -> None:
    """What other taps or versions left there is kept; what they broke off is dropped."""
    others = {"users": {"since": 7, "progress_markers": None}, "orders": {"partitions": []}}
    state = {"bookmarks": {**others, CUSTOMERS: {"progress_markers": []}}}
    run = run_in_process(settings_for(cube, **only(CRM)), state=state)
    assert run.returncode == 0, run.stderr
    assert (run.state or {})["bookmarks"]["users"] == {"since": 7}


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ({"endpoint": "Z9"}, "names the address 'Z9'"),
        ({"endpoint": "C9\n"}, r"names the address 'C9\n'"),
        ({"endpoint": None}, "is damaged"),
        ({"partitions": [partition("12024-01-01")]}, "is not a date, for data_owner_id 2"),
        ({"partitions": [partition(20240517.0)]}, "is not a date, for data_owner_id 2"),
        ({"partitions": [partition(10**30)]}, "is not a date, for data_owner_id 2"),
    ],
)
def test_a_wrong_state_is_refused_before_the_first_request(
    mark: dict[str, object], words: str
) -> None:
    """Neither an unknown address nor a wrong bookmark costs a request."""
    sentence = refusal({}, state=state_with(mark))
    assert words in sentence
    assert CUSTOMERS in sentence


@pytest.mark.parametrize("option", ["state", "catalog"])
def test_a_key_that_comes_twice_is_named(tmp_path: Path, option: str) -> None:
    """Neither of two values is taken for the right one."""
    path = tmp_path / "night.json"
    path.write_text('{"bookmarks": {}, "streams": [], "bookmarks": {}}')
    assert "has the key 'bookmarks' twice" in refusal({}, f"--{option}", str(path))
