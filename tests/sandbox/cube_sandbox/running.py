"""The resources of a running sandbox: a database, its account and a server."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cube_sandbox import project
from cube_sandbox.account import Account
from cube_sandbox.postgres import fresh_database
from cube_sandbox.server import Server
from cube_sandbox.versions import Versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cube_sandbox.sandbox import Sandbox


class Running:
    """The resources of a running sandbox; `close` releases them."""

    def __init__(self, cube: Sandbox) -> None:
        """Create the database, fill it and start the server."""
        with ExitStack() as stack:
            database = stack.enter_context(_new_database(cube))
            project.register_database(cube.database, database)
            stack.callback(project.unregister_database, cube.database)
            versions = None
            if cube.postgres is None:
                versions = stack.enter_context(closing(Versions(str(database["NAME"]))))
            self.account = Account(cube, versions)
            self.account.fill()
            server = Server(cube, versions)
            stack.callback(server.close)
            self.port = server.port
            self.close = stack.pop_all().close


@contextmanager
def _new_database(cube: Sandbox) -> Iterator[project.Database]:
    """Create an empty database, and remove it at the end."""
    if cube.postgres is None:
        with tempfile.TemporaryDirectory(prefix="cube-sandbox-") as directory:
            yield project.sqlite(Path(directory) / "cube.sqlite3")
    else:
        with fresh_database(cube.postgres) as database:
            yield project.postgresql(database)
