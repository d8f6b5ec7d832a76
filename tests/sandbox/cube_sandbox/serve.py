"""The command `cube-sandbox serve`: an account, and a database if wanted, until a signal."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import tempfile
import threading
from shlex import quote
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cube_sandbox.postgres import Postgres
    from cube_sandbox.sandbox import Sandbox

UTC_SESSION = "?options=-c%20TimeZone%3DUTC"
"""The part of a URL that has PostgreSQL store times in UTC."""

ACCOUNT = """\
# A local Cube account with invented customers. Ctrl-C stops it.
# Paste all of this into another terminal, in the same folder:
"""
TEST = """
# Then check that tap-cube can read the account:
#   uv run --locked tap-cube --config=ENV --test
"""
LOAD = """\
# Load the account into the database. The variable keeps what Meltano remembers
# of it apart from other accounts. Then look at a table:
#   MELTANO_SYS_DIR_ROOT={folder} \\
#     uv run --locked meltano run tap-cube target-postgres
#   psql {url} -c 'SELECT campaign__name FROM tap_cube.campaigns'
"""
BASIC = """
# Basic authentication, instead of the token:
#   unset TAP_CUBE_AUTH_TOKEN
#   export TAP_CUBE_USERNAME={username}
#   export TAP_CUBE_PASSWORD={password}
"""


def serve(cube: Sandbox, *, as_json: bool, with_postgres: bool) -> int:
    """Serve until SIGTERM or SIGINT, and print how to use it.

    Args:
        cube: The account, which is started here.
        as_json: Whether to print one line of JSON instead of lines for a shell.
        with_postgres: Whether to start an empty database too.

    Returns:
        The exit code.

    Raises:
        OSError: The account's port is taken, or the database did not start.
    """
    stop = threading.Event()
    with _database(is_wanted=with_postgres) as database, _state_folder(database) as folder:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        with cube:
            shown = _as_json(cube, database) if as_json else _for_a_shell(cube, database, folder)
            sys.stdout.write(shown)
            sys.stdout.flush()
            while not stop.wait(0.5):  # a signal just before an endless wait would get lost
                pass
    return 0


@contextlib.contextmanager
def _database(*, is_wanted: bool) -> Iterator[Postgres | None]:
    if not is_wanted:
        yield None
        return
    from cube_sandbox.postgres import PostgresError, postgres  # noqa: PLC0415 - works on POSIX only

    try:
        with postgres() as database:
            yield database
    except (PostgresError, psycopg.Error) as error:
        raise OSError(str(error).strip()) from error


@contextlib.contextmanager
def _state_folder(database: Postgres | None) -> Iterator[str]:
    """Create a folder for Meltano's state, which is of no use without the database.

    In the clone, the state would make the first load of another account an incremental one.
    """
    if database is None:
        yield ""
    else:
        with tempfile.TemporaryDirectory(prefix="cube-sandbox-state-") as folder:
            yield folder


def _as_json(cube: Sandbox, database: Postgres | None) -> str:
    values = {
        "url": cube.url,
        "token": cube.token,
        "username": cube.username,
        "password": cube.password,
    }
    if database is not None:
        values["sqlalchemy_url"] = f"{database.sqlalchemy_url}{UTC_SESSION}"
    return f"{json.dumps(values)}\n"


def _for_a_shell(cube: Sandbox, database: Postgres | None, folder: str) -> str:
    """Write lines that a shell takes as they are; those that it need not execute are comments."""
    variables = {"TAP_CUBE_API_URL": cube.url, "TAP_CUBE_AUTH_TOKEN": cube.token}
    load = ""
    if database is not None:
        variables["TARGET_POSTGRES_SQLALCHEMY_URL"] = f"{database.sqlalchemy_url}{UTC_SESSION}"
        load = LOAD.format(folder=quote(folder), url=quote(database.url))
    exports = [f"export {name}={quote(value)}\n" for name, value in variables.items()]
    basic = BASIC.format(username=quote(cube.username), password=quote(cube.password))
    return "".join([ACCOUNT, *exports, TEST, load, basic])
