"""The dbt models: the real dbt builds them, and every mart is compared with the account."""

from __future__ import annotations

import re
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from cube_sandbox import Sandbox
from cube_sandbox.faults import Fault
from cube_sandbox.meltano_project import meltano_project
from tests.repository.docs import ROOT
from tests.support.books import Books, check_marts, with_a_past
from tests.support.documented import fenced
from tests.support.erasing import Pipeline, deleting
from tests.support.judges import TARGET_DUCKDB
from tests.support.runs import CRM
from tests.support.sizes import only_large
from tests.support.stored import SCHEMA, Place
from tests.support.tap_process import SCRIPTS, SECONDS, clean_environment
from tests.support.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.target import Target
    from tests.support.warehouse import Warehouse

pytestmark = pytest.mark.slow

HINT = "Sier 'ja' eller \"nei\";\n{{ ikke }} $$ mer -- enn det"
"""What an administrator may write, and SQL, YAML or Jinja may take for their own."""
WATCHES = fenced("docs/operations.md", "sh", "What to alert on")[0].split()[1:]
LAST, MISSING = "cube_last_run_is_complete", "cube_no_night_is_missing"
THREE_DAYS_EARLIER = f"""
    UPDATE {SCHEMA}.run_log
    SET run_id = CAST(CAST(substr(run_id, 1, 10) AS date) - 3 AS varchar) || substr(run_id, 11)
    RETURNING run_id
"""  # noqa: S608 - a name of our own
UNDESCRIBED = """
    SELECT attrelid::regclass, attname FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid
    WHERE relnamespace = 'models'::regnamespace AND relkind IN ('r', 'v') AND attnum > 0
    AND NOT attisdropped AND col_description(attrelid, attnum) IS NULL
"""
(DUCKDB,) = (each for each in TARGETS if each.name == "target-duckdb")


@pytest.fixture
def cube() -> Iterator[Sandbox]:
    """An account of some weeks."""
    with Sandbox(customers=20, outcomes=50, page_size=15) as sandbox:
        yield sandbox


