"""Copies of filled SQLite databases, since most tests begin with the same few accounts."""

from __future__ import annotations

import copy
import sqlite3
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from cube_sandbox.content import Customers

_PAGES = 512  # of 4 KiB: larger accounts are not kept


@dataclass(frozen=True, slots=True)
class _Copy:
    """A filled database, and what invents its further customers."""

    database: sqlite3.Connection
    customers: Customers


@dataclass(slots=True)
class Copies:
    """The latest accounts that were filled, by what determines their content.

    Attributes:
        amount: How many are kept.
    """

    amount: int = 24
    _copies: OrderedDict[Hashable, _Copy] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, key: Hashable, database: sqlite3.Connection, customers: Customers) -> None:
        """Copy a database that was just filled, unless it is large."""
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        if pages > _PAGES:
            return
        memory = sqlite3.connect(":memory:", check_same_thread=False)
        database.backup(memory)
        with self._lock:
            self._copies[key] = _Copy(memory, copy.deepcopy(customers))
            if len(self._copies) > self.amount:
                _, oldest = self._copies.popitem(last=False)
                oldest.database.close()

    def restore(self, key: Hashable, database: sqlite3.Connection) -> Customers | None:
        """Replace a whole database by a copy.

        Returns:
            What invents the account's further customers; None if there is no copy.
        """
        with self._lock:
            kept = self._copies.get(key)
            if kept is None:
                return None
            self._copies.move_to_end(key)
            kept.database.backup(database)
            return copy.deepcopy(kept.customers)


#: Those of this process.
COPIES = Copies()
