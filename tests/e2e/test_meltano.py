"""The project's own meltano.yml, from the account into PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cube_sandbox import Sandbox
from cube_sandbox.meltano_project import MeltanoError, MeltanoProject, meltano_project
from tests.support.sizes import only_large

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.warehouse import Warehouse

B2B, B2C, ASSIGNMENT = (2, "B2B"), (2, "B2C"), 9
pytestmark = pytest.mark.slow

PLUGINS = ("tap-cube", "target-postgres")
CONTACT = "Siste kontakt"
"""A custom field that holds a time of Europe/Oslo."""
COUNTS = {"campaigns": 4, "custom_fields": 66, "assignment_customers": 40}


@pytest.fixture
def cube() -> Iterator[Sandbox]:
    """An account in transition, some of whose customers have no id (T40)."""
    with Sandbox(customers=40, anonymised=2) as sandbox:
        yield sandbox


@pytest.fixture
def project(cube: Sandbox, warehouse: Warehouse) -> Iterator[MeltanoProject]:
    """The project, with lists and selection given as JSON in the environment."""
    settings = {
        "TAP_CUBE_ASSIGNMENT_IDS": "[9]",
        "TAP_CUBE_DATA_OWNERS": '[{"id": 2, "crm_types": ["B2B", "B2C"]}]',
        "TAP_CUBE__SELECT": '["*.*", "!*_details.*", "!data_owner_customers.*__phone_*"]',
    }
    with meltano_project(cube, warehouse.database, **settings) as lent:
        yield lent


def test_second_run_brings_what_changed_and_a_new_custom_field(
    cube: Sandbox, warehouse: Warehouse, project: MeltanoProject
) -> None:
    """The first load is complete; the second writes changed rows and those of the lookback.

    The time zone of the database is Europe/Oslo. Times are stored in UTC all the same, by COPY
    and by INSERT, and a NUL in a text does not end the load.
    """
    changed = next(filter(None, cube.account.customer_ids(B2B)))
    (contact,) = (n for n, label in cube.account.definitions(B2B).items() if label == CONTACT)
    cube.account.update_customer(
        B2B, changed, name="Ny\0tt AS", custom={contact: "2024-05-17T10:00"}
    )
    project.run(*PLUGINS)
    assert warehouse.rows("SHOW timezone") == [{"TimeZone": "Europe/Oslo"}]
    assert _name_and_contact(warehouse, changed, contact) == (
        "Ny\ufffdtt AS",
        "2024-05-17 08:00:00",
    )
    counts = COUNTS | {"data_owner_customers": 80}
    assert {name: warehouse.count(f"tap_cube.{name}") for name in counts} == counts
    assert "crm__custom_info__5001" not in warehouse.columns("tap_cube", "data_owner_customers")
    for table, is_shown in (("assignment_customers", True), ("data_owner_customers", False)):
        columns = warehouse.columns("tap_cube", table)
        assert ("crm__standard_info__phone_1" in columns) is is_shown
    recent = _rows_of_the_lookback(warehouse)
    first_load = warehouse.rows("SELECT max(_sdc_batched_at) FROM tap_cube.data_owner_customers")

    number = cube.account.add_definition(B2B, "Rabatt", type="number")
    cube.account.update_customer(
        B2B, changed, name="Nytt AS", custom={number: "12.5", contact: "2024-01-17T10:00"}
    )
    added = cube.account.add_customer(B2C, name="Ny Kunde")
    by_insert = {**project.environment, "TARGET_POSTGRES_USE_COPY": "false"}
    replace(project, environment=by_insert).run(*PLUGINS)

    counts |= {"custom_fields": 68, "data_owner_customers": 81}
    assert {name: warehouse.count(f"tap_cube.{name}") for name in counts} == counts
    written = warehouse.rows(
        "SELECT crm_type, customer_id FROM tap_cube.data_owner_customers "
        "WHERE _sdc_batched_at > %(max)s AND updated IS NOT NULL",  # others come always
        first_load[0],
    )
    assert {(row["crm_type"], row["customer_id"]) for row in written} == recent | {
        ("B2B", changed),
        ("B2C", added),
    }
    assert _name_and_contact(warehouse, changed, contact) == ("Nytt AS", "2024-01-17 09:00:00")
    column = f"crm__custom_info__{number}"
    for table in ("assignment_customers", "data_owner_customers"):
        assert warehouse.columns("tap_cube", table)[column] == "numeric"
        filled = warehouse.rows(
            f"SELECT customer_id, {column}::float AS rebate "  # noqa: S608 - names of our own
            f"FROM tap_cube.{table} WHERE {column} IS NOT NULL"
        )
        assert filled == [{"customer_id": changed, "rebate": 12.5}]


@only_large  # by default, tests of the tap alone
def test_wrong_credential_fails_the_run_and_stays_secret(
    cube: Sandbox, warehouse: Warehouse, project: MeltanoProject
) -> None:
    """The run is red, the log tells the remedy, and no secret stands in it."""
    refused = cube.token
    cube.reset(token="f" * 40)
    with pytest.raises(MeltanoError, match="HTTP 401, the account refuses the credential") as end:
        project.run(*PLUGINS)
    assert "'auth_token'" in str(end.value)
    assert refused not in str(end.value)
    assert warehouse.columns("tap_cube", "campaigns") == {}


def _rows_of_the_lookback(warehouse: Warehouse) -> set[tuple[str, str]]:
    rows = warehouse.rows(
        """
        SELECT crm_type, customer_id FROM tap_cube.data_owner_customers AS t WHERE updated >=
        (SELECT max(updated) - 2 FROM tap_cube.data_owner_customers WHERE crm_type = t.crm_type)
        """
    )
    return {(row["crm_type"], row["customer_id"]) for row in rows}


def _name_and_contact(warehouse: Warehouse, customer_id: str, contact: int) -> tuple[str, str]:
    """The stored name of a customer of the B2B CRM, and the stored time of the last contact."""
    (row,) = warehouse.rows(
        f"SELECT crm__standard_info__name AS name, crm__custom_info__{contact}::text AS contact "  # noqa: S608 - a number
        "FROM tap_cube.data_owner_customers WHERE crm_type = 'B2B' AND customer_id = %s",
        [customer_id],
    )
    return row["name"], row["contact"]
