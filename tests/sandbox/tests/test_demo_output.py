"""What the demo prints, on a terminal and elsewhere."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import termios

import pytest

from cube_sandbox.demo_output import Output
from tests.support.tap_process import clean_environment

STEP_UNTIL_CTRL_C = """
import signal
from cube_sandbox.demo_output import Output
with Output().step("[bold]Loading[/]"):
    signal.raise_signal(signal.SIGINT)
"""
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7]")


def on_a_terminal(code: str, **variables: str) -> str:
    """Run code that prints little on a terminal, and return what arrived there."""
    environment = {"TERM": "xterm-256color", **clean_environment(), **variables}
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        if name not in variables:
            environment.pop(name, None)
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    ended = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code],
        env=environment,
        stdout=theirs,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(theirs)
    assert ended.returncode == -signal.SIGINT, ended.stderr
    shown = b""
    try:
        while piece := os.read(ours, 2**16):
            shown += piece
    except OSError:  # on Linux, the end of the output
        pass
    os.close(ours)
    return shown.decode()


def test_a_terminal_shows_its_cursor_after_ctrl_c() -> None:
    """A step is animated while it runs, and leaves a terminal as it was."""
    shown = on_a_terminal(STEP_UNTIL_CTRL_C, TERM="xterm-256color")
    hidden, _, after = shown.partition("\x1b[?25l")[2].rpartition("\x1b[?25h")
    assert "Loading" in hidden
    assert "\x1b[?25l" not in after
    assert COLOUR.search(shown)


@pytest.mark.parametrize(
    ("variables", "unwanted"), [({"NO_COLOR": "1"}, COLOUR), ({"TERM": "dumb"}, re.compile("\x1b"))]
)
def test_a_terminal_gets_no_more_than_it_wants(
    variables: dict[str, str], unwanted: re.Pattern[str]
) -> None:
    """NO_COLOR means no colours, and a dumb terminal gets plain text."""
    shown = on_a_terminal(STEP_UNTIL_CTRL_C, **{"TERM": "xterm-256color", **variables})
    assert "Loading" in shown
    assert not unwanted.search(shown)


@pytest.mark.parametrize("columns", [40, 120])
def test_long_names_take_more_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    """Nothing is shortened, no line exceeds the terminal or 80 columns, and a pipe gets text."""
    monkeypatch.setenv("COLUMNS", str(columns))
    out = Output()
    name, email = "Bjørn [bold] Ærfugl " * 4, "y" * 70 + "@example.com"
    with out.step("Loading"):
        pass
    out.table(("id", "name", "email"), [(1, name, email)], title="crm__custom_info__17")
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= min(columns, 80)
    letters = re.sub(r"\s", "", shown)
    assert letters.count("y") == 70
    assert letters.count("[bold]") == 4
    assert "\x1b" not in shown
