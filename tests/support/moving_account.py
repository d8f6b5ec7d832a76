"""An account in memory that is edited between its answers, and reading it through."""

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
"""What happens before one answer: kind, how often, and where between first row and last."""


@dataclass
class MovingAccount:
    """Rows in the order of a server, edited before each answer as a history says."""

    rows: list[int]
    newest_first: bool
    history: list[list[tuple[str, int, float]]]
    asked: int = 0
    born: int = 10_000
    ever: set[int] = field(default_factory=set)

    def edit(self) -> None:
        """Let the next moment of the history happen."""
        moment = self.history[self.asked] if self.asked < len(self.history) else []
        self.asked += 1
        for kind, times, where in moment:
            for _ in range(times):
                if kind != "delete":
                    self.born += 1
                    self.rows.insert(0 if self.newest_first else len(self.rows), self.born)
                # Rows that came in the meantime stay: one that comes in front and goes again
                # between two answers leaves no trace that any reader could see.
                old = [row for row in self.rows if row < 10_000]
                if kind != "insert" and old:
                    self.rows.remove(old[int(where * len(old))])

    def answer(self, number: int, size: int) -> Page | None:
        """Make one page as Django's paginator would, at this moment."""
        self.edit()
        chunk = self.rows[(number - 1) * size : number * size]
        if not chunk and number > 1:
            return None
        link = f"/?page={number + 1}" if number * size < len(self.rows) else None
        body = json.dumps([{"id": row} for row in chunk]).encode()
        return Page(body, [CustomerRow(id=row) for row in chunk], len(self.rows), link)


class PagesOf(Pages):
    """Pages of a moving account; those read ahead are answered in any order."""

    def __init__(self, account: MovingAccount, size: int, window: int, order: list[int]) -> None:
        """Answer straight from the account, without a network."""
        self._account = account
        self._size = size
        self.is_counting = False
        self._ahead_at_most = window
        self._order = order
        self._ahead: dict[int, Page | None] = {}

    @property
    @override
    def lookahead(self) -> int:
        return self._ahead_at_most

    @override
    def page(self, number: int) -> Page | None:
        self._ahead.clear()
        return self._account.answer(number, self._size)

    @override
    def page_after(self, page: Page, number: int, lookahead: int) -> Page | None:
        if page.next is None:
            return END
        wanted = range(number + 1, number + 2 + max(lookahead, 0))
        missing = [n for n in wanted if n not in self._ahead]
        for turn in self._order:
            if missing:
                at = missing.pop(turn % len(missing))
                self._ahead[at] = self._account.answer(at, self._size)
        for at in missing:
            self._ahead[at] = self._account.answer(at, self._size)
        return self._ahead.pop(number + 1)


def read(pages: Pages) -> list[int]:
    """Read everything, row by row."""
    return [
        json.loads(page.raw_rows[place])["id"]
        for page, places in reader_of(pages)
        for place in places
    ]


def reader_of(pages: Pages) -> CompleteReader:
    """A reader of these pages."""
    return CompleteReader(pages, subject="customers", logger=LOGGER)
