"""What a call centre's own books say: the answers that the marts of `dbt/` must give."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import pytest
from django.db import connections

from cube_sandbox.clock import OSLO

if TYPE_CHECKING:
    from cube_sandbox import Sandbox


Ask: TypeAlias = Callable[[str], list[dict[str, Any]]]


class Key(NamedTuple):
    """What identifies a customer."""

    data_owner_id: int
    crm_type: str
    customer_id: str


CRM = (2, "B2B")
NOW = datetime.now(UTC)
LONG_AGO = timedelta(days=90)


OUTCOMES = """
    SELECT outcome.id, crm.data_owner, crm.crm_type, customer.customer_id, outcome.type,
        outcome.submitted, campaign.id, campaign.name
    FROM cube_sandbox_outcome AS outcome
    JOIN cube_sandbox_crm AS crm ON crm.id = outcome.crm
    JOIN cube_sandbox_customer AS customer ON customer.id = outcome.customer
    JOIN cube_sandbox_campaign AS campaign ON campaign.id = outcome.campaign
"""
CUSTOMERS = """
    SELECT crm.data_owner, crm.crm_type, customer.customer_id
    FROM cube_sandbox_customer AS customer JOIN cube_sandbox_crm AS crm ON crm.id = customer.crm
    WHERE customer.customer_id <> ''
"""
SALES = """
    SELECT submitted_by, team, count(*), sum(price)
    FROM cube_sandbox_registration JOIN cube_sandbox_outcome AS outcome ON outcome.id = outcome_id
    GROUP BY submitted_by, team
"""


class Books:
    """What the account's own database holds, read past the API.

    Args:
        name: Django's name for the database.
    """

    def __init__(self, name: str) -> None:
        """Read everything."""
        with connections[name].cursor() as cursor:
            self._customers = {Key(*row) for row in cursor.execute(CUSTOMERS)}
            self._sales = cursor.execute(SALES).fetchall()
            self._outcomes = [
                (
                    Key(*row[1:4]),
                    row[4],
                    row[5].replace(tzinfo=UTC),
                    row[6:],
                )
                for row in cursor.execute(OUTCOMES)
            ]
        connections[name].close()

    def conversion(self) -> list[tuple[int, str, str, int, int]]:
        """Calls and sales of each campaign in each week of the Norwegian calendar."""
        calls: Counter[tuple[int, str, str]] = Counter()
        sales: Counter[tuple[int, str, str]] = Counter()
        for _, kind, submitted, campaign in self._outcomes:
            year, week, _ = submitted.astimezone(OSLO).isocalendar()
            calls[*campaign, f"{year}-W{week:02}"] += 1
            sales[*campaign, f"{year}-W{week:02}"] += kind == "Sale"
        return [(*each, number, sales[each]) for each, number in sorted(calls.items())]

    def without_contact(self) -> dict[Key, datetime | None]:
        """The last contact of those who were not reached lately."""
        last: dict[Key, datetime] = {}
        for key, kind, submitted, _ in self._outcomes:
            if kind != "No answer":
                last[key] = max(last.get(key, submitted), submitted)
        return {
            key: last.get(key)
            for key in self._customers
            if key not in last or last[key] < NOW - LONG_AGO
        }

    def reach(self) -> list[tuple[int, str, int, int, int]]:
        """Customers whom each attempt in a campaign reached first, and all who were called."""
        calls: defaultdict[tuple[int, str], defaultdict[Key, list[bool]]]
        calls = defaultdict(lambda: defaultdict(list))
        for key, kind, _, campaign in sorted(self._outcomes, key=lambda outcome: outcome[2]):
            if key.customer_id:
                calls[campaign][key].append(kind != "No answer")
        rows = []
        for campaign, customers in sorted(calls.items()):
            reached = Counter(own.index(True) for own in customers.values() if any(own))
            most = max(map(len, customers.values()))
            rows += [(*campaign, n + 1, reached[n], len(customers)) for n in range(most)]
        return rows

    def sales(self) -> dict[tuple[str, str], tuple[int, float]]:
        """Number and sum of what each agent sold in each team."""
        return {(agent, team): (number, amount) for agent, team, number, amount in self._sales}


def with_a_past(cube: Sandbox) -> Books:
    """Let happen what queries go wrong by; return what the account holds then."""
    account = cube.account
    early, late, gone, reassigned = account.customer_ids(CRM)[-4:]
    account.add_outcome(2, early, when=datetime(2025, 12, 29, 0, 30), type="Sale", product="MPC")  # noqa: DTZ001 - Norwegian time
    account.add_outcome(2, late, when=(NOW - timedelta(days=120)).astimezone(OSLO), type="Sale")
    account.anonymise(CRM, gone)
    outcome = account.add_outcome(2, reassigned, type="Sale", product="MPC", price=1234.5)
    account.register(outcome, "ProdB")
    account.reassign(outcome, by="ny.agent@example.com", team="Nattlag")
    return Books(cube.database)


def check_marts(ask: Ask, books: Books) -> None:
    """Compare every mart with the account.

    Args:
        ask: Returns the rows that a query finds where the models are.
        books: What the account holds.
    """
    weeks = ask("SELECT * FROM cube_conversion ORDER BY campaign_id, week")
    conversion = books.conversion()
    assert [tuple(row.values())[:-1] for row in weeks] == conversion
    assert [float(row["percent"]) for row in weeks] == [
        round(100 * sales / calls, 1) for *_, calls, sales in conversion
    ]
    assert "2026-W01" in {row["week"] for row in weeks}  # in UTC it was the Sunday before

    quiet = ask("SELECT * FROM cube_customers_without_contact")
    found = {
        Key(row["data_owner_id"], row["crm_type"], row["customer_id"]): row["last_contact"]
        for row in quiet
    }
    assert len(found) == len(quiet)
    assert {key: last and last.replace(tzinfo=UTC) for key, last in found.items()} == (
        books.without_contact()
    )
    assert {last is None for last in found.values()} == {True, False}

    agents = ask("SELECT * FROM cube_sales_by_agent")
    sold = {(row["agent"], row["team"]): (row["products"], float(row["amount"])) for row in agents}
    assert sold == books.sales()
    assert sold["ny.agent@example.com", "Nattlag"][0] == 2

    reach = ask("SELECT * FROM cube_reach ORDER BY campaign_id, attempts")
    expected = books.reach()
    assert [tuple(row.values())[:-1] for row in reach] == expected
    shares: dict[int, int] = Counter()
    for row, (campaign, _, _, reached, called) in zip(reach, expected, strict=True):
        shares[campaign] += reached
        assert float(row["percent"]) == pytest.approx(100 * shares[campaign] / called, abs=0.051)
