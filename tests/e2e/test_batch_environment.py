"""The project's Meltano environment `batch`: files every night, and the tables of messages."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Sandbox
from cube_sandbox.meltano_project import MeltanoProject, meltano_project
from cube_sandbox.postgres import Postgres, fresh_database
from tap_cube.streams.registry import RUN_LOG
from tests.support.pipe import load
from tests.support.sizes import only_large
from tests.support.warehouse import TABLES, Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

B2B = (2, "B2B")
pytestmark = pytest.mark.slow

PLUGINS = ("tap-cube", "target-postgres")
OF_THE_TARGET = {
    "_sdc_batched_at",
    "_sdc_deleted_at",
    "_sdc_extracted_at",
    "_sdc_received_at",
    "_sdc_sequence",
    "_sdc_sync_started_at",
    "_sdc_table_version",
}

Content = dict[str, list[dict[str, Any]]]
OF_ACCOUNT = [name for name in TABLES if name != RUN_LOG]
"""The tables that a load fills by files; the record of the run is messages."""


@pytest.fixture
def cube() -> Iterator[Sandbox]:
    """An account in transition, with all that happened in it."""
    with Sandbox(customers=30, outcomes=20) as sandbox:
        yield sandbox


@pytest.fixture
def other(postgres_server: Postgres) -> Iterator[Warehouse]:
    """A second empty database."""
    with fresh_database(postgres_server) as database:
        yield Warehouse(database)


def content(warehouse: Warehouse) -> Content:
    """Every table without the target's own columns, in an order of its own."""
    return {
        name: sorted(
            (
                {column: value for column, value in row.items() if column not in OF_THE_TARGET}
                for row in warehouse.table(f"tap_cube.{name}")
            ),
            key=lambda row: repr(sorted(row.items())),
        )
        for name in OF_ACCOUNT
    }


def files_of(project: MeltanoProject) -> set[Path]:
    """The files in the folder that the environment names."""
    return set((project.folder / ".meltano" / "batches").iterdir())


def rows_in(files: set[Path]) -> int:
    """How many records lie in files."""
    lines = [line for file in files for line in gzip.decompress(file.read_bytes()).splitlines()]
    return sum(isinstance(json.loads(line), dict) for line in lines)


@only_large
def test_nights_by_files_load_what_messages_load_and_leave_the_last_files(
    cube: Sandbox, warehouse: Warehouse, other: Warehouse
) -> None:
    """Equal rows, values and types. Each night removes the files of those before, and no others."""
    config = {"api_url": cube.url, "auth_token": cube.token}
    with meltano_project(cube, warehouse.database, MELTANO_ENVIRONMENT="batch") as by_files:
        by_messages = load(config, other, "tap_cube")
        by_files.run(*PLUGINS)
        loaded = content(warehouse)
        assert loaded == content(other)
        first = files_of(by_files)
        assert sum(map(len, loaded.values())) == rows_in(first)
        assert {path.parent.stat().st_mode & 0o777 for path in first} == {0o700}
        foreign = min(first).with_name("tap-cube--campaigns-5f0c2a9e41d7b386-1-1.json.gz")
        foreign.write_bytes(min(first).read_bytes())

        changed, *_ = cube.account.customer_ids(B2B)
        number = cube.account.add_definition(B2B, "Rabatt", type="number")
        cube.account.update_customer(B2B, changed, name="Ny", custom={number: "12.5"})
        by_messages = load(config, other, "tap_cube", state=by_messages.state)
        by_files.run(*PLUGINS)
        assert content(warehouse) == content(other)
        customers = content(warehouse)["data_owner_customers"]
        assert len(customers) == len(loaded["data_owner_customers"])
        values = {row[f"crm__custom_info__{number}"] for row in customers} - {None}
        assert [*map(float, values)] == [12.5]
        second = files_of(by_files) - {foreign}
        assert second
        assert not first & second

        # Without the state the tap does not know which files it has written. Meltano merges the
        # new state over the one before, so the night after knows both.
        load(config, other, "tap_cube")
        by_files.run("--full-refresh", *PLUGINS)
        third = files_of(by_files)
        assert second | {foreign} < third
        by_files.run(*PLUGINS)
        assert not files_of(by_files) & (third - {foreign})
        assert foreign.exists()
        assert content(warehouse) == content(other)
    for name in OF_ACCOUNT:
        own = {
            column: value
            for row in warehouse.table(f"tap_cube.{name}")
            for column, value in row.items()
            if column.startswith("_sdc_") and value is not None
        }
        assert own.keys() == {"_sdc_extracted_at", "_sdc_table_version"}
        assert warehouse.columns("tap_cube", name) == other.columns("tap_cube", name)
