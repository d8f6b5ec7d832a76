"""Batch files that were loaded are removed by the next run, and nothing else ever is."""

from __future__ import annotations

import copy
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.batch_runs import into
from tests.support.in_process import run_in_process
from tests.support.runs import CRM, CUSTOMERS, logged, only, read, settings_for, sync

if TYPE_CHECKING:
    from cube_sandbox import Sandbox
    from tests.support.tap_process import TapRun

MONTH = 31 * 24 * 60 * 60
State = dict[str, Any]


def names(folder: Path) -> set[str]:
    """What is in a folder."""
    return {path.name for path in folder.iterdir()}


def announced(run: TapRun) -> set[str]:
    """The names of the files that a run announced."""
    return {Path(url).name for message in run.messages for url in message.get("manifest", ())}


def marks_of(run: TapRun) -> dict[str, list[int]]:
    """The marks in the last state of a run."""
    assert run.state is not None
    marks: dict[str, list[int]] = run.state["batch_files"]
    return marks


def night(cube: Sandbox, folder: Path, state: State | None = None, **settings: object) -> TapRun:
    """Read one CRM into files of four rows."""
    return sync(cube, state=state, **only(CRM), **into(folder, batch_size=4), **settings)


def between_files(run: TapRun) -> State:
    """The state after the first of several files of customers."""
    kinds = [(message["type"], message.get("stream")) for message in run.messages]
    first = kinds.index(("BATCH", CUSTOMERS))
    assert ("BATCH", CUSTOMERS) in kinds[first + 1 :]
    state: State = run.messages[kinds.index(("STATE", None), first)]["value"]
    return state


def test_files_go_when_the_state_says_that_they_were_loaded(cube: Sandbox, tmp_path: Path) -> None:
    """The next run removes them, and leaves alone what only looks like them."""
    first = night(cube, tmp_path / "files")
    folder, (mark,) = tmp_path / "files", marks_of(first)
    loaded = announced(first)
    assert names(folder) == loaded
    victim = tmp_path / "victim"
    victim.write_text("no batch file")
    begin, other = f"tap-cube--{CUSTOMERS}", "0" * 16
    (folder / f"{begin}-{mark}-0-1.json").symlink_to(victim)
    (folder / f"{begin}-{mark}-0-2.json").mkdir()
    (folder / f"{begin}-{mark}-0-3.json" / "kept").mkdir(parents=True)
    os.mkfifo(folder / f"{begin}-{mark}-0-4.json")
    foreign = [
        f"{begin}-{other}-1-1.json.gz",
        f"{begin}-{mark}-1-1.json.gz.copy",
        f"{begin}-{mark}-1-1.parquet",
        f"{begin}-{mark}-1-1\n.json",
        f"{begin}-{mark}-1.json",
        f"{begin}-{mark.upper()}x-1-1.json",
        f"{mark}-1-1.json.gz",
        f"{begin}-{mark}-9-9.json.gz",  # of a later run than the state knows
    ]
    for name in foreign:
        (folder / name).touch()
    (folder / "below").mkdir()
    (folder / "below" / min(loaded)).touch()
    left = names(folder) - loaded
    (folder / f".{begin}-{mark}-1-1.json.gz.part").touch()  # of a run that was killed
    second = night(cube, folder, first.state)
    assert names(folder) == left | announced(second)
    assert victim.read_text() == "no batch file"
    assert (folder / "below" / min(loaded)).exists()
    assert marks_of(second)[mark][0] == 10
    assert f"Removed {len(loaded) + 1} loaded batch files from '{folder}'" in second.stderr


def test_files_of_a_run_that_broke_off_stay_until_a_later_state_is_kept(
    cube: Sandbox, tmp_path: Path
) -> None:
    """Only then nobody can be loading them any more. No run takes a name twice."""
    first = night(cube, tmp_path)
    kept = between_files(first)
    covered = announced(first) - (rest := announced(first) & uncovered(kept, first))
    assert covered
    assert rest
    second = night(cube, tmp_path, kept)
    assert names(tmp_path) == rest | announced(second)
    third = night(cube, tmp_path, kept)  # the state of the second was lost
    assert not announced(third) & announced(second)
    assert names(tmp_path) == rest | announced(second) | announced(third)
    fourth = night(cube, tmp_path, third.state)
    assert names(tmp_path) == announced(fourth)


def uncovered(state: State, run: TapRun) -> set[str]:
    """The files that a run announced after a state."""
    values = [message.get("value") for message in run.messages]
    after = run.messages[values.index(state) :]
    return {Path(url).name for message in after for url in message.get("manifest", ())}


