"""A temporary Meltano project that loads a sandbox into a database."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cube_sandbox.postgres import Postgres
    from cube_sandbox.sandbox import Sandbox

DEFINITION = Path(__file__).parents[3] / "meltano.yml"
"""The `meltano.yml` of the clone with this package."""

SCRIPTS = Path(sys.executable).parent
SETTINGS_OF_OTHERS = ("TAP_CUBE_", "TARGET_POSTGRES_", "MELTANO_", "PYTHONIOENCODING")
LOG_LINES = 40
STOP_SECONDS = 30


class MeltanoError(RuntimeError):
    """Meltano failed. The message has the end of its log, without secrets."""


@dataclass(frozen=True, slots=True)
class MeltanoProject:
    """A folder with a `meltano.yml`, and the environment that configures its plugins."""

    folder: Path
    environment: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)

    def run(self, *arguments: str) -> str:
        """Run `meltano run` with these arguments and return its log.

        Raises:
            MeltanoError: It failed.
        """
        with tempfile.TemporaryFile(dir=self.folder) as log:
            with self._started(arguments, log) as process:
                code = process.wait()
            log.seek(0)
            output = log.read().decode(errors="replace")
        for secret in self.secrets:
            output = output.replace(secret, "***")
        if code:
            end = "\n".join(output.splitlines()[-LOG_LINES:])
            msg = f"`meltano run {' '.join(arguments)}` ended with {code}:\n{end}"
            raise MeltanoError(msg)
        return output

    @contextlib.contextmanager
    def _started(
        self, arguments: tuple[str, ...], log: IO[bytes]
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Start Meltano in its own process group, and end the group with the block."""
        with subprocess.Popen(  # noqa: S603 - our own command
            [SCRIPTS / "meltano", "run", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and its descendants."""
    with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def meltano_project(cube: Sandbox, database: Postgres, **settings: str) -> Iterator[MeltanoProject]:
    """Yield a project that loads a sandbox into a database, and remove it at the end.

    Args:
        cube: The running sandbox.
        database: The database for the tables.
        settings: Further environment variables.

    Raises:
        MeltanoError: This package is not in a clone of tap-cube.
    """
    if not DEFINITION.exists():
        msg = "There is no meltano.yml: run this in a clone of tap-cube, with `uv run`."
        raise MeltanoError(msg)
    with tempfile.TemporaryDirectory(prefix="cube-sandbox-meltano-") as folder:
        shutil.copy(DEFINITION, folder)
        made = shutil.ignore_patterns("logs", "target")
        shutil.copytree(DEFINITION.with_name("dbt"), Path(folder, "dbt"), ignore=made)
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.upper().startswith(SETTINGS_OF_OTHERS)
        }
        own = {
            "PATH": os.pathsep.join([str(SCRIPTS), os.environ.get("PATH", os.defpath)]),
            "PYTHONUTF8": "1",  # target-postgres reads messages in the encoding of the locale
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "MELTANO_PROJECT_ROOT": folder,
            "TAP_CUBE_API_URL": cube.url,
            "TAP_CUBE_AUTH_TOKEN": cube.token,
            "TARGET_POSTGRES_SQLALCHEMY_URL": database.sqlalchemy_url,
        }
        secrets = filter(None, (database.sqlalchemy_url, database.password, cube.token))
        yield MeltanoProject(Path(folder), inherited | own | settings, tuple(secrets))
