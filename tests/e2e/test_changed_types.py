"""docs/targets.md: what becomes of a column when an administrator changes its field's type."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from cube_sandbox import Sandbox
from cube_sandbox.meltano_project import meltano_project
from tests.support.documented import fenced
from tests.support.judges import run
from tests.support.runs import ASSIGNED, CRM, CUSTOMERS, EVENTS, sync
from tests.support.sizes import only_large
from tests.support.tap_process import SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.warehouse import Warehouse

pytestmark = [pytest.mark.slow, only_large]

PAGE, SECTION = "docs/targets.md", "When a field's type changes"
EXAMPLE = "crm__custom_info__12"
"""The column in the page's statements."""
REFUSED = "NotImplementedError: Altering columns is not supported. Could not convert column"
REFUSED_VALUE = 'invalid input syntax for type bigint: "1[.]5"'


@pytest.fixture
def cube() -> Iterator[Sandbox]:
    """An account of customers alone."""
    with Sandbox(customers=3, without=EVENTS) as sandbox:
        yield sandbox


def test_each_documented_remedy_lets_the_load_go_on(
    cube: Sandbox, warehouse: Warehouse, tmp_path: Path
) -> None:
    """A new type ends the load. Renaming, altering or dropping the column mends it for good."""
    account = cube.account
    before: dict[str, Any] = {"number": 10, "tall": 20.5, "date": "2024-05-17", "integer": 1}
    fields = {account.add_definition(CRM, f"Felt {t}", type=t): v for t, v in before.items()}
    account.add_customer(CRM, customer_id="007", custom=dict(fields))
    renamed, altered, dropped, widened = (f"crm__custom_info__{number}" for number in fields)
    load(cube, warehouse, tmp_path)
    execute(warehouse, f"CREATE VIEW report AS SELECT {renamed} FROM tap_cube.{CUSTOMERS}")  # noqa: S608 - our own names

    after = ("ti prosent", "20 kr", "i mai", "1.5")
    for number, new in zip(fields, ["text", "text", "text", "number"], strict=True):
        account.retype_definition(CRM, number, new)
    account.update_customer(CRM, "007", custom=dict(zip(fields, after, strict=True)))
    with pytest.raises(AssertionError, match=REFUSED):
        load(cube, warehouse, tmp_path)

    rename, alter, as_number, drop = fenced(PAGE, "sql", SECTION)
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="used by a view or rule"):
        execute(warehouse, alter.replace(EXAMPLE, renamed))
    execute(warehouse, rename.replace(EXAMPLE, renamed))
    for table in (CUSTOMERS, ASSIGNED):
        for statement, column in ((alter, altered), (drop, dropped)):
            execute(warehouse, statement.replace(EXAMPLE, column).replace(CUSTOMERS, table))
    with pytest.raises(AssertionError, match=REFUSED_VALUE):
        load(cube, warehouse, tmp_path)
    for table in (CUSTOMERS, ASSIGNED):
        execute(warehouse, as_number.replace(EXAMPLE, widened).replace(CUSTOMERS, table))
    load(cube, warehouse, tmp_path)

    for table in (CUSTOMERS, ASSIGNED):
        (row,) = (r for r in warehouse.table(f"tap_cube.{table}") if r["customer_id"] == "007")
        assert [row[name] for name in (renamed, altered, dropped)] == [*after[:3]]
        assert (row[f"{renamed}_number"], float(row[widened])) == (10, 1.5)
    assert [row[renamed] for row in warehouse.table("public.report") if row[renamed]] == [10]


def load(cube: Sandbox, warehouse: Warehouse, folder: Path) -> None:
    """Load the whole account as README advises."""
    (settings,) = fenced("README.md", "json", "First load without Meltano")
    path = folder / "target.json"
    path.write_text(warehouse.put_into(settings))
    run([str(SCRIPTS / "target-postgres"), "--config", str(path)], sync(cube).stdout)


def execute(warehouse: Warehouse, statement: str) -> None:
    """Run a statement that returns nothing."""
    with warehouse.database.connect() as connection:
        connection.execute(statement.encode())


def test_an_override_in_meltano_keeps_the_old_type(cube: Sandbox, warehouse: Warehouse) -> None:
    """With the page's `schema` the column stays a number, and other values stand beside it."""
    number = cube.account.add_definition(CRM, "Rabatt", type="text")
    cube.account.add_customer(CRM, customer_id="007", custom={number: "12,5"})
    cube.account.add_customer(CRM, customer_id="008", custom={number: "ti prosent"})
    column = f"crm__custom_info__{number}"
    (override,) = fenced(PAGE, "yaml", SECTION)
    _, schema = override.replace(EXAMPLE, column).split("  - name: tap-cube\n")
    with meltano_project(cube, warehouse.database) as project:
        path = project.folder / "meltano.yml"
        head, own, rest = path.read_text().partition("    use_cached_catalog:")
        path.write_text(f"{head}{schema}{own}{rest}")
        project.run("tap-cube", "target-postgres")
    assert warehouse.columns("tap_cube", CUSTOMERS)[column] == "numeric"
    assert warehouse.columns("tap_cube", ASSIGNED)[column] == "text"
    found = warehouse.rows(
        f"SELECT {column}::float AS value, unparsed_values AS others FROM tap_cube.{CUSTOMERS} "  # noqa: S608 - names of our own
        "WHERE customer_id IN ('007', '008') ORDER BY customer_id"
    )
    assert [row["value"] for row in found] == [None, None]
    assert json.loads(found[1]["others"]) == {column: "ti prosent"}
