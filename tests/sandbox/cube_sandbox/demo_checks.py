"""The demo's checks that the tables hold the account, and that just what changed was written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cube_sandbox.demo_tables import CUSTOMERS, KEYS, LOOKBACK_DAYS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from cube_sandbox.account import Account, Where
    from cube_sandbox.demo_changes import Changes
    from cube_sandbox.demo_tables import Customer, Tables

READ_BY_DAYS = ("call_outcomes", "product_registrations")


class DemoError(RuntimeError):
    """The warehouse differs from the account."""


def expect(found: object, expected: object, what: str) -> None:
    """Compare what was found with what is expected.

    Raises:
        DemoError: They differ.
    """
    if found != expected:
        msg = f"Not as expected: {what}.\n   expected: {expected}\n   found:    {found}"
        raise DemoError(msg)


def check_tables(account: Account, tables: Tables) -> dict[str, int]:
    """Compare the tables and the events of each campaign with the account.

    Returns:
        The account's rows by their table.

    Raises:
        DemoError: They differ.
    """
    counts = _account_counts(account)
    expect(tables.counts(), counts, "tables and rows")
    held = [
        (
            number,
            account.call_state_count(number),
            account.outcome_count(number),
            account.registration_count(number),
        )
        for number in account.campaigns
    ]
    expect([(row[0], *row[2:]) for row in tables.campaigns()], held, "events of the campaigns")
    return counts


def _account_counts(account: Account) -> dict[str, int]:
    """Count the account's rows by their table."""
    partitions: list[Where] = [*account.assignments, *account.crms]
    return {
        "assignment_customers": sum(map(account.count, account.assignments)),
        "call_outcomes": account.outcome_count(),
        "callflow_customers": account.call_state_count(),
        "campaigns": len(account.campaigns),
        "custom_fields": sum(len(account.definitions(each)) for each in partitions),
        "data_owner_customers": sum(map(account.count, account.crms)),
        "product_registrations": account.registration_count(),
    }


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The tables between two loads.

    Attributes:
        moment: When the last row was written.
        again: The keys of the rows of each table that the next load writes although unchanged.
        keys: The keys of all rows of each table.
        customers: The customers of each of their tables.
    """

    moment: datetime
    again: Mapping[str, set[str]]
    keys: Mapping[str, set[str]]
    customers: Mapping[str, dict[str, Customer]]

    @classmethod
    def of(cls, tables: Tables, first_day: date) -> Snapshot:
        """Read the tables after a first load, which began on this day."""
        since = first_day - timedelta(days=LOOKBACK_DAYS)
        return cls(
            moment=tables.last_batch(),
            again={name: tables.rows_to_reload(name, since) for name in KEYS},
            keys={name: tables.keys(name) for name in KEYS},
            customers={name: tables.customers(name) for name in CUSTOMERS},
        )

    def check(self, tables: Tables, changes: Changes) -> dict[str, tuple[int, int]]:
        """Compare what the next load wrote with what changed.

        Returns:
            For each table, how many new or changed rows were written, and how many others.

        Raises:
            DemoError: They differ.
        """
        changed = {
            **{name: set(customers) for name, customers in changes.customers.items()},
            "callflow_customers": {changes.called},
            **{name: tables.reported_by(name, changes.agent) for name in READ_BY_DAYS},
        }
        written = {name: tables.written_since(name, self.moment) for name in KEYS}
        for name in KEYS:
            expect(written[name], changed[name] | self.again[name], f"rows written to {name}")
        for name in CUSTOMERS:
            customers = self.customers[name] | changes.customers[name]
            expect(tables.customers(name), customers, f"customers in {name}")
        added = {name: len(tables.keys(name) - self.keys[name]) for name in READ_BY_DAYS}
        expect(added, dict.fromkeys(READ_BY_DAYS, 1), "new rows")
        expect(len(changed["call_outcomes"]), 2, "outcomes of the second agent")
        return {name: (len(changed[name]), len(written[name] - changed[name])) for name in KEYS}
