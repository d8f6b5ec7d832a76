"""The listing, served as Meltano Hub serves it, and the real Meltano that installs by it."""

from __future__ import annotations

import http.server
import json
import subprocess
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest
import yaml
from typing_extensions import override

from cube_sandbox import Sandbox
from tests import hub
from tests.docs import ROOT
from tests.e2e.judges import run
from tests.tap_process import SCRIPTS, SECONDS, clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.e2e.warehouse import Warehouse

pytestmark = pytest.mark.slow

PROJECT = """\
project_id: hub-test
default_environment: dev
send_anonymous_usage_stats: false
hub_api_root: {hub}
cli:
  disable_version_check: true
environments:
- name: dev
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


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """A web server's answers without its log."""

    @override
    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def _hub(folder: Path, wheel: Path) -> Iterator[str]:
    """Serve the committed listing as the Hub's API, the tap's package being a file."""
    definition = yaml.safe_load((hub.FOLDER / "tap-cube.yml").read_text("utf-8"))
    definition["pip_url"] = str(wheel)
    variant = definition["variant"]
    extractors = folder / "plugins/extractors"
    extractors.mkdir(parents=True)
    (extractors / f"tap-cube--{variant}").write_text(json.dumps(definition))
    answer = partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), answer) as server:
        root = f"http://127.0.0.1:{server.server_port}"
        variants = {variant: {"ref": f"{root}/plugins/extractors/tap-cube--{variant}"}}
        defaults = yaml.safe_load((hub.FOLDER / "default_variants.yml").read_text("utf-8"))
        entry = {
            "default_variant": defaults["extractors"]["tap-cube"],
            "logo_url": definition["logo_url"],
            "variants": variants,
        }
        (extractors / "index").write_text(json.dumps({"tap-cube": entry}))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield root
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """The package as it would be published."""
    run([str(SCRIPTS / "uv"), "build", "--quiet", "--wheel", "-o", str(tmp_path), str(ROOT)])
    (built,) = tmp_path.glob("*.whl")
    return built


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Variables that keep Meltano's caches in the test, and uv's where it is."""
    uv_cache = run([str(SCRIPTS / "uv"), "cache", "dir"]).strip()
    return clean_environment() | {
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "UV_CACHE_DIR": uv_cache,
    }


def test_meltano_installs_and_runs_what_the_listing_describes(
    tmp_path: Path, wheel: Path, environment: dict[str, str], warehouse: Warehouse
) -> None:
    """`meltano add` finds the tap in the Hub; it then installs, tells its settings, and loads."""
    project = tmp_path / "project"
    project.mkdir()
    with _hub(tmp_path / "hub", wheel) as root, Sandbox(customers=10) as cube:
        (project / "meltano.yml").write_text(PROJECT.format(hub=root))
        account = {
            "TAP_CUBE_API_URL": cube.url,
            "TAP_CUBE_AUTH_TOKEN": cube.token,
            "TAP_CUBE_ASSIGNMENT_IDS": "[9]",
            "TARGET_POSTGRES_SQLALCHEMY_URL": warehouse.sqlalchemy_url,
        }
        meltano = partial(_meltano, project, environment | account)

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
