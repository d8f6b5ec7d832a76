"""A real PostgreSQL database for tests and demo."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import threading
from typing import TYPE_CHECKING, Never

from psycopg import ProgrammingError, conninfo, sql

from cube_sandbox.postgres_server import (
    ADMINISTRATOR,
    LOOPBACK,
    PortTakenError,
    Postgres,
    PostgresError,
    embedded,
    free_port,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = ["SERVER_VARIABLE", "Postgres", "PostgresError", "fresh_database", "postgres"]

SERVER_VARIABLE = "CUBE_SANDBOX_POSTGRES_URL"
"""Environment variable with the URL of a server to use instead of an embedded one."""

PORTS_TO_TRY = 3


@contextlib.contextmanager
def postgres(choose_port: Callable[[], int] = free_port) -> Iterator[Postgres]:
    """Create a database for a `with` block and remove it at the end.

    It is in a new embedded server, or in the server of `SERVER_VARIABLE`. In the main thread,
    SIGTERM raises SystemExit in the block.

    Args:
        choose_port: Returns the port to try; called again if the port is taken.

    Raises:
        PostgresError: The server did not start.
    """
    with _sigterm_exits(), contextlib.ExitStack() as stack:
        if address := os.environ.get(SERVER_VARIABLE):
            yield stack.enter_context(fresh_database(_named_server(address)))
        else:
            yield _started(stack, choose_port)


@contextlib.contextmanager
def fresh_database(server: Postgres) -> Iterator[Postgres]:
    """Create an empty database on a server, and drop it at the end, also with clients connected."""
    name = f"cube_sandbox_{secrets.token_hex(6)}"
    identifier = sql.Identifier(name)
    with server.connect() as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
    try:
        yield Postgres(server.host, server.port, server.user, server.password, name)
    finally:
        with server.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


def _named_server(address: str) -> Postgres:
    try:
        parts = conninfo.conninfo_to_dict(address)
        host, port = str(parts.get("host") or LOOPBACK), int(parts.get("port") or 5432)
    except (ProgrammingError, ValueError):
        host, port, parts = "@", 0, {}
    if "@" in host:  # the end of a password
        msg = (  # without the error's text, which may show a password
            f"Variable {SERVER_VARIABLE} must be such as postgresql://USER:PASSWORD@HOST:5432/"
            "DATABASE, with special characters of the password as in %40 for @."
        )
        raise PostgresError(msg) from None
    user = str(parts.get("user") or ADMINISTRATOR)
    password, database = str(parts.get("password") or ""), str(parts.get("dbname") or user)
    return Postgres(host, port, user, password, database)


def _started(stack: contextlib.ExitStack, choose_port: Callable[[], int]) -> Postgres:
    for name in [name for name in os.environ if name.upper().startswith("PG")]:
        del os.environ[name]  # libpq would take PGSSLMODE and such for settings of this server
    for _ in range(PORTS_TO_TRY - 1):
        with contextlib.suppress(PortTakenError):
            return stack.enter_context(embedded(choose_port()))
    return stack.enter_context(embedded(choose_port()))


@contextlib.contextmanager
def _sigterm_exits() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, _frame: FrameType | None) -> Never:
        raise SystemExit(128 + number)

    previous = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
