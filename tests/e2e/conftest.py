"""One PostgreSQL a session, one empty database a test, and long tests before all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cube_sandbox.postgres import Postgres, fresh_database, postgres
from tests.e2e.warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A PostgreSQL server that lives as long as the session."""
    with postgres() as server:
        yield server


@pytest.fixture
def warehouse(postgres_server: Postgres) -> Iterator[Warehouse]:
    """An empty database that is dropped after the test."""
    with fresh_database(postgres_server) as database:
        yield Warehouse(database)


@pytest.hookimpl(trylast=True)  # after the shuffle, whose order stays otherwise
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have no worker begin a long test when the others have nothing left to do."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
