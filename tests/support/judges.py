"""Programs of others that judge what the tap writes, each in an environment of its own.

They need versions of libraries that cannot stand beside ours. `python -m tests.support.judges`
installs them all, so that tests may run without a network afterwards; else the first test that
needs one does.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.tap_process import SCRIPTS, SECONDS, clean_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HOME = Path(sys.prefix, "judges")
"""Below our own environment, and gone with it."""


@dataclass(frozen=True, slots=True)
class Judge:
    """A program and what it is made of.

    Attributes:
        command: What the program is called.
        requirements: What it needs, as far as its own packages leave that open.
        name: What tells it from others with the same command; the command itself by default.
        patch: Python code that runs before the program's own.
    """

    command: str
    requirements: tuple[str, ...]
    name: str = ""
    patch: str = ""

    @property
    def folder(self) -> Path:
        """Its environment."""
        return HOME / (self.name or self.command)

    @property
    def program(self) -> Path:
        """Where the program is, or will be."""
        return self.folder / SCRIPTS.name / self.command

    @property
    def python(self) -> Path:
        """The Python that has its packages."""
        return self.program.with_name("python")

    def install(self) -> None:
        """Make the environment, unless it is there. Other workers of a run wait meanwhile."""
        done = self.folder / "installed"
        if done.exists():
            return
        HOME.mkdir(exist_ok=True)
        with self.folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                self._make()
                done.touch()

    def _make(self) -> None:
        uv = [str(SCRIPTS / "uv")]
        run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(self.folder)])
        python = str(self.python)
        run([*uv, "pip", "install", "--quiet", "--python", python, *self.requirements])
        if self.patch:
            where = "import sysconfig; print(sysconfig.get_path('purelib'))"
            packages = run([python, "-c", where]).strip()
            Path(packages, "patch.pth").write_text(f"{self.patch}\n", "utf-8")

    def hear(
        self, output: str, *arguments: str, cwd: Path, env: Mapping[str, str] | None = None
    ) -> str:
        """Let the program read what a tap wrote, to an end that must be good.

        Args:
            output: Everything the tap wrote.
            arguments: Options of the program.
            cwd: The folder it runs in.
            env: Variables on top of a clean environment.

        Returns:
            What the program printed.
        """
        self.install()
        return run([str(self.program), *arguments], output, cwd, env)


TARGET_CSV = Judge("target-csv", ("meltanolabs-target-csv==0.5.0", "singer-sdk==0.54.9"))
TARGET_JSONL = Judge(
    "target-jsonl", ("target-jsonl==0.1.4", "ciso8601==2.4.1", "python-dateutil==4.0.0")
)
SINGER_CHECK_TAP = Judge("singer-check-tap", ("singer-tools==0.4.1", "singer-python==6.8.0"))
TARGET_S3 = Judge("target-s3", ("plinxore-target-s3==0.1.7", "moto[s3,server]==5.2.5"))
TARGET_POSTGRES_PIPELINEWISE = Judge(
    "target-postgres",
    ("pipelinewise-target-postgres==2.1.2",),
    name="pipelinewise-target-postgres",
)
TARGET_DUCKDB = Judge("target-duckdb", ("target-duckdb==0.8.0", "duckdb==1.2.2"))
TARGET_SQLITE = Judge(
    "target-sqlite",
    ("target-sqlite==0.2.0", "singer-python==6.8.0"),
    patch="import collections, collections.abc as c; collections.MutableMapping = c.MutableMapping",
)
"""MeltanoLabs' is only in git. It is this one with a few lines more, among them the patch's."""
DLT = Judge("python", ("dlt[duckdb]==1.31.0", "duckdb==2.0.1"), name="dlt")
DAGSTER = Judge("dagster", ("dagster==1.13.28",))
_OURS = str(Path(__file__).parents[2])
TAP_CUBE = Judge("tap-cube", (_OURS, "meltanolabs-target-postgres"))
"""What a stranger installs, of the newest packages, so that uv knows offline what that needs."""
TAP_CUBE_S3 = Judge("python", (f"{_OURS}[s3]",), name="tap-cube-s3")

TARGETS = (
    TARGET_S3, TARGET_SQLITE, DLT, TARGET_POSTGRES_PIPELINEWISE, TARGET_DUCKDB, TARGET_CSV,
    TARGET_JSONL,
)  # fmt: skip
JUDGES = (*TARGETS, DAGSTER, TAP_CUBE, TAP_CUBE_S3, SINGER_CHECK_TAP)


def run(
    command: Sequence[str],
    stdin: str = "",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run a program to an end that must be good, and return what it printed."""
    done = subprocess.run(  # noqa: S603 - our own commands
        command,
        input=stdin.encode(),
        capture_output=True,
        cwd=cwd,
        env=clean_environment() | dict(env or {}),
        timeout=2 * SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


if __name__ == "__main__":
    with ThreadPoolExecutor(max_workers=4) as pool:
        for _ in pool.map(Judge.install, JUDGES):
            pass
