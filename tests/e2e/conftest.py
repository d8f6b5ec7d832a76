"""A server and a wheel a session, an empty database a test, and long tests before all others."""

from __future__ import annotations

import contextlib
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
import requests

from cube_sandbox.postgres import Postgres, fresh_database, postgres
from tests.repository.docs import ROOT
from tests.support.judges import TARGET_S3, run
from tests.support.tap_process import SCRIPTS, SECONDS, clean_environment
from tests.support.warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cube_sandbox import Sandbox


@pytest.fixture
def cube(running: Sandbox) -> Sandbox:
    """The account that a module keeps `running`, as it was in the beginning."""
    running.reset()
    return running


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


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as it would be published."""
    folder = tmp_path_factory.mktemp("wheel")
    run([str(SCRIPTS / "uv"), "build", "--quiet", "--wheel", "-o", str(folder), str(ROOT)])
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture
def with_own_caches(tmp_path: Path) -> dict[str, str]:
    """Variables that keep Meltano's caches in the test, and uv's where it is.

    What a test installs it runs a few times: Python compiles only the modules that it imports.
    """
    uv_cache = run([str(SCRIPTS / "uv"), "cache", "dir"]).strip()
    return clean_environment() | {
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "UV_CACHE_DIR": uv_cache,
        "UV_COMPILE_BYTECODE": "0",
    }


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[str]:
    """The address of an empty bucket that speaks S3."""
    TARGET_S3.install()
    said = tmp_path / "moto.log"
    with (
        said.open("wb") as log,
        subprocess.Popen(  # noqa: S603 - our own command
            [TARGET_S3.program.with_name("moto_server"), "-H", "127.0.0.1", "-p", "0"],
            env=clean_environment(),
            stdout=log,
            stderr=log,
        ) as server,
    ):
        try:
            while not (found := re.search(r"http://127\.0\.0\.1:\d+", said.read_text())):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    assert server.wait(0.1) is None, said.read_text()
            url = f"{found[0]}/cube"
            requests.put(url, timeout=SECONDS).raise_for_status()
            yield url
        finally:
            server.kill()


@pytest.hookimpl(trylast=True)  # after the shuffle, whose order stays otherwise
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have no worker begin a long test when the others have nothing left to do."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
