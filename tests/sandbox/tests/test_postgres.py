"""The PostgreSQL launcher against the real server."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
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
from tests.support.sizes import only_large, scaled

from .conftest import posix_only, python

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [posix_only, pytest.mark.usefixtures("server_folder")]

# It sleeps for short times, so that a signal just before a wait is handled soon.
HOLD_A_SERVER = """
import time
from cube_sandbox.postgres import postgres

with postgres() as server:
    print(server.port, flush=True)
    while True:
        time.sleep(0.05)
"""


def listens(port: int) -> bool:
    """Whether a program listens on a loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def databases(server: Postgres) -> set[str]:
    """The names of all databases of a server."""
    with server.connect() as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


def test_a_server_runs_only_in_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """The block has its own server with a password, and handles SIGTERM; nothing remains of either.

    A connected client does not delay the end. Variables for other servers do not matter.
    """
    monkeypatch.setenv("PGSSLMODE", "require")
    monkeypatch.setenv("PGSERVICE", "warehouse")
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
    assert not listens(server.port)
    with contextlib.closing(client), pytest.raises(psycopg.OperationalError):
        client.execute("SELECT 1")


def test_the_password_stays_out_of_the_representation() -> None:
    """The representation, which a failing test prints, has no password."""
    server = Postgres("127.0.0.1", 5432, "somebody", "open sesame/@:", "cube")
    assert "sesame" not in repr(server)
    assert conninfo.conninfo_to_dict(server.url)["password"] == "open sesame/@:"  # noqa: S105 - invented


def test_a_failure_in_the_block_ends_the_server() -> None:
    """An exception is raised and the server ends, although a client is still connected."""
    with (
        pytest.raises(ZeroDivisionError),
        postgres() as server,
        contextlib.closing(server.connect()),
    ):
        raise ZeroDivisionError
    assert not listens(server.port)


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (signal.SIGTERM, 128 + signal.SIGTERM),
        *scaled([], [(signal.SIGINT, -signal.SIGINT)]),
    ],
)
def test_a_signal_ends_process_and_server(number: signal.Signals, status: int) -> None:
    """When a signal has ended the process with the server, the server has ended too."""
    with python(HOLD_A_SERVER) as child:
        assert child.stdout is not None
        port = int(child.stdout.readline())
        assert listens(port)
        child.send_signal(number)
        assert child.wait() == status
        assert not listens(port)


@only_large
def test_the_server_of_a_killed_process_ends(server_folder: Path) -> None:
    """If the process cannot clean up, the supervisor does it soon after."""
    with python(HOLD_A_SERVER) as child:
        assert child.stdout is not None
        port = int(child.stdout.readline())
        child.kill()
        child.wait()
        while listens(port) or list(server_folder.iterdir()):  # pytest-timeout limits the wait
            time.sleep(0.02)


@only_large
def test_another_thread_can_have_a_server() -> None:
    """The server also works outside the main thread, where Python allows no handler."""
    rows = []

    def use() -> None:
        with postgres() as server, server.connect() as connection:
            rows.extend(connection.execute("SELECT 1").fetchall())

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert rows == [(1,)]


@only_large
def test_a_taken_port_is_replaced_by_another() -> None:
    """If the port is taken, the launcher tries another."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        ports = [other.getsockname()[1], free_port()]
        with postgres(iter(ports).__next__) as server:
            assert server.port == ports[1]


def test_a_server_that_never_starts_is_an_error_with_its_output(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If the last attempt fails, the error has PostgreSQL's output."""
    monkeypatch.setattr("cube_sandbox.postgres.PORTS_TO_TRY", 1)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port: int = other.getsockname()[1]
        with pytest.raises(PostgresError, match="could not bind"), postgres(lambda: port):
            pytest.fail("there is no server to use")


@pytest.mark.parametrize(
    "address",
    [
        "sesame",
        "postgresql+psycopg://u:sesame@127.0.0.1:1/x",
        "postgresql://u:sesame%ZZ@127.0.0.1:1/x",
        "postgresql://u:sesame/1@127.0.0.1:1/x",
        "postgresql://u:open@sesame@127.0.0.1:1/x",
    ],
)
def test_a_wrong_address_is_not_shown(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """It may hold a password, also in parts that seem to be something else."""
    monkeypatch.setenv(SERVER_VARIABLE, address)
    with pytest.raises(PostgresError, match=f"{SERVER_VARIABLE} must be") as error, postgres():
        pytest.fail("there is no server to use")
    assert "sesame" not in str(error.value)


def test_databases_of_one_server_share_nothing_and_are_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A named server has a database for each block, and drops it despite a failure or a client."""
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