class Models:
    """The models on the tables of a target.

    Args:
        place: Where the tables are.
        target: What loads them: PostgreSQL or DuckDB.
    """

    def __init__(self, place: Place, target: Target) -> None:
        """Build beside the tables, in a schema of their own."""
        self._place, self._is_duckdb = place, target is DUCKDB
        database = place.warehouse.database
        self._environment = clean_environment() | {
            "DBT_PROJECT_DIR": str(ROOT / "dbt"),
            "DBT_PROFILES_DIR": str(ROOT / "dbt"),
            "DBT_TARGET_PATH": str(place.folder / "target"),
            "DBT_LOG_PATH": str(place.folder / "logs"),
            "DBT_TARGET": "duckdb" if self._is_duckdb else "postgres",
            "DBT_DUCKDB_PATH": str(place.folder / "tables.duckdb"),
            "DBT_DUCKDB_SCHEMA": "models",
            "DBT_POSTGRES_SCHEMA": "models",
            "TARGET_POSTGRES_SQLALCHEMY_URL": database.sqlalchemy_url,
        }

    def build(self, *arguments: str, fails_in: tuple[str, ...] = (), **variables: object) -> None:
        """Run `dbt build`, or what is given, to an end that is good, or fails in these tests."""
        chosen = str({"cube_schema": SCHEMA, **variables})
        done = subprocess.run(  # noqa: S603 - our own command
            [SCRIPTS / "dbt", "--no-use-colors", *(arguments or ["build"]), "--vars", chosen],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == bool(fails_in), done.stdout
        assert {*re.findall(r" FAIL [0-9]+ (\w+) ", done.stdout)} == {*fails_in}, done.stdout

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The rows that a query finds among the models."""
        if not self._is_duckdb:
            with self._place.warehouse.database.connect() as connection:
                connection.execute(b"SET search_path TO models")
                found = connection.execute(query.encode())
                names = [column.name for column in found.description or ()]
                return [dict(zip(names, row, strict=True)) for row in found]
        with closing(duckdb.connect(str(self._place.folder / "tables.duckdb"))) as tables:
            tables.execute("USE models")
            answer = tables.execute(query)
            names = [column[0] for column in answer.description or ()]
            return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def customers(self) -> dict[str, dict[str, Any]]:
        """The customers of one CRM, by id."""
        found = self.ask("SELECT * FROM cube_customers WHERE data_owner_id = 2")
        return {row["customer_id"]: row for row in found if row["crm_type"] == CRM[1]}


def test_meltano_loads_and_builds(cube: Sandbox, warehouse: Warehouse) -> None:
    """README's line, from the account to the marts; the pages' queries find what they say."""
    books = with_a_past(cube)
    (command,) = fenced("README.md", "sh", "From tables to answers")
    with meltano_project(cube, warehouse.database) as project:
        said = project.run(*command.partition(" meltano run ")[2].split())
    assert "WARN=0 ERROR=0" in said

    def ask(query: str) -> list[dict[str, Any]]:
        return warehouse.rows(query.replace("FROM ", "FROM cube."))

    check_marts(ask, books)
    for query in fenced("docs/queries.md", "sql", "Ask")[0].split(";\n")[:-1]:
        assert warehouse.rows(query)
    incomplete, runs = fenced("docs/operations.md", "sql", "Without dbt")
    assert warehouse.rows(incomplete) == []
    (run,) = warehouse.rows(runs)
    (built,) = ask("SELECT * FROM cube_runs")
    assert (built["complete"], built["incomplete_lists"]) == (True, run["incomplete"])
    assert built["run_id"] == run["run_id"]
    assert 0 < built["requests"] == run["requests"] < len(cube.requests)  # Meltano discovers, too


@only_large
@pytest.mark.parametrize("target", [deleting(is_hard=False), DUCKDB], ids=["postgres", "duckdb"])
def test_models_follow_the_account(
    cube: Sandbox, warehouse: Warehouse, tmp_path: Path, target: Target
) -> None:
    """Fields are added, renamed and deleted, people are erased, and a night fails or is missing."""
    TARGET_DUCKDB.install()
    books, account = with_a_past(cube), cube.account
    first, second, erased = account.customer_ids(CRM)[:3]
    number = account.add_definition(CRM, "Ekstra rabatt på", type="number", hint=HINT)
    old = account.add_definition(CRM, "Gammelt")
    account.update_customer(CRM, first, custom={number: "12.5", old: "verdi"})
    place = Place(tmp_path, warehouse, "")
    pipeline, models = Pipeline(cube, place, target), Models(place, target)
    pipeline.nightly()
    models.build()
    check_marts(models.ask, books)
    customer = models.customers()[first]
    assert float(customer["custom__ekstra_rabatt_pa"]) == pytest.approx(12.5)
    assert customer["custom__gammelt"] == "verdi"
    comment = f'Custom field "Ekstra rabatt på". {HINT}'
    assert _comment(models, target, "custom__ekstra_rabatt_pa") == comment
    if target is not DUCKDB:
        assert models.ask(UNDESCRIBED) == []

    added = account.add_definition((2, "B2C"), "Ekstra rabatt på", type="number")
    of_b2c = account.customer_ids((2, "B2C"))[0]
    account.update_customer((2, "B2C"), of_b2c, custom={added: "7"})
    account.rename_definition(CRM, number, "Rabatt i året")
    account.delete_definition(CRM, old)
    account.update_customer(CRM, second, name="Nytt AS", custom={number: "3"})
    is_erasing = target is not DUCKDB  # target-duckdb deletes nothing
    if is_erasing:
        account.anonymise(CRM, erased)
    pipeline.weekly()
    models.build()
    check_marts(models.ask, Books(cube.database))
    customers = models.customers()
    assert ("custom__gammelt" in customers[second]) != is_erasing
    assert customers[second]["name"] == "Nytt AS"
    assert float(customers[second]["custom__rabatt_i_aret"]) == 3
    assert customers[second]["custom__ekstra_rabatt_pa"] is None  # of the other CRM
    assert (erased in customers) != is_erasing
    found = models.ask(f"SELECT * FROM cube_customers WHERE customer_id = '{of_b2c}'")  # noqa: S608 - an id of our own
    assert 7 in {row["custom__ekstra_rabatt_pa"] for row in found if row["crm_type"] == "B2C"}

    cube.faults = [Fault("500", row="C2", page=2)]
    pipeline.load(pipeline.read(may_fail=True, max_retries=0))
    models.build(*WATCHES, fails_in=(LAST,))
    cube.faults = []
    pipeline.nightly()
    models.build(*WATCHES)
    models.ask(THREE_DAYS_EARLIER)
    models.build(*WATCHES, fails_in=(MISSING,))
    models.build("source", "freshness")


def _comment(models: Models, target: Target, column: str) -> str:
    """What the database says of a column of the customers."""
    if target is DUCKDB:
        query = (
            "SELECT comment FROM duckdb_columns() WHERE column_name = '{}' AND table_name = '{}'"
        )
    else:
        query = (
            "SELECT col_description(attrelid, attnum) AS comment FROM pg_attribute "
            "WHERE attname = '{}' AND attrelid = '{}'::regclass"
        )
    (found,) = models.ask(query.format(column, "stg_cube__customers"))
    text: str = found["comment"]
    return text
