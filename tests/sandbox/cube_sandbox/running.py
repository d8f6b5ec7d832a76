"""The resources of a running sandbox: a database file, its account and a server."""

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
    """The resources of a running sandbox; `close` releases them."""

    def __init__(self, cube: Sandbox) -> None:
        """Create the database, fill it and start the server."""
        with ExitStack() as stack:
            directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="cube-sandbox-"))
            project.register_database(cube.database, Path(directory) / "cube.sqlite3")
            stack.callback(project.unregister_database, cube.database)
            self.account = Account(cube)
            self.account.build()
            self.account.refill()
            server = Server(cube)
            stack.callback(server.close)
            self.port = server.port
            self.close = stack.pop_all().close
