"""What happens to the people of an account, at random, and what a warehouse must not know then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support import held

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cube_sandbox import Sandbox
    from tests.support.held import Row, Tables

STATES = ("Sale", "Callback", "Not interested", "No answer")
LEAST = 6
"""Letters of a value that stands for somebody. Shorter ones may be part of another by chance."""


class Lives:
    """The people of an account, and random edits of them.

    Args:
        cube: The account.
        chance: Decides what happens, and to whom.
    """

    def __init__(self, cube: Sandbox, chance: random.Random) -> None:
        """Look at everybody."""
        self._cube, self._account, self._chance = cube, cube.account, chance
        self._number = 0
        self._erased: list[tuple[tuple[int, str], str]] = []
        self._known: set[str] = set()
        self.look()

    def look(self) -> Tables:
        """Return what the account shows now, and remember the values of customers."""
        page_size, self._cube.page_size = self._cube.page_size, 1000
        now = held.tables(self._cube)
        self._cube.page_size = page_size
        for stream in held.PATHS:
            self._known |= texts(now[stream])
        return now

    def go_on(self, edits: int) -> None:
        """Edit the account so many times."""
        acts: list[Callable[[], object]] = [
            self._come, self._come, self._change, self._change, self._leave, self._leave,
            self._vanish, self._come_back, self._call, self._call, self._sell, self._correct,
            self._take_back,
        ]  # fmt: skip
        for _ in range(edits):
            self._chance.choice(acts)()
        self.look()

    def remembered(self, rows: Iterable[Row], now: Tables) -> list[str]:
        """The values of customers in some rows that the account does not show any more."""
        shown, stored = ("\n".join(words(each)) for each in (everything(now), rows))
        gone = (value for value in self._known if value not in shown)
        return sorted(value for value in gone if value in stored)

    def _crm(self) -> tuple[int, str]:
        return self._chance.choice(self._account.crms)

    def _someone(self, crm: tuple[int, str]) -> str:
        """A customer of a CRM, who may have come just now."""
        known = [*filter(None, self._account.customer_ids(crm))]
        return self._chance.choice(known or [self._account.add_customer(crm, **self._person())])

    def _person(self) -> dict[str, Any]:
        self._number += 1
        name = f"Kari {self._number:03} Nordmann"
        return {
            "name": name,
            "email": f"kari.{self._number:03}@example.com",
            "phone_1": f"+47 900 00 {self._number:03}",
        }

    def _come(self) -> None:
        self._account.add_customer(self._crm(), **self._person())

    def _change(self) -> None:
        crm = self._crm()
        self._account.update_customer(crm, self._someone(crm), **self._person())

    def _leave(self) -> None:
        """Anonymise somebody."""
        crm = self._crm()
        gone = self._someone(crm)
        self._erased.append((crm, gone))
        self._account.anonymise(crm, gone)

    def _vanish(self) -> None:
        """Delete somebody, with all events."""
        crm = self._crm()
        gone = self._someone(crm)
        self._erased.append((crm, gone))
        self._account.delete_customer(crm, gone)

    def _come_back(self) -> None:
        """Import somebody anew under the id of one who has gone."""
        if self._erased:
            crm, number = self._erased.pop(self._chance.randrange(len(self._erased)))
            self._account.add_customer(crm, customer_id=number, **self._person())

    def _campaign(self) -> tuple[int, str]:
        """A campaign and one of its customers."""
        campaign = self._chance.choice(self._account.campaigns[:3])
        return campaign, self._someone(self._crm_of(campaign))

    def _crm_of(self, campaign: int) -> tuple[int, str]:
        (row,) = (r for r in held.pages(self._cube, "campaigns") if r["campaign__id"] == campaign)
        return row["data_owner__id"], row["campaign__crm_type"]

    def _call(self) -> None:
        campaign, customer = self._campaign()
        state = self._chance.choice(STATES)
        self._account.set_call_state(campaign, customer, state=state, attempts=self._number)

    def _sell(self) -> None:
        campaign, customer = self._campaign()
        product = self._chance.choice(["MPC", None])
        self._account.add_outcome(campaign, customer, type="Sale", product=product)

    def _correct(self) -> None:
        if outcomes := self._account.outcomes():
            self._account.correct(self._chance.choice(outcomes), type=self._chance.choice(STATES))

    def _take_back(self) -> None:
        if outcomes := self._account.outcomes():
            self._account.delete_outcomes([self._chance.choice(outcomes)])


def everything(tables: Mapping[str, Iterable[Row]]) -> Iterator[Row]:
    """The rows of all tables."""
    for rows in tables.values():
        yield from rows


def texts(rows: Iterable[Row]) -> set[str]:
    """The values that stand for somebody."""
    return {word for word in words(rows) if len(word) >= LEAST}


def words(rows: Iterable[Row]) -> Iterator[str]:
    """All texts of some rows."""
    return (value for row in rows for value in row.values() if isinstance(value, str))
