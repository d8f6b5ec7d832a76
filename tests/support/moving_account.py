"""An account in memory that is edited between its responses, and a reader for it."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field

from hypothesis import strategies as st
from typing_extensions import override

from tap_cube.paging.complete import CompleteReader
from tap_cube.paging.pages import Pages
from tap_cube.records.page import END, Page
from tap_cube.records.rows import CustomerRow

LOGGER = logging.getLogger("test")

edits = st.lists(
    st.tuples(
        st.sampled_from(["insert", "delete", "both"]),
        st.integers(1, 40),
        st.floats(0, 1, exclude_max=True),
    ),
    max_size=2,
)
"""Edits before one response: kind, number, and position between first row and last."""


@dataclass
class MovingAccount:
    """Rows in the server's order, edited before each response according to a history."""

    rows: list[int]
    newest_first: bool
    history: list[list[tuple[str, int, float]]]
    requests: int = 0
    last_inserted: int = 10_000
    ever: set[int] = field(default_factory=set)

    def edit(self) -> None:
        """Apply the next edits of the history."""
        changes = self.history[self.requests] if self.requests < len(self.history) else []
        self.requests += 1
        for kind, times, where in changes:
            for _ in range(times):
                if kind != "delete":
                    self.last_inserted += 1
                    self.rows.insert(0 if self.newest_first else len(self.rows), self.last_inserted)
                # Inserted rows are never deleted: no reader can notice a row that is inserted
                # and deleted between two responses.
                old = [row for row in self.rows if row < 10_000]
                if kind != "insert" and old:
                    self.rows.remove(old[int(where * len(old))])

    def respond(self, number: int, size: int) -> Page | None:
        """The current content of a page, as Django's paginator returns it."""
        self.edit()
        chunk = self.rows[(number - 1) * size : number * size]
        if not chunk and number > 1:
            return None
        link = f"/?page={number + 1}" if number * size < len(self.rows) else None
        body = json.dumps([{"id": row} for row in chunk]).encode()
        return Page(body, [CustomerRow(id=row) for row in chunk], len(self.rows), link)


class PagesOf(Pages):
    """Pages of a moving account; prefetched pages are returned by the server in any order."""

    def __init__(self, account: MovingAccount, size: int, lookahead: int, order: list[int]) -> None:
        """Read directly from the account, without a network."""
        self._account = account
        self._size = size
        self.is_counting = False
        self._max_lookahead = lookahead
        self._order = order
        self._ahead: dict[int, Page | None] = {}

    @property
    @override
    def lookahead(self) -> int:
        return self._max_lookahead

    @override
    def page(self, number: int) -> Page | None:
        self._ahead.clear()
        return self._account.respond(number, self._size)

    @override
    def page_after(self, page: Page, number: int, lookahead: int) -> Page | None:
        if page.next is None:
            return END
        wanted = range(number + 1, number + 2 + max(lookahead, 0))
        missing = [n for n in wanted if n not in self._ahead]
        for turn in self._order:
            if missing:
                at = missing.pop(turn % len(missing))
                self._ahead[at] = self._account.respond(at, self._size)
        for at in missing:
            self._ahead[at] = self._account.respond(at, self._size)
        return self._ahead.pop(number + 1)


def read(pages: Pages) -> list[int]:
    """The ids of all emitted rows."""
    return [
        json.loads(page.raw_rows[place])["id"]
        for page, places in reader_of(pages)
        for place in places
    ]


def reader_of(pages: Pages) -> CompleteReader:
    """A reader of these pages."""
    return CompleteReader(pages, subject="customers", logger=LOGGER)
