"""Draws the README's picture of the demo from a real run in a terminal.

Run `uv run python -m tests.repository.picture` after a change of the demo.
"""

from __future__ import annotations

import itertools
import os
import pty
import re
import subprocess
import sys
import termios

from rich.console import Console
from rich.text import Text

from tests.repository.docs import ROOT
from tests.support.tap_process import SCRIPTS, clean_environment

PICTURE = ROOT / "docs" / "demo.svg"
COMMAND = "uv run --locked cube-sandbox demo"
WIDTH = 80
PARTS = ("1. First load", "5 customers", "3. Second load")
"""How the lines begin that are drawn, each with the table below it."""

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def main() -> int:
    """Run the demo and draw its output.

    Returns:
        The exit status of the demo; the picture is drawn only after a success.
    """
    status, output = _in_a_terminal([str(SCRIPTS / "cube-sandbox"), "demo"])
    if status:
        sys.stderr.write(output)
        return status
    with (SCRIPTS.parent / "demo.txt").open("w", encoding="utf-8") as file:
        console = Console(record=True, width=WIDTH, file=file, highlight=False)
        console.print(Text.from_ansi("\n".join(_part(output, start) for start in PARTS) + "\n"))
    picture = console.export_svg(title=COMMAND)
    # The README must not load fonts from another host.
    drawn = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    PICTURE.write_text(re.sub(r"[ \t]+$", "", drawn, flags=re.MULTILINE), "utf-8")
    return 0


def _part(output: str, start: str) -> str:
    """Cut a line and the table below it, which is indented, from the demo's output."""
    lines = output.splitlines()
    plain = [ESCAPES.sub("", line) for line in lines]
    (first,) = (number for number, line in enumerate(plain) if line.startswith(start))
    table = itertools.takewhile(lambda line: line.startswith("  "), plain[first + 1 :])
    return "\n".join(lines[first : first + 1 + len(list(table))])


def _in_a_terminal(command: list[str]) -> tuple[int, str]:
    """Run a program on a terminal of the picture's width.

    Returns:
        Its exit status and its output.
    """
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (50, WIDTH))
    output = b""
    still = clean_environment() | {"TERM": "xterm-256color", "TTY_INTERACTIVE": "0"}
    with subprocess.Popen(  # noqa: S603 - our own command
        command, env=still, stdin=theirs, stdout=theirs, stderr=theirs
    ) as program:
        os.close(theirs)
        try:
            while piece := os.read(ours, 2**16):
                output += piece
        except OSError:  # on Linux, the end of the output
            pass
    os.close(ours)
    return program.returncode, output.decode().replace("\r\n", "\n")


if __name__ == "__main__":
    sys.exit(main())
