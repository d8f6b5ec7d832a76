"""The README's first command."""

from __future__ import annotations

import contextlib
import itertools
import re
import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from cube_sandbox.demo_story import NEXT
from tests.repository.docs import ROOT
from tests.support.documented import shell
from tests.support.sizes import only_large, scaled
from tests.support.tap_process import SECONDS, clean_environment, started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cube_sandbox.postgres import Postgres

pytestmark = pytest.mark.slow

DEMO = ["cube-sandbox", "demo", "--customers", "5"]
SERVE = ["cube-sandbox", "serve", "--postgres"]
LONG_DEMO = ["cube-sandbox", "demo", "--customers", "2000"]
"""One whose load takes long enough to be met."""

HELD = {
    "data_owner_customers": "15",
    "assignment_customers": "10",
    "campaigns": "4",
    "callflow_customers": "12",
    "call_outcomes": "240",
    "product_registrations": "28",
    "custom_fields": "110",
}
"""Rows of every table after the first load, which is every stream that is not deselected."""

CHANGED = {
    "assignment_customers": ["10", "3"],
    "data_owner_customers": ["15", "3"],
    "callflow_customers": ["12", "1"],
    "call_outcomes": ["241", "2"],
    "product_registrations": ["29", "1"],
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
    ascii_alone = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    with started(DEMO, env={"TMPDIR": str(scratch), **ascii_alone}) as demo:
        stdout, stderr = demo.communicate(timeout=2 * SECONDS)
    assert (demo.returncode, stderr.decode()) == (0, "")
    assert list(scratch.iterdir()) == []
    lines = stdout.decode().splitlines()
    assert all(len(line) <= 80 and line.isprintable() for line in lines)
    shown = [line.split() for line in lines]
    start = next(number for number, words in enumerate(shown) if words[:1] == ["3."])
    first_load, second_load = (
        {words[0]: words[1:3] for words in half if words and words[0] in HELD}
        for half in (shown[:start], shown[start:])
    )
    assert first_load == {table: [count, count] for table, count in HELD.items()}
    assert second_load == CHANGED
    for before, after in itertools.pairwise(shown):
        if after[:1] == ["->"]:
            assert after[1] == before[0]
            assert after[1:] != before
    assert sum("->" in words for words in shown) == 3


def test_what_the_demo_names_next_can_be_pasted() -> None:
    """The settings and the README's part are shown; the next test pastes what `serve` prints."""
    serve, *others = re.findall(r"^  \[cyan\](.*)\[/\]$", NEXT, re.MULTILINE)
    assert serve.removeprefix("uv run --locked ").split() == SERVE
    said = shell("\n".join(others).replace("uv run --locked ", ""), ROOT, clean_environment())
    assert "| auth_token | " in said
    (heading,) = re.findall(r'"(.*)"', others[-1])
    assert f"\n## {heading}\n" in said


@pytest.mark.parametrize(
    "command",
    scaled(
        ["tap-cube --config=ENV --test"],
        ["tap-cube --config=ENV --test", "meltano run tap-cube target-postgres"],
    ),
)
def test_what_serve_prints_can_be_pasted(
    scratch: Path, postgres_server: Postgres, command: str
) -> None:
    """With all its lines in a shell, the tap reads the account and Meltano loads it."""
    environment = {"TMPDIR": str(scratch), "CUBE_SANDBOX_POSTGRES_URL": postgres_server.url}
    options = ["--customers", "3", "--token", "a-$TOKEN", "--password", "it's"]
    with started([*SERVE, *options], env=environment) as process:
        assert process.stdout is not None
        printed = ""
        for line in process.stdout:
            printed += line.decode()
            if "TAP_CUBE_PASSWORD" in printed:
                break
        (named,) = re.findall(rf"^#   (.*(?:\n#     .*)*{command})$", printed, re.MULTILINE)
        typed = named.replace("\n#", "\n").replace("uv run --locked ", "")
        said = shell(f"{printed}\n{typed}", ROOT, clean_environment())
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=SECONDS) == (b"", b"")
    assert process.returncode == 0
    assert "campaigns: ok, 4 rows seen" in said or "Run completed" in said
    assert list(scratch.iterdir()) == []


def test_demo_without_its_server_says_so(scratch: Path) -> None:
    """A failure is told on stderr without a traceback or a password, with exit status 1."""
    closed = "postgresql://somebody:swordfish@127.0.0.1:9/postgres"
    environment = {"TMPDIR": str(scratch), "CUBE_SANDBOX_POSTGRES_URL": closed}
    with started(DEMO, env=environment) as demo:
        stdout, stderr = demo.communicate(timeout=2 * SECONDS)
    assert demo.returncode == 1
    assert stdout.decode().endswith("Starting PostgreSQL ...")
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
