"""Batch files: whose names are taken, and which go after any history of runs and states."""

from __future__ import annotations

import copy
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tap_cube.singer.loaded_files import begin_run, count_file, loaded_in, next_name
from tap_cube.singer.private_files import private_file
from tests.support.sizes import scaled

State = dict[str, Any]

NIGHTS = st.lists(
    st.tuples(
        st.sampled_from(["state", "state", "state", "no state", "older state", "full refresh"]),
        st.integers(0, 3),  # files that the run writes
        st.integers(0, 4),  # states that the target gives back
    ),
    max_size=8,
)


@settings(max_examples=scaled(100, 300))
@given(nights=NIGHTS)
def test_only_files_that_nobody_can_need_are_removed(
    nights: list[tuple[str, int, int]],
) -> None:
    """Those that a state covers which the run was given, and of older runs. All of these go."""
    kept: list[State] = [{}]
    obsolete: dict[int, set[str]] = {id(kept[0]): set()}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        config = {"batch_config": {"storage": {"root": place}}}
        for start, files, confirmed in nights:
            given_state = {"state": kept[-1], "older state": kept[len(kept) // 2]}.get(start, {})
            expected = obsolete.get(id(given_state), set())
            marks = {*given_state.get("batch_files", {})}
            before = {path.name for path in folder.iterdir()}
            state: Any = copy.deepcopy(given_state)
            begin_run(config, state)
            left = {path.name for path in folder.iterdir()}
            assert left == before - expected
            event(f"removed {len(before - left)}")
            # Once a state of this run is kept, no earlier run of its marks is loaded any more.
            dead = expected | {name for name in left if any(mark in name for mark in marks)}
            states = [copy.deepcopy(state)]
            written: list[str] = []
            for _ in range(files):
                name = f"tap-cube--campaigns-{next_name(loaded_in(state))}.json"
                (folder / name).touch(exist_ok=False)
                count_file(loaded_in(state))
                written.append(name)
                states.append(copy.deepcopy(state))
            for number, each in enumerate(states[:confirmed]):
                covers = dead | {*written[:number]}
                if start == "full refresh":  # Meltano merges the states
                    covers |= obsolete[id(kept[-1])]
                    each["batch_files"] = kept[-1].get("batch_files", {}) | each["batch_files"]
                obsolete[id(each)] = covers
                kept.append(each)


@pytest.mark.parametrize("is_linux", [True, False])
def test_no_run_replaces_the_file_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_linux: bool
) -> None:
    """Two runs that were given the same state at once take the same names: the later one fails."""
    if not is_linux:
        monkeypatch.delattr(os, "O_TMPFILE")
    path = tmp_path / "tap-cube--campaigns-5f0c2a9e41d7b386-1-1.json"
    with private_file(path) as file:
        file.write(b"first")
    with pytest.raises(FileExistsError), private_file(path) as file:
        file.write(b"second")
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"first"]
