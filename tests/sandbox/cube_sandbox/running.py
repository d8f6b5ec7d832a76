"""What a sandbox consists of while it runs: a database file, an account in it, a server."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from cube_sandbox import project
from cube_sandbox.account import Account
from cube_sandbox.server import Server

if TYPE_CHECKING:
    from cube_sandbox.sandbox import Sandbox


class Running:
    """Everything that has to be given back in the end, by `close`."""

    def __init__(self, cube: Sandbox) -> None:
        """Make the database, fill it and begin to answer."""
        with ExitStack() as begun:
            directory = begun.enter_context(tempfile.TemporaryDirectory(prefix="cube-sandbox-"))
            project.open_database(cube.database, Path(directory) / "cube.sqlite3")
            begun.callback(project.forget_database, cube.database)
            self.account = Account(cube)
            self.account.build()
            self.account.refill()
            server = Server(cube)
            begun.callback(server.close)
            self.port = server.port
            self.close = begun.pop_all().close
