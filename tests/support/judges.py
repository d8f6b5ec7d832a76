"""Programs of others that judge what the tap writes, each in an environment of its own.

They need versions of libraries that cannot stand beside ours. `python -m tests.support.judges`
installs them all, so that tests may run without a network afterwards; else the first test that
needs one does.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.tap_process import SCRIPTS, SECONDS, clean_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

HOME = Path(sys.prefix, "judges")
"""Below our own environment, and gone with it."""


@dataclass(frozen=True, slots=True)
class Judge:
    """A program and what it is made of.

    Attributes:
        command: What the program is called.
        requirements: What it needs, as far as its own packages leave that open.
    """

    command: str
    requirements: tuple[str, ...]

    @property
    def program(self) -> Path:
        """Where the program is, or will be."""
        return HOME / self.command / SCRIPTS.name / self.command

    def install(self) -> None:
        """Make the environment, unless it is there."""
        if self.program.exists():
            return
        folder = HOME / self.command
        uv = [str(SCRIPTS / "uv")]
        run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
        python = str(folder / SCRIPTS.name / "python")
        run([*uv, "pip", "install", "--quiet", "--python", python, *self.requirements])

    def hear(self, output: str, *arguments: str, cwd: Path) -> str:
        """Let the program read what a tap wrote, to an end that must be good.

        Args:
            output: Everything the tap wrote.
            arguments: Options of the program.
            cwd: The folder it runs in.

        Returns:
            What the program printed.
        """
        self.install()
        return run([str(self.program), *arguments], output, cwd)


TARGET_CSV = Judge("target-csv", ("meltanolabs-target-csv==0.5.0", "singer-sdk==0.54.9"))
TARGET_JSONL = Judge(
    "target-jsonl", ("target-jsonl==0.1.4", "ciso8601==2.4.1", "python-dateutil==4.0.0")
)
SINGER_CHECK_TAP = Judge("singer-check-tap", ("singer-tools==0.4.1", "singer-python==6.8.0"))
TARGET_S3 = Judge("target-s3", ("plinxore-target-s3==0.1.7", "moto[s3,server]==5.2.5"))
DAGSTER = Judge("dagster", ("dagster==1.13.28",))
TAP_CUBE = Judge("tap-cube", (str(Path(__file__).parents[2]),))
"""The tap as a stranger installs it, so that uv knows offline what it needs."""

JUDGES = (TARGET_CSV, TARGET_JSONL, SINGER_CHECK_TAP, TARGET_S3, DAGSTER, TAP_CUBE)


def run(command: Sequence[str], stdin: str = "", cwd: Path | None = None) -> str:
    """Run a program to an end that must be good, and return what it printed."""
    done = subprocess.run(  # noqa: S603 - our own commands
        command,
        input=stdin.encode(),
        capture_output=True,
        cwd=cwd,
        env=clean_environment(),
        timeout=2 * SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


if __name__ == "__main__":
    for judge in JUDGES:
        judge.install()
