"""Requests that have to be with the server at once, or the test does not go on."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cube_sandbox import Request, Sandbox

SECONDS = 300
"""How long a broken test may hang; none waits for the clock."""


class Meeting:
    """Holds the first request for each of some things until all of them have been asked for.

    Args:
        cube: The account, whose requests are watched from now on.
        asked: Endpoints of `docs/api.md`, or paths.

    Attributes:
        together: Where they meet; broken if they did not.
        most: Requests of any kind that were with the server at once.
    """

    def __init__(self, cube: Sandbox, asked: set[str]) -> None:
        """Watch."""
        self.together = threading.Barrier(len(asked))
        self.most = 0
        self._now = 0
        self._missing = set(asked)
        self._lock = threading.Lock()
        self._cube = cube
        cube.before_request = self._see

    def _see(self, request: Request) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            awaited = self._missing & {request.row, request.path}
            self._missing -= awaited
        try:
            if awaited:
                self.together.wait(SECONDS)
            self._cube.closing.wait(0.005)
        finally:
            with self._lock:
                self._now -= 1
