"""Readers of others accept all that the tap writes, however odd the account."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Sandbox, Traps
from tests.support.judges import SINGER_CHECK_TAP, TARGET_CSV, TARGET_JSONL
from tests.support.runs import read
from tests.support.sizes import only_large, scaled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    """Run an account with a fixed present day."""
    with Sandbox(customers=20, page_size=8, today=date(2024, 5, 17)) as cube:
        yield cube


@pytest.mark.parametrize(
    "generation",
    scaled(
        ["2020"],
        ["2016-query", "2016-path", "2017", "2019", "2019-draft", "2020", "all"],
    ),
)
def test_readers_of_others_accept_every_stream(
    cube: Sandbox, tmp_path: Path, generation: str
) -> None:
    """However odd the account, the oldest checker and two targets read all of its output."""
    cube.reset(generation=generation, anonymised=3, undated=2, traps=Traps(mistyped=0.2))
    settings: dict[str, Any] = {} if cube.rows & {"C1"} else {"assignment_ids": [9, 12]}
    output = read(cube, **settings)
    assert output.returncode == 0, output.stderr
    verdict = SINGER_CHECK_TAP.hear(output.stdout, cwd=tmp_path)
    assert "The output is valid." in verdict
    for stream, records in output.records.items():
        (line,) = (line for line in verdict.splitlines() if f"| {stream} " in line)
        assert int(line.split("|")[2]) == len(records) > 0
    for target in (TARGET_JSONL, TARGET_CSV):
        state = target.hear(output.stdout, cwd=tmp_path)
        assert json.loads(state.splitlines()[-1]) == output.state


@only_large
def test_the_checker_refuses_what_is_wrong(cube: Sandbox, tmp_path: Path) -> None:
    """A record that does not fit its schema does not pass: the verdicts above mean something."""
    output = read(cube)
    broken = output.stdout.replace('"updated":"', '"updated":"x', 1)
    assert broken != output.stdout
    for judge in (SINGER_CHECK_TAP, TARGET_CSV):
        with pytest.raises(AssertionError):
            judge.hear(broken, cwd=tmp_path)
