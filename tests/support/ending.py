"""Runs that are ended from outside: what they wait for, and how they may end."""

from __future__ import annotations

import fcntl
import os
import termios
import time
from array import array
from typing import IO, TYPE_CHECKING, Any

from cube_sandbox import Fault
from tests.support.runs import complaints
from tests.support.singer_check import check

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from cube_sandbox import Sandbox
    from tests.support.tap_process import TapRun

SECONDS = 30
"""Maximum time to end on a busy machine; all situations but the first last longer."""

SITUATIONS: dict[str, dict[str, Any]] = {
    "between pages": {"delay": 0.05},
    "in a slow response": {"faults": [Fault("delay", row="C2", page=3, seconds=120)]},
    "waiting for Retry-After": {"faults": [Fault("429", row="C2", page=3, retry_after=600)]},
    "waiting for a retry": {"faults": [Fault("500", row="C2", page=3)]},
    "on a stalled socket": {"faults": [Fault("stall", row="C2", page=3)]},
    "in an endless body": {"faults": [Fault("endless", row="C2", page=3)]},
    "in discovery": {"faults": [Fault("stall", row="C4")]},
}


def has_reached(cube: Sandbox, situation: str) -> bool:
    """Whether the run has reached the given situation."""
    requests = list(cube.requests)
    if situation == "in discovery":
        return any(request.row == "C4" for request in requests)
    return any((request.row, request.page) == ("C2", 3) for request in requests)


def wait_until(is_so: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Wait until a condition holds while a process runs."""
    deadline = time.monotonic() + 300
    while not is_so():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.1)  # now the tap waits for the response


def wait_until_full(process: subprocess.Popen[bytes]) -> None:
    """Wait until the next write of a process to its stdout would block."""
    pipe = process.stdout
    assert pipe is not None
    wait_until(lambda: _is_full(pipe), process)


def _is_full(pipe: IO[bytes]) -> bool:
    size, waiting = fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ), array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, waiting)
    # Each write begins in a page of its own if it does not fit into the last one.
    return waiting[0] > size * 7 // 8


def do_not_block() -> None:
    """Let writes to a full stdout fail instead of waiting."""
    os.set_blocking(1, False)


def assert_cut_short(run: TapRun) -> None:
    """The run failed, wrote complete messages, and no state ahead of its records."""
    assert run.returncode != 0
    assert "Traceback" not in run.stderr
    assert "Exception ignored" not in run.stderr
    check(run.stdout)


def assert_could_not_write(run: TapRun) -> None:
    """The run failed with one sentence about its output."""
    assert "Exception ignored" not in run.stderr
    (sentence,) = complaints(run)
    assert sentence.startswith("Output could not be written")
