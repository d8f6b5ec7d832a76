"""The listing as Meltano Hub serves it, the definition for `--from-ref`, and the real Meltano."""

from __future__ import annotations

import subprocess
from functools import partial
from typing import TYPE_CHECKING, Protocol

import pytest
import yaml

from cube_sandbox import Sandbox
from tests.repository import hub
from tests.support.loopback_hub import PROJECT, committed_definition, committed_listing, serving
from tests.support.sizes import IS_LARGE, only_large
from tests.support.tap_process import SCRIPTS, SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.support.warehouse import Warehouse

pytestmark = pytest.mark.slow

LOADERS = """\
plugins:
  loaders:
  - name: target-postgres
    namespace: target_postgres
    executable: target-postgres
    settings:
    - name: sqlalchemy_url
      sensitive: true
    - name: default_target_schema
      value: $MELTANO_EXTRACT__LOAD_SCHEMA
    - name: load_method
      value: upsert
"""


TOLD = (
    "Group 1: api_url, auth_token\n  Group 2: api_url, password, username",
    "auth_token (required by group 1) [env: TAP_CUBE_AUTH_TOKEN]",
)


class Meltano(Protocol):
    """Runs Meltano to an end that must be good, and returns all it printed."""

    def __call__(self, *arguments: str) -> str:
        """Run it in the project."""


@pytest.fixture
def cube() -> Iterator[Sandbox]:
    """An account of three CRMs."""
    with Sandbox(customers=10) as sandbox:
        yield sandbox


@pytest.fixture
def pip_url(request: pytest.FixtureRequest) -> str:
    """Where the listing says that the package is: the wheel, for those who install it."""
    return str(request.getfixturevalue("wheel")) if IS_LARGE else "tap-cube"


@pytest.fixture
def project(
    tmp_path: Path, cube: Sandbox, pip_url: str, with_own_caches: dict[str, str]
) -> Iterator[Meltano]:
    """A project to which `meltano add` has added what it found in the Hub."""
    folder = tmp_path / "project"
    folder.mkdir()
    with serving(tmp_path / "hub", extractors=committed_listing(pip_url)) as root:
        (folder / "meltano.yml").write_text(PROJECT.format(hub=root) + LOADERS)
        meltano = partial(_meltano, folder, with_own_caches | _account(cube))
        meltano("add", "--no-install", "--plugin-type", "extractor", "tap-cube")
        yield meltano


@pytest.fixture
def referred(
    tmp_path: Path, cube: Sandbox, pip_url: str, with_own_caches: dict[str, str]
) -> Meltano:
    """A project that asks no Hub, to which `meltano add --from-ref` has added the definition."""
    (tmp_path / "tap-cube.yml").write_text(yaml.safe_dump(committed_definition(pip_url)))
    (tmp_path / "meltano.yml").write_text(PROJECT.format(hub="http://127.0.0.1:9") + LOADERS)
    meltano = partial(_meltano, tmp_path, with_own_caches | _account(cube))
    add = ("add", "--no-install", "--plugin-type", "extractor", "tap-cube")
    meltano(*add, "--from-ref", "tap-cube.yml")
    return meltano


@pytest.mark.usefixtures("referred")
def test_a_reference_brings_selection_and_no_cached_catalog(tmp_path: Path, pip_url: str) -> None:
    """Meltano itself would drop both; the definition has a form in which it keeps them."""
    (extractor,) = yaml.safe_load((tmp_path / "meltano.yml").read_text())["plugins"]["extractors"]
    assert (
        extractor.items()
        >= {
            "pip_url": pip_url,
            "select": ["*.*", "!*_details.*"],
            "use_cached_catalog": False,
        }.items()
    )
    secret = {each["name"] for each in extractor["settings"] if each.get("sensitive")}
    assert secret == {"auth_token", "password"}


@only_large
def test_meltano_knows_installs_and_runs_what_the_listing_describes(
    tmp_path: Path, cube: Sandbox, pip_url: str, project: Meltano, warehouse: Warehouse
) -> None:
    """`meltano add` finds the tap in the Hub; Meltano tells its settings, installs it and loads."""
    # As the listing's own text says.
    project("config", "set", "tap-cube", "_use_cached_catalog", "false")
    listed = project("config", "list", "tap-cube")
    assert all(text in listed for text in TOLD)
    assert cube.token not in listed
    plugins = yaml.safe_load((tmp_path / "project/meltano.yml").read_text())["plugins"]
    assert plugins["extractors"] == [
        {
            "name": "tap-cube",
            "variant": hub.ACCOUNT.lower(),
            "pip_url": pip_url,
            "use_cached_catalog": False,
        }
    ]

    project("install", "--plugin-type", "extractor", "tap-cube")
    assert "Plugin configuration is valid" in project("config", "test", "tap-cube")
    project("config", "set", "target-postgres", "sqlalchemy_url", warehouse.utc_url)
    project("run", "tap-cube", "target-postgres")
    assert warehouse.count("tap_cube.assignment_customers") == 10
    assert warehouse.count("tap_cube.data_owner_customers") == 30
    assert warehouse.columns("tap_cube", "data_owner_customer_details") == {}


def _account(cube: Sandbox) -> dict[str, str]:
    """The variables that let the tap read the account."""
    return {
        "TAP_CUBE_API_URL": cube.url,
        "TAP_CUBE_AUTH_TOKEN": cube.token,
        "TAP_CUBE_ASSIGNMENT_IDS": "[9]",
    }


def _meltano(project: Path, environment: Mapping[str, str], *arguments: str) -> str:
    """Run Meltano to an end that must be good, and return all it printed."""
    done = subprocess.run(  # noqa: S603 - our own command
        [SCRIPTS / "meltano", *arguments],
        cwd=project,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=2 * SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
