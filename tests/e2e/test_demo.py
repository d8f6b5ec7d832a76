"""The README's first command."""

from __future__ import annotations

import contextlib
import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.support.sizes import only_large
from tests.support.tap_process import SECONDS, started

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

DEMO = ["cube-sandbox", "demo", "--customers", "5"]
LONG_DEMO = ["cube-sandbox", "demo", "--customers", "2000"]
"""One whose load takes long enough to be met."""

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


@only_large  # by default `test_meltano` loads twice
def test_demo_shows_two_loads_and_leaves_nothing(scratch: Path) -> None:
    """The tables, the changes and what came of them are shown, and the counts are right."""
    with started(DEMO, env={"TMPDIR": str(scratch)}) as demo:
        stdout, stderr = demo.communicate(timeout=2 * SECONDS)
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
        _, stderr = demo.communicate(timeout=2 * SECONDS)
    assert demo.returncode == 1
    assert "The demo failed. " in stderr.decode()
    assert "Traceback" not in stderr.decode()
    assert "swordfish" not in stderr.decode()
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=only_large)])
def test_demo_ends_with_all_it_started(scratch: Path, number: signal.Signals) -> None:
    """A signal in the middle of a load leaves no process and no file."""
    with started(LONG_DEMO, env={"TMPDIR": str(scratch)}) as demo:
        family = _loading(psutil.Process(demo.pid))
        demo.send_signal(number)
        demo.communicate(timeout=2 * SECONDS)
    assert demo.returncode == 128 + number
    while any(map(_is_alive, family)):  # pytest-timeout ends a vain wait
        time.sleep(0.05)
    assert list(scratch.iterdir()) == []


def _loading(demo: psutil.Process) -> list[psutil.Process]:
    """Wait until Meltano has started the tap; return the processes below the demo."""
    deadline = time.monotonic() + 2 * SECONDS
    while time.monotonic() < deadline:
        family = demo.children(recursive=True)
        if any("tap-cube" in part for process in family for part in _command(process)):
            return family
        time.sleep(0.05)
    msg = "the tap was not started"
    raise TimeoutError(msg)


def _is_alive(process: psutil.Process) -> bool:
    """Whether a process still runs; one that has ended may wait for whoever inherited it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it has ended meanwhile
        return []
