"""Draws the README's picture of the demo: a real run, as a terminal shows it.

Run `uv run python -m tests.picture` after a change of the demo.
"""

from __future__ import annotations

import re
import subprocess
import sys

from rich.console import Console
from rich.text import Text

from tests.docs import ROOT
from tests.tap_process import SCRIPTS

PICTURE = ROOT / "docs" / "demo.svg"
COMMAND = "uv run --locked cube-sandbox demo"
WIDTH = 106


def main() -> int:
    """Run the demo and draw what it printed.

    Returns:
        What the demo ended with; of a demo that failed nothing is drawn.
    """
    done = subprocess.run(  # noqa: S603 - our own command
        [str(SCRIPTS / "cube-sandbox"), "demo"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        return done.returncode
    with (SCRIPTS.parent / "demo.txt").open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, highlight=False)
        console.print(Text(f"$ {COMMAND}", style="bold"))
        console.print(Text(done.stdout.rstrip()))
    picture = console.export_svg(title="A Cube account arrives in PostgreSQL")
    # Fonts of another host would be asked for by whoever reads the README.
    PICTURE.write_text(re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
