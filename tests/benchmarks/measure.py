"""What a program costs: wall, CPU and memory of its process."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from statistics import median
from typing import IO, TYPE_CHECKING

from tests.support.tap_process import clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


QUIET = {"RUNTIME__DLTHUB_TELEMETRY": "false"}
"""Settings that keep programs from calling home meanwhile."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one run used.

    Attributes:
        wall: Seconds from start to end.
        cpu: Seconds of CPU, the program's own and the system's for it.
        resident: MB in memory at most.
    """

    wall: float
    cpu: float
    resident: float


def middle(runs: Iterable[Usage]) -> Usage:
    """The median of each figure."""
    each = list(runs)
    return Usage(
        median(run.wall for run in each),
        median(run.cpu for run in each),
        median(run.resident for run in each),
    )


def measured(command: Sequence[str], stdout: int | IO[bytes] = subprocess.DEVNULL) -> Usage:
    """Run a program to its end.

    Raises:
        RuntimeError: It failed; the message ends with what it said.
    """
    with tempfile.TemporaryFile() as log:
        begun = time.monotonic()
        process = subprocess.Popen(  # noqa: S603 - our own commands
            command,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=log,
            env=clean_environment() | QUIET,
        )
        return ended(process, begun, log)


def ended(process: subprocess.Popen[bytes], begun: float, log: IO[bytes]) -> Usage:
    """Wait for a program that was started, and see what it used.

    Args:
        process: The program; nobody may have waited for it before.
        begun: The monotonic time of its start.
        log: Where it says what is wrong.

    Raises:
        RuntimeError: It failed; the message ends with what it said.
    """
    # Not `process.wait()`, since only this tells of one process what it used.
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        log.seek(0)
        said = log.read().decode(errors="replace")[-2000:]
        msg = f"{process.args!r} ended with {process.returncode}:\n{said}"
        raise RuntimeError(msg)
    return Usage(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
