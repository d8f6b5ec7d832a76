"""Runs whose stdout or stderr is closed, full or missing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.ending import (
    SECONDS,
    SITUATIONS,
    assert_could_not_write,
    do_not_block,
    has_reached,
    wait_until,
    wait_until_full,
)
from tests.support.runs import CRM, CUSTOMERS, ids, only, settings_for
from tests.support.singer_check import check
from tests.support.sizes import by_turns, scaled
from tests.support.tap_process import TapRun, started_tap

if TYPE_CHECKING:
    import subprocess

    from cube_sandbox import Sandbox


@pytest.mark.parametrize(("lines", "read_ahead"), by_turns([0, 3], [0, 4]))
def test_a_closed_pipe_ends_the_run(cube: Sandbox, lines: int, read_ahead: int) -> None:
    """When the reader stops, as `head` does, the tap ends with one sentence."""
    cube.reset(customers=60)
    with started_tap(settings_for(cube, read_ahead=read_ahead)) as process:
        assert process.stdout is not None
        wait_until(lambda: bool(cube.requests), process)
        for _ in range(lines):
            assert process.stdout.readline()
        assert_could_not_write(closed(process))


@pytest.mark.parametrize(
    ("situation", "read_ahead"),
    by_turns(["waiting for Retry-After", "on a stalled socket", "in discovery"], [0, 4]),
)
def test_a_closed_pipe_ends_a_run_that_has_nothing_to_write(
    cube: Sandbox, situation: str, read_ahead: int
) -> None:
    """The tap notices the closed pipe while it waits, and sends no more requests."""
    cube.reset(customers=60, **SITUATIONS[situation])
    settings = settings_for(cube, read_ahead=read_ahead, **only(CRM)) | {"max_retries": 8}
    with started_tap(settings) as process:
        wait_until(lambda: has_reached(cube, situation), process)
        assert_could_not_write(closed(process))


def closed(process: subprocess.Popen[bytes]) -> TapRun:
    """Close the pipe and wait for the tap to end."""
    assert process.stdout is not None
    process.stdout.close()
    _, stderr = process.communicate(timeout=SECONDS)
    return TapRun(process.returncode, "", stderr.decode())


def test_a_full_pipe_that_does_not_block_loses_nothing(cube: Sandbox) -> None:
    """The tap waits until the target reads on."""
    cube.reset(customers=200, page_size=200)
    with started_tap(settings_for(cube, **only(CRM)), preexec_fn=do_not_block) as process:
        wait_until_full(process)
        stdout, stderr = process.communicate(timeout=SECONDS)
    run = TapRun(process.returncode, stdout.decode(), stderr.decode())
    assert run.returncode == 0, run.stderr
    assert ids(run.records[CUSTOMERS]) == set(cube.account.customer_ids(CRM))
    check(run.stdout)


def test_a_full_pipe_that_does_not_block_may_be_closed(cube: Sandbox) -> None:
    """When the reader goes away, the tap stops waiting."""
    cube.reset(customers=200, page_size=200)
    with started_tap(settings_for(cube, **only(CRM)), preexec_fn=do_not_block) as process:
        wait_until_full(process)
        assert_could_not_write(closed(process))


def test_a_large_catalog_fits_through_a_pipe_that_does_not_block(cube: Sandbox) -> None:
    """Discovery waits for its reader like a run."""
    with started_tap(
        settings_for(cube), extra_args=["--discover"], preexec_fn=do_not_block
    ) as process:
        wait_until_full(process)
        stdout, stderr = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, stderr
    assert TapRun(process.returncode, stdout.decode(), "").catalog["streams"]


@pytest.mark.parametrize("numbers", scaled([(2,), (0, 2)], [(0,), (2,), (0, 2)]), ids=str)
def test_a_run_needs_neither_stdin_nor_stderr(cube: Sandbox, numbers: tuple[int, ...]) -> None:
    """All rows arrive, also where nobody can read the log."""
    cube.reset(customers=30)

    def close() -> None:
        for number in numbers:
            os.close(number)

    nothing = ["--state", "-"] if 0 in numbers else []  # a state that is blank
    with started_tap(
        settings_for(cube, **only(CRM)), extra_args=nothing, preexec_fn=close
    ) as process:
        stdout, stderr = process.communicate(timeout=SECONDS)
    run = TapRun(process.returncode, stdout.decode(), stderr.decode())
    assert run.returncode == 0
    assert ids(run.records[CUSTOMERS]) == set(cube.account.customer_ids(CRM))
    check(run.stdout)


def test_a_log_that_cannot_be_written_is_no_failure(cube: Sandbox) -> None:
    """The disk of the log is full."""
    cube.reset(customers=30)
    with (
        Path("/dev/full").open("wb") as full,
        started_tap(settings_for(cube, **only(CRM)), stderr=full) as process,
    ):
        stdout, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert len(TapRun(0, stdout.decode(), "").records[CUSTOMERS]) == 30


def test_a_closed_stdout_is_reported(cube: Sandbox) -> None:
    """Nobody would get the rows, so none is requested."""
    with started_tap(settings_for(cube), preexec_fn=lambda: os.close(1)) as process:
        _, stderr = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert stderr.decode() == (
        "Output could not be written: stdout is closed. Check the target, then run again.\n"
    )
    assert not cube.requests
