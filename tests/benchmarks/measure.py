"""Measures the wall time, CPU time and memory of a process."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from typing_extensions import override

from tests.support.tap_process import clean_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

QUIET = {"RUNTIME__DLTHUB_TELEMETRY": "false"}
"""Settings that disable telemetry."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage of one run.

    Attributes:
        wall: Wall time in seconds; 0 if it was not measured.
        cpu: CPU time in seconds, user and system.
        resident: Peak resident memory in MB; 0 if it was not measured.
    """

    wall: float
    cpu: float
    resident: float

    @override
    def __str__(self) -> str:
        wall = f"{self.wall:7.2f} s wall" if self.wall else " " * 14
        resident = f" {self.resident:4.0f} MB" if self.resident else ""
        return f"{wall} {self.cpu:7.2f} s CPU{resident}"


def measured(command: Sequence[str], stdout: int | IO[bytes] = subprocess.DEVNULL) -> Usage:
    """Run a program to its end.

    Raises:
        RuntimeError: The program failed; the message ends with its output.
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
    """Wait for a started program, and measure its usage.

    Args:
        process: The program; `wait` must not have been called before.
        begun: The monotonic time of its start.
        log: The program's stderr.

    Raises:
        RuntimeError: The program failed; the message ends with its output.
    """
    # Unlike `process.wait()`, this returns the usage of the process.
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        log.seek(0)
        said = log.read().decode(errors="replace")[-2000:]
        msg = f"{process.args!r} ended with {process.returncode}:\n{said}"
        raise RuntimeError(msg)
    return Usage(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def written_customers(command: Sequence[str]) -> set[bytes]:
    """The customer ids in the output of a program."""
    with tempfile.TemporaryFile() as output:
        measured(command, output)
        output.seek(0)
        return {found for line in output for found in _CUSTOMER.findall(line)}


_CUSTOMER = re.compile(rb'"crm__customer_id":\s*"(\d+)"')
