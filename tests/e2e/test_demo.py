"""The README's first command."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.tap_process import SECONDS, started

if TYPE_CHECKING:
    from collections.abc import Iterator

DEMO = ["cube-sandbox", "demo", "--customers", "5"]
HELD = {
    "tap_cube.assignment_customers": "10",
    "tap_cube.call_outcomes": "240",
    "tap_cube.callflow_customers": "12",
    "tap_cube.campaigns": "4",
    "tap_cube.custom_fields": "110",
    "tap_cube.data_owner_customers": "15",
    "tap_cube.product_registrations": "28",
}
"""Rows of every table after the first load, which is every stream that is not deselected."""

NEXT = {
    "tap_cube.assignment_customers": ("10", "3"),
    "tap_cube.data_owner_customers": ("15", "3"),
    "tap_cube.callflow_customers": ("12", "1"),
    "tap_cube.call_outcomes": ("241", "2"),
    "tap_cube.product_registrations": ("29", "1"),
}
"""Rows after the second load, and how many of them are changed or new."""


@pytest.fixture
def scratch() -> Iterator[Path]:
    """The folder for temporary files, where PostgreSQL's own user may enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o1777)
        yield Path(folder)


def test_demo_shows_two_loads_and_leaves_nothing(scratch: Path) -> None:
    """The tables, the changes and what came of them are shown, and the counts are right."""
    with started(DEMO, env={"TMPDIR": str(scratch)}) as demo:
        stdout, stderr = demo.communicate(timeout=SECONDS)
    assert (demo.returncode, stderr.decode()) == (0, "")
    shown = [line.split() for line in stdout.decode().splitlines()]
    first_load, second_load = (
        {line[0]: line[1:] for line in half if line and line[0].startswith("tap_cube.")}
        for half in (shown[: len(shown) // 2], shown[len(shown) // 2 :])
    )
    assert {table: counts[0] for table, counts in first_load.items()} == HELD
    assert all(loaded == held for loaded, held in first_load.values())
    assert [line[0] for line in shown if line[:1] == ["PUT"]] == ["PUT"] * 3
    assert {table: (counts[0], counts[2]) for table, counts in second_load.items()} == NEXT
    assert "\x1b" not in stdout.decode()
    assert list(scratch.iterdir()) == []


def test_demo_without_its_server_says_so(scratch: Path) -> None:
    """A failure is told on stderr without a traceback or a password, with exit status 1."""
    closed = "postgresql://somebody:swordfish@127.0.0.1:9/postgres"
    environment = {"TMPDIR": str(scratch), "CUBE_SANDBOX_POSTGRES_URL": closed}
    with started(DEMO, env=environment) as demo:
        _, stderr = demo.communicate(timeout=SECONDS)
    assert demo.returncode == 1
    assert "The demo failed. " in stderr.decode()
    assert "Traceback" not in stderr.decode()
    assert "swordfish" not in stderr.decode()
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_demo_ends_with_all_it_started(scratch: Path, number: signal.Signals) -> None:
    """A signal in the middle of a load leaves no process and no file."""
    with started(DEMO, env={"TMPDIR": str(scratch)}) as demo:
        family = _loading(demo.pid)
        demo.send_signal(number)
        demo.communicate(timeout=SECONDS)
    assert demo.returncode == 128 + number
    assert family.keys() & _processes().keys() == set()
    assert list(scratch.iterdir()) == []


def _loading(demo: int) -> dict[int, str]:
    """Wait until Meltano has started the tap; return the processes below the demo."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        family = _below(demo, _processes())
        if any("tap-cube" in command for command in family.values()):
            return family
        time.sleep(0.05)
    msg = "the tap was not started"
    raise TimeoutError(msg)


def _processes() -> dict[int, tuple[int, str]]:
    """Parent and command of every process that is not just waiting to be reaped."""
    ps = str(shutil.which("ps"))
    listed = subprocess.run(  # noqa: S603 - a fixed command
        [ps, "-e", "-o", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True
    )
    rows = (line.split(maxsplit=3) for line in listed.stdout.splitlines())
    return {int(row[0]): (int(row[1]), row[-1]) for row in rows if not row[2].startswith("Z")}


def _below(parent: int, processes: dict[int, tuple[int, str]]) -> dict[int, str]:
    found: dict[int, str] = {}
    for pid, (above, command) in processes.items():
        if above == parent:
            found |= {pid: command} | _below(pid, processes)
    return found
