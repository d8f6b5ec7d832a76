"""Knows whether a database changed, and whether it is again as it was."""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable


class Versions:
    """The versions of an SQLite database. Whoever commits a change, the next call tells."""

    def __init__(self, path: str) -> None:
        """Connect to a database. This connection never writes, so it notices every change."""
        self._connection = sqlite3.connect(path, timeout=30, check_same_thread=False)
        self._lock = threading.Lock()
        self._named: tuple[int, Hashable] | None = None

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()

    def number(self) -> int:
        """Return a number that no earlier version had."""
        with self._lock:
            number: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
            return number

    def name(self, content: Hashable) -> None:
        """Name the content that was just filled in; it is equal whenever it has this name."""
        self._named = (self.number(), content)

    def content_of(self, number: int) -> Hashable:
        """Return the name of a version's content, its number if nobody gave it a name."""
        named = self._named
        return number if named is None or named[0] != number else named[1]
