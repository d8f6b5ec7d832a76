"""docs/erasure.md: people who are erased in Cube leave the warehouse."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from cube_sandbox import Sandbox
from cube_sandbox.meltano_project import meltano_project
from tests.support.batch_runs import into
from tests.support.documented import fenced, shell
from tests.support.erasing import PIPELINEWISE, Pipeline, deleting
from tests.support.judges import TARGET_POSTGRES_PIPELINEWISE
from tests.support.lives import Lives
from tests.support.sizes import only_large
from tests.support.stored import SCHEMA, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.held import Row
    from tests.support.warehouse import Warehouse

pytestmark = pytest.mark.slow

PAGE = "docs/erasure.md"
PURGE, FULL_LOADS, COMPARE = fenced(PAGE, "sql")

WAYS = [
    ("deleted", "files", "state", ""),
    ("marked", "messages", "refresh", "details"),
]
"""What the target does with rows, and how they come."""


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    """Run a small account."""
    with Sandbox(customers=8, outcomes=40, page_size=5, anonymised=1, undated=1) as cube:
        yield cube


@pytest.fixture
def place(tmp_path: Path, warehouse: Warehouse) -> Place:
    """An empty database."""
    return Place(tmp_path, warehouse, "")


def in_schema(sql: str) -> str:
    """A statement of the page for the schema of the tests."""
    return sql.replace("tap_cube", SCHEMA)


def full_loads(warehouse: Warehouse) -> list[Row]:
    """What the page's query says of each table."""
    function, query = in_schema(FULL_LOADS).rsplit("\n\n", 1)
    with warehouse.database.connect() as connection:
        connection.execute(function.encode())
        names = ("table_name", "began", "live", "older", "marked")
        return [dict(zip(names, row, strict=True)) for row in connection.execute(query.encode())]


@only_large  # by default, tests of the tap's messages alone
@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_after_a_full_load_the_tables_hold_what_the_account_holds(
    cube: Sandbox, place: Place, way: tuple[str, str, str, str]
) -> None:
    """Whatever happened in the account: every row, no other, and no value of who has gone."""
    fate, form, start, details = way
    lives = Lives(cube, random.Random(repr(way)))
    settings = into(place.folder / "files") if form == "files" else {}
    target = deleting(is_hard=fate == "deleted")
    pipeline = Pipeline(cube, place, target, bool(details), settings)
    pipeline.nightly()
    lives.go_on(20)
    pipeline.nightly()
    lives.go_on(20)
    if start == "state":
        pipeline.weekly()
    else:
        pipeline.refresh()
    pipeline.check(lives, is_live=fate == "marked")
    assert {row["older"] for row in full_loads(place.warehouse)} == {0}


def test_marked_rows_go_when_their_time_of_grace_is_over(warehouse: Warehouse) -> None:
    """The page's statement deletes those that were marked more than seven days ago, in UTC."""
    table = """
        CREATE SCHEMA tap_cube;
        CREATE TABLE tap_cube.customers AS
        SELECT age, (now() AT TIME ZONE 'UTC' - age) AS _sdc_deleted_at
        FROM unnest('{null, 6 days 23:30, 7 days 00:30}'::interval[]) AS each(age)
    """
    with warehouse.database.connect() as connection:
        connection.execute(table.encode())
        connection.execute(b"SET TimeZone = 'Europe/Oslo'")
        connection.execute(PURGE.encode())
    ages = [row["age"] for row in warehouse.table("tap_cube.customers")]
    assert ages == [None, timedelta(days=6, hours=23, minutes=30)]


@only_large
def test_a_comparison_of_keys_erases_from_a_target_that_deletes_nothing(
    cube: Sandbox, place: Place
) -> None:
    """After a full load into the tables, and one into an empty schema."""
    TARGET_POSTGRES_PIPELINEWISE.install()
    lives = Lives(cube, random.Random(2))
    pipeline = Pipeline(cube, place, PIPELINEWISE)
    pipeline.nightly()
    lives.go_on(30)
    pipeline.refresh()
    with pytest.raises(AssertionError):
        pipeline.check(lives)
    pipeline.state = None
    pipeline.load(pipeline.read(), f"{SCHEMA}_full")
    with place.warehouse.database.connect() as connection:
        connection.execute(in_schema(COMPARE).encode())
    pipeline.check(lives)


@only_large
def test_the_jobs_of_the_project_erase(cube: Sandbox, place: Place) -> None:
    """`nightly` and `weekly` share their state; a reader runs them by name, with messages."""
    lives = Lives(cube, random.Random("batch"))
    pipeline = Pipeline(cube, place, deleting(is_hard=True))
    settings = {
        "MELTANO_ENVIRONMENT": "batch",
        "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": SCHEMA,
    }
    with meltano_project(cube, place.warehouse.database, **settings) as project:

        def meltano(arguments: str) -> str:
            return shell(f"meltano {arguments}", project.folder, project.environment)

        meltano("schedule run nightly")
        lives.go_on(10)
        meltano("schedule run nightly")
        lives.go_on(10)
        meltano("schedule run weekly")
        pipeline.check(lives, is_live=False)
        states = meltano("state list").splitlines()
    assert "batch:tap-cube-to-target-postgres" in states
    assert len([line for line in states if "to-target-postgres" in line]) == 1
