"""A list of customers that changes between the server's answers.

Everything happens in memory, on a clock of its own. A schedule is a seed: the same seed gives the
same list, the same edits and the same answers.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from tap_cube.records.page import Page
from tap_cube.records.rows import CustomerRow, EventRow

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping
    from random import Random

Order = Literal["id", "-id", "name", "-updated", "day", "none"]
"""How the server sorts: ``day`` is not unique, and rows of one day come in any order."""

Counts = Literal["right", "none", "some", "cached", "low", "high"]
"""How the server counts: in each answer or in some, from the beginning, too few or too many."""

Edit = Literal["append", "insert", "import", "delete", "again", "exchange", "update", "anonymise"]
"""``again`` imports a deleted row once more; ``exchange`` deletes one and inserts another."""


@dataclass(frozen=True, slots=True)
class Item:
    """A row: its place in the account, and what of it the answers show."""

    number: int
    name: int
    updated: int
    customer: int | None
    text: int = 0

    @property
    def key(self) -> object:
        """What the warehouse knows it by; rows without an id share their text."""
        return f"text {self.text}" if self.customer is None else self.customer


@lru_cache(100_000)
def _row(customer: int | None, text: int, row_type: type[CustomerRow]) -> tuple[CustomerRow, bytes]:
    shown = {"crm__customer_id": "" if customer is None else str(customer), "text": text}
    return row_type(crm__customer_id=shown["crm__customer_id"]), json.dumps(shown).encode()


@dataclass
class Kind:
    """A kind of account.

    Attributes:
        order: How the server sorts.
        edits: What may happen between two answers.
        rate: How likely something happens before an answer.
        stale: How likely an answer comes from an earlier moment: a cache, a replica.
        counts: How the server counts.
        unnamed: Share of rows without an id.
        are_events: Whether rows are events whose time is exact to the minute only.
    """

    order: Order
    edits: tuple[Edit, ...] = ()
    rate: float = 0.1
    stale: float = 0.0
    counts: Counts = "right"
    unnamed: float = 0.0
    are_events: bool = False


@dataclass
class State:
    """The list at one moment."""

    items: list[Item]
    edit: Edit | None = None
    in_order: list[Item] | None = None


@dataclass
class HostileList:
    """The list, its history, and the answers that the server gives.

    Attributes:
        kind: The kind of account.
        random: Decides what happens.
        size: Rows of a page.
        length: Rows at the beginning.
        script: What happens to the rows before some answers, by the number of answers so far.
        stale: Numbers of pages that show the moment before.
        uncounted: Numbers of pages without a count.
        states: The list at every moment.
        moments: The moment that each answer showed.
        stale_moments: Those that were over.
    """

    kind: Kind
    random: Random
    size: int = 10
    length: int = 60
    script: Mapping[int, Callable[[list[Item]], list[Item]]] = field(default_factory=dict)
    stale: Container[int] = ()
    uncounted: Container[int] = ()
    states: list[State] = field(default_factory=list)
    moments: list[int] = field(default_factory=list)
    stale_moments: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Fill the list."""
        self._numbers = 0
        items = [self._new(self.random.randrange(1000)) for _ in range(self.length)]
        self.states = [State(items)]

    def _new(self, name: int, updated: int = 0) -> Item:
        self._numbers += 1
        # Only old customers are anonymised.
        is_unnamed = not self.states and self._is_lucky(self.kind.unnamed)
        customer = None if is_unnamed else self._numbers
        return Item(self._numbers, name, updated, customer, self.random.randrange(3))

    def _is_lucky(self, share: float) -> bool:
        return self.random.random() < share

    def edit(self) -> None:
        """Change the list in one way, or not at all."""
        if scripted := self.script.get(len(self.moments)):
            self.states.append(State(scripted(list(self.states[-1].items))))
        if not self.kind.edits or not self._is_lucky(self.kind.rate):
            return
        edit = self.random.choice(self.kind.edits)
        items, now = list(self.states[-1].items), len(self.states)
        place = self.random.randrange(len(items)) if items else 0
        if edit in {"append", "import"}:
            many = 1 if edit == "append" else self.random.randrange(1, 3 * self.size)
            items += [self._new(10_000 + self._numbers, now) for _ in range(many)]
        elif edit == "insert":
            items.append(self._new(self.random.randrange(1000), now))
        elif items and edit == "delete":
            del items[place]
        elif items and edit == "again" and items[place].customer is not None:
            old = items.pop(place)
            items.append(replace(self._new(old.name, now), customer=old.customer, text=old.text))
        elif items and edit == "exchange":
            items[place] = self._new(self.random.randrange(1000), now)
            items.append(items.pop(place))
        elif items and edit == "update":
            items[place] = replace(items[place], updated=now)
        elif items and edit == "anonymise":
            items[place] = replace(items[place], customer=None, name=0, text=0)
        self.states.append(State(items, edit))

    def answer(self, number: int) -> Page | None:
        """The server's answer to a page, as Django's paginator gives it."""
        self.edit()
        moment = len(self.states) - 1
        if self._is_lucky(self.kind.stale):
            moment = max(0, moment - self.random.randrange(1, 3))
        if number in self.stale:
            moment = max(0, moment - 1)
        if moment < len(self.states) - 1:
            self.stale_moments.append(moment)
        self.moments.append(moment)
        items = self._in_order(self.states[moment])
        chunk = items[(number - 1) * self.size : number * self.size]
        if not chunk and number > 1:
            return None
        link = "more" if number * self.size < len(items) else None
        row_type = EventRow if self.kind.are_events else CustomerRow
        rows = [_row(item.customer, item.text, row_type) for item in chunk]
        raw = [text for _, text in rows]
        count = None if number in self.uncounted else self._count(len(items))
        return Page(b"", [row for row, _ in rows], count, link, _raw_rows=raw)

    def _count(self, length: int) -> int | None:
        match self.kind.counts:
            case "none":
                return None
            case "some":
                return length if self._is_lucky(0.9) else None
            case "cached":
                return len(self.states[0].items)
            case "low":
                return max(0, length - 3)
            case "high":
                return length + 3
            case _:
                return length

    def _in_order(self, state: State) -> list[Item]:
        """The rows as one answer sorts them."""
        order, items = self.kind.order, state.items
        if order == "none" or (order == "day" and self._is_lucky(0.3)):
            items = self.random.sample(items, len(items))
        elif state.in_order:
            return state.in_order
        keys: dict[Order, Callable[[Item], object]] = {
            "id": lambda item: item.number,
            "-id": lambda item: -item.number,
            "name": lambda item: (item.name, item.number),
            "-updated": lambda item: (-item.updated, -item.number),
            "day": lambda item: item.name % 5,
            "none": lambda _: 0,
        }
        state.in_order = sorted(items, key=keys[order])  # type: ignore[arg-type]
        return state.in_order

    def stayed(self, start: int) -> Counter[object]:
        """How many rows of each key were there at every moment since one."""
        rows = [{(i.number, i.key) for i in state.items} for state in self.states[start:]]
        return Counter(key for _, key in set.intersection(*rows))

    @property
    def hides_an_exchange(self) -> bool:
        """Whether a stale answer is older than both a row that went and one that came.

        The count of such an answer may agree with all others. docs/incremental.md names this.
        """
        return any(
            {"delete", "again", "update", "anonymise"} & edits
            and edits & {"append", "insert", "import", "again", "update"}
            for edits in (
                {s.edit for s in self.states[moment + 1 :]} for moment in self.stale_moments
            )
        )

    def most(self) -> Counter[object]:
        """How many rows of each key there were at once, at most."""
        most: Counter[object] = Counter()
        for state in self.states:
            most |= Counter(item.key for item in state.items)
        return most
