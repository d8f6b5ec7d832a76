"""A signal ends a run soon, whatever it waits for."""

from __future__ import annotations

import os
import select
import signal
import time
from threading import Event
from typing import TYPE_CHECKING

import pytest

from cube_sandbox import Fault
from tests.integration.test_secrets import DEBUG
from tests.support.ending import (
    SECONDS,
    SITUATIONS,
    assert_cut_short,
    do_not_block,
    has_reached,
    wait_until,
    wait_until_full,
)
from tests.support.runs import CRM, only, settings_for
from tests.support.sizes import by_turns
from tests.support.tap_process import TapRun, started, started_tap

if TYPE_CHECKING:
    from collections.abc import Callable

    from cube_sandbox import Request, Sandbox


@pytest.mark.parametrize(
    ("situation", "number", "read_ahead"),
    by_turns(SITUATIONS, [signal.SIGTERM, signal.SIGINT], [0, 4]),
)
def test_a_signal_ends_the_run_soon(
    cube: Sandbox, number: signal.Signals, situation: str, read_ahead: int
) -> None:
    """The tap ends soon in every situation, without traceback and with a valid last state."""
    cube.reset(customers=60, **SITUATIONS[situation])
    settings = settings_for(cube, read_ahead=read_ahead, **only(CRM)) | {"max_retries": 8}
    with started_tap(settings) as process:
        wait_until(lambda: has_reached(cube, situation), process)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=SECONDS)
    assert_cut_short(TapRun(process.returncode, stdout.decode(), stderr.decode()))


def test_many_signals_end_the_run_like_one(cube: Sandbox) -> None:
    """Pressing Ctrl-C again and again, until Python itself has ended, changes nothing."""
    cube.reset(customers=60, faults=[Fault("stall", row="C2", page=3)])
    with started_tap(settings_for(cube, **only(CRM))) as process:
        wait_until(lambda: has_reached(cube, "on a stalled socket"), process)
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(0.002)
        stdout, stderr = process.communicate(timeout=SECONDS)
    assert process.returncode == 128 + signal.SIGINT
    assert_cut_short(TapRun(process.returncode, stdout.decode(), stderr.decode()))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_start_as_well(number: signal.Signals) -> None:
    """The imports take most of a second, in which nothing else can answer a signal."""
    signalled = f"""
import os, sys
from importlib.metadata import entry_points
class Signals:
    def find_spec(self, name, *_):
        if name == "singer_sdk":
            os.kill(os.getpid(), {number:d})
sys.meta_path.insert(0, Signals())
(program,) = entry_points(group="console_scripts", name="tap-cube")
program.load()()
"""
    with started(["python", "-c", signalled]) as process:
        stdout, stderr = process.communicate(timeout=SECONDS)
    assert (process.returncode, stdout, stderr) == (128 + number, b"", b"")


@pytest.mark.parametrize(
    ("preexec_fn", "is_read_again"), by_turns([None, do_not_block], [False, True])
)
def test_a_signal_ends_a_run_whose_pipe_is_full(
    cube: Sandbox, preexec_fn: Callable[[], None] | None, *, is_read_again: bool
) -> None:
    """A target that reads on gets complete lines; one that doesn't cannot block the end."""
    cube.reset(customers=200, page_size=200)
    with started_tap(settings_for(cube, **only(CRM)), preexec_fn=preexec_fn) as process:
        wait_until_full(process)
        process.send_signal(signal.SIGTERM)
        if not is_read_again:
            process.wait(SECONDS)
        stdout, stderr = process.communicate(timeout=SECONDS)
    assert process.returncode == 128 + signal.SIGTERM
    if not is_read_again:
        stdout = stdout[: stdout.rindex(b"\n") + 1]
    assert b"RECORD" in stdout
    assert_cut_short(TapRun(process.returncode, stdout.decode(), stderr.decode()))


def test_a_signal_ends_a_run_whose_log_nobody_reads(cube: Sandbox) -> None:
    """Threads that wait to log their requests do not delay the end."""
    cube.reset(customers=60)
    unread, log = os.pipe()
    is_filled = Event()

    def fill(request: Request) -> None:
        if (request.row, request.page) == ("C2", 4):
            while select.select([], [log], [], 0)[1]:
                os.write(log, bytes(select.PIPE_BUF))
            is_filled.set()

    cube.before_request = fill
    settings = settings_for(cube, read_ahead=4, **only(CRM))
    try:
        with started_tap(settings, env=DEBUG, stderr=log) as process:
            assert is_filled.wait(SECONDS)
            time.sleep(0.5)  # until each thread has something to log
            process.send_signal(signal.SIGTERM)
            assert process.wait(SECONDS) == 128 + signal.SIGTERM
    finally:
        os.close(log)
        os.close(unread)


def test_requests_end_with_the_run(cube: Sandbox) -> None:
    """After a signal no more pages are requested, also not by prefetching threads."""
    cube.reset(customers=60, delay=0.1)
    seen: list[Request] = []
    with started_tap(settings_for(cube, read_ahead=4, **only(CRM))) as process:
        wait_until(lambda: has_reached(cube, "between pages"), process)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=SECONDS)
        seen += cube.requests
    assert process.returncode != 0
    assert len({r.page for r in seen if r.row == "C2"}) < 12