def test_a_run_without_the_state_removes_nothing(cube: Sandbox, tmp_path: Path) -> None:
    """After a month a warning says where and how many; Meltano's merged state brings them back."""
    first = night(cube, tmp_path)
    second = night(cube, tmp_path)
    assert names(tmp_path) == announced(first) | announced(second)
    assert not any("older than a month" in line for line in logged(second, "WARNING"))
    for name in announced(first):
        os.utime(tmp_path / name, (time.time() - MONTH,) * 2)
    third = night(cube, tmp_path, second.state)
    (warning,) = (line for line in logged(third, "WARNING") if "older than a month" in line)
    assert f"'{tmp_path}' has {len(announced(first))} batch files" in warning
    assert names(tmp_path) == announced(first) | announced(third)
    marks = marks_of(first) | marks_of(third)
    assert len(marks) == 2
    fourth = night(cube, tmp_path, {"bookmarks": {}, "batch_files": marks})
    assert names(tmp_path) == announced(fourth)
    assert len(marks_of(fourth)) == 1


DAMAGED: dict[str, object] = {
    "no object": ["5f0c2a9e41d7b386", 1, 9],
    "another mark": {"5f0c": [1, 9]},
    "no pair": {"5f0c2a9e41d7b386": [1]},
    "a number": {"5f0c2a9e41d7b386": 9},
    "a text": {"5f0c2a9e41d7b386": [1, "9"]},
    "true": {"5f0c2a9e41d7b386": [True, 9]},
    "a fraction": {"5f0c2a9e41d7b386": [1.5, 9]},
    "below zero": {"5f0c2a9e41d7b386": [-1, 9]},
    "too large": {"5f0c2a9e41d7b386": [10**400, 9]},
    "nothing": None,
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_what_is_damaged_in_the_state_removes_nothing(
    cube: Sandbox, tmp_path: Path, damage: str
) -> None:
    """A warning says so, and the run is as good as any, also with bookmarks alone."""
    (tmp_path / f"tap-cube--{CUSTOMERS}-5f0c2a9e41d7b386-1-1.json").touch()
    before = names(tmp_path)
    run = night(cube, tmp_path, {"batch_files": DAMAGED[damage]})
    assert names(tmp_path) == before | announced(run)
    assert sum("'batch_files' of the state is damaged" in x for x in logged(run, "WARNING")) == 1
    after = night(cube, tmp_path, run.state)
    assert names(tmp_path) == before | announced(after)


def test_runs_without_files_leave_the_state_and_the_folder_as_they_are(
    cube: Sandbox, tmp_path: Path
) -> None:
    """Messages need no mark, but keep one; neither do a test and discovery remove anything."""
    plain = sync(cube, **only(CRM))
    assert all("batch_files" not in message.get("value", ()) for message in plain.messages)
    first = night(cube, tmp_path)
    second = sync(cube, state=first.state, **only(CRM))
    assert marks_of(second) == marks_of(first)
    for option in ("--test", "--discover"):
        settings = settings_for(cube, **only(CRM), **into(tmp_path))
        run_in_process(settings, state=first.state, extra_args=[option])
    assert names(tmp_path) == announced(first)
    third = night(cube, tmp_path, second.state)
    assert names(tmp_path) == announced(third)


def test_files_below_a_prefix_are_removed_there(cube: Sandbox, tmp_path: Path) -> None:
    """The prefix may name a folder; files in the root are another pipeline's."""
    settings = {**only(CRM), **into(tmp_path)}
    first = night(cube, tmp_path)
    settings["batch_config"]["storage"]["prefix"] = "night/one-"
    second = sync(cube, state=first.state, **settings)
    third = sync(cube, state=second.state, **settings)
    assert names(tmp_path / "night") == announced(third)
    assert names(tmp_path) == announced(first) | {"night"}


def test_files_that_cannot_be_removed_are_a_warning(
    cube: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run goes on, and the next one removes them."""
    first = night(cube, tmp_path)
    unlink = Path.unlink

    def refuse(path: Path, *, missing_ok: bool = False) -> None:
        if path.parent == tmp_path:
            raise PermissionError(1, "Operation not permitted")
        unlink(path, missing_ok=missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        second = night(cube, tmp_path, copy.deepcopy(first.state))
    assert names(tmp_path) == announced(first) | announced(second)
    words = f"{len(announced(first))} loaded batch files in '{tmp_path}' cannot be removed: Operat"
    assert sum(words in line for line in logged(second, "WARNING")) == 1
    third = night(cube, tmp_path, second.state)
    assert names(tmp_path) == announced(third)


def test_a_state_counts_the_files_whose_messages_came_before_it(
    cube: Sandbox, tmp_path: Path
) -> None:
    """Those, and no other one: a target that gives it back has loaded them."""
    run = read(cube, **only(CRM), **into(tmp_path, batch_size=4))
    count = 0
    for message in run.messages:
        count += len(message.get("manifest", ()))
        if message["type"] == "STATE":
            assert [*message["value"]["batch_files"].values()] == [[1, count]]
    assert count > 3
