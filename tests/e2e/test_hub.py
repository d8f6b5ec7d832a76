"""The listing, served as Meltano Hub serves it, and the real Meltano that installs by it."""

from __future__ import annotations

import subprocess
from functools import partial
from typing import TYPE_CHECKING

import pytest
import yaml

from cube_sandbox import Sandbox
from tests.repository import hub
from tests.support.loopback_hub import PROJECT, committed_listing, serving
from tests.support.tap_process import SCRIPTS, SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping
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


def test_meltano_installs_and_runs_what_the_listing_describes(
    tmp_path: Path, wheel: Path, with_own_caches: dict[str, str], warehouse: Warehouse
) -> None:
    """`meltano add` finds the tap in the Hub; it then installs, tells its settings, and loads."""
    project = tmp_path / "project"
    project.mkdir()
    with (
        serving(tmp_path / "hub", extractors=committed_listing(wheel)) as root,
        Sandbox(customers=10) as cube,
    ):
        (project / "meltano.yml").write_text(PROJECT.format(hub=root) + LOADERS)
        account = {
            "TAP_CUBE_API_URL": cube.url,
            "TAP_CUBE_AUTH_TOKEN": cube.token,
            "TAP_CUBE_ASSIGNMENT_IDS": "[9]",
            "TARGET_POSTGRES_SQLALCHEMY_URL": warehouse.sqlalchemy_url,
        }
        meltano = partial(_meltano, project, with_own_caches | account)

        meltano("add", "--no-install", "--plugin-type", "extractor", "tap-cube")
        meltano("install", "--plugin-type", "extractor", "tap-cube")
        # As the listing's own text says.
        meltano("config", "set", "tap-cube", "_use_cached_catalog", "false")
        listed = meltano("config", "list", "tap-cube")
        assert "Group 1: api_url, auth_token\n  Group 2: api_url, password, username" in listed
        assert "auth_token (required by group 1) [env: TAP_CUBE_AUTH_TOKEN]" in listed
        assert cube.token not in listed
        assert "Plugin configuration is valid" in meltano("config", "test", "tap-cube")
        meltano("run", "tap-cube", "target-postgres")

    (extractor,) = yaml.safe_load((project / "meltano.yml").read_text())["plugins"]["extractors"]
    assert extractor == {
        "name": "tap-cube",
        "variant": hub.OWNER.lower(),
        "pip_url": str(wheel),
        "use_cached_catalog": False,
    }
    assert warehouse.count("tap_cube.assignment_customers") == 10
    assert warehouse.count("tap_cube.data_owner_customers") == 30


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
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
