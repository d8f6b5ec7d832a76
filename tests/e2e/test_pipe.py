"""`tap-cube | target-postgres`: what the account holds is what the warehouse holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Sandbox
from tap_cube.streams.registry import RUN_LOG
from tests.support.pipe import Load, load
from tests.support.runs import EVENTS, unversioned
from tests.support.sizes import only_large, scaled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.warehouse import Warehouse

pytestmark = pytest.mark.slow

TODAY = date(2024, 5, 17)
LATEST = TODAY + timedelta(days=2)
CUSTOMERS = 30
CRM = (2, "B2B")


@dataclass(frozen=True, slots=True)
class Generation:
    """What an account of one generation must fill: rows by table, and what to configure.

    Tables of events have as many rows as the account's campaigns have events.
    """

    name: str
    tables: dict[str, int]
    config: dict[str, Any]
    phone: str = "phone_1"
    is_dated: bool = True
    events: frozenset[str] = frozenset()


ALL_CRMS = {"data_owner_customers": 3 * CUSTOMERS}
ASSIGNMENTS = {"assignment_customers": 2 * CUSTOMERS}
NAMED = {"assignment_ids": [9, 12]}
UNDERSCORES = "crm__standard_info__phone_1"
FIELDS = 22
OF_CALLS = frozenset({"callflow_customers", "call_outcomes"})
OF_SALES = frozenset({"product_registrations"})

FEW_GENERATIONS = [Generation("2017", ASSIGNMENTS, NAMED, is_dated=False)]
GENERATIONS = [
    *FEW_GENERATIONS,
    Generation(
        "2020",
        {"campaigns": 4, "custom_fields": 3 * FIELDS, **ALL_CRMS},
        {},
        UNDERSCORES,
        events=OF_CALLS | OF_SALES,
    ),
    Generation("2016-query", ASSIGNMENTS, NAMED),
    Generation("2016-path", ASSIGNMENTS, NAMED),
    Generation(
        "2019",
        {"campaigns": 3, "custom_fields": 2 * FIELDS, **ASSIGNMENTS},
        {},
        UNDERSCORES,
        events=OF_CALLS,
    ),
    Generation("2019-draft", {"campaigns": 4, **ALL_CRMS}, {}, is_dated=False),
    Generation(
        "all",
        {"campaigns": 4, "custom_fields": 5 * FIELDS, **ASSIGNMENTS, **ALL_CRMS},
        {},
        UNDERSCORES,
        events=OF_CALLS | OF_SALES,
    ),
]


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    """Run an account with a fixed present day."""
    with Sandbox(customers=CUSTOMERS, outcomes=20, page_size=10, today=TODAY) as cube:
        yield cube


def loaded(cube: Sandbox, warehouse: Warehouse, *, state: Any = None, **config: object) -> Load:  # noqa: ANN401 - any JSON
    """Load the account, with both ends of the pipe ending well."""
    settings = {"api_url": cube.url, "auth_token": cube.token, **config}
    done = load(settings, warehouse, state=state)
    assert (done.tap_returncode, done.target_returncode) == (0, 0), (
        done.tap_stderr + done.target_stderr
    )
    return done


@pytest.mark.parametrize(
    "generation", scaled(FEW_GENERATIONS, GENERATIONS[::2]), ids=lambda generation: generation.name
)
def test_every_generation_arrives_whole(
    cube: Sandbox, warehouse: Warehouse, generation: Generation
) -> None:
    """Tables, rows, keys and a few values are those of the account."""
    cube.reset(generation=generation.name)
    edited = cube.account.customer_ids(CRM)[7]
    cube.account.update_customer(CRM, edited, phone_1="0047 900 00 001", updated=LATEST)
    loaded(cube, warehouse, **generation.config)
    tables = warehouse.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'cube'"
    )
    names = {row["table_name"] for row in tables}
    assert names == generation.tables.keys() | generation.events | {RUN_LOG}
    for table in generation.events:
        assert warehouse.count(f"cube.{table}") == events_of(cube, warehouse)[table] > 0
    for table, number in generation.tables.items():
        rows = warehouse.table(f"cube.{table}")
        assert len(rows) == number
        if table.endswith("_customers"):
            found = {key_of(row, table): (row[generation.phone], row["updated"]) for row in rows}
            where = 9 if table == "assignment_customers" else CRM
            day = LATEST if generation.is_dated else None
            assert found.keys() == expected_keys(cube, table)
            assert found[where, edited] == ("0047 900 00 001", day)


def events_of(cube: Sandbox, warehouse: Warehouse) -> dict[str, int]:
    """How much happened in the campaigns that the account lists."""
    listed = [row["campaign__id"] for row in warehouse.table("cube.campaigns")]
    return {
        "callflow_customers": sum(map(cube.account.call_state_count, listed)),
        "call_outcomes": sum(map(cube.account.outcome_count, listed)),
        "product_registrations": sum(map(cube.account.registration_count, listed)),
    }


def key_of(row: dict[str, Any], table: str) -> tuple[object, str]:
    """Whose customer a row is, and which."""
    if table == "assignment_customers":
        return row["assignment_id"], row["customer_id"]
    return (row["data_owner_id"], row["crm_type"]), row["customer_id"]


def expected_keys(cube: Sandbox, table: str) -> set[tuple[object, ...]]:
    """The keys of all customers of the account, as a table must hold them."""
    account = cube.account
    places = account.assignments if table == "assignment_customers" else account.crms
    return {(where, number) for where in places for number in account.customer_ids(where)}


@only_large  # by default `test_meltano` loads twice
def test_a_second_load_brings_the_changes_and_no_duplicate(
    cube: Sandbox, warehouse: Warehouse
) -> None:
    """From the state that the target confirmed come an edit and a new customer, and no row twice.

    Anonymised customers, who have no id (T40), stay as many rows as they are.
    """
    cube.reset(anonymised=5, without=EVENTS)
    first = loaded(cube, warehouse)
    edited = next(filter(None, cube.account.customer_ids(CRM)))
    cube.account.update_customer(CRM, edited, name="Nytt Navn AS", updated=LATEST)
    added = cube.account.add_customer(CRM, name="Ny Kunde AS", updated=LATEST)
    second = loaded(cube, warehouse, state=first.state)
    names = warehouse.rows(
        "SELECT customer_id, crm__standard_info__name AS name FROM cube.data_owner_customers "
        "WHERE updated = %s",
        [LATEST],
    )
    assert {(row["customer_id"], row["name"]) for row in names} == {
        (edited, "Nytt Navn AS"),
        (added, "Ny Kunde AS"),
    }
    rows = warehouse.table("cube.data_owner_customers")
    assert len(rows) == 3 * CUSTOMERS + 1
    assert sum(row["crm__standard_info__name"] == "Anonymized" for row in rows) == 3 * 5
    assert warehouse.count("cube.assignment_customers") == 2 * CUSTOMERS + 1
    third = loaded(cube, warehouse, state=second.state)
    assert unversioned(third.state) == unversioned(second.state)
