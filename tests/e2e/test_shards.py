"""docs/scale.md: shards that are loaded side by side make the tables that one run makes."""

from __future__ import annotations

import json
import shutil
import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from cube_sandbox import Fault, Sandbox
from cube_sandbox.meltano_project import meltano_project
from tap_cube.streams.registry import RUN_LOG
from tests.repository.docs import ROOT
from tests.support.documented import fenced, shell
from tests.support.judges import DAGSTER, run
from tests.support.runs import sync
from tests.support.sizes import only_large
from tests.support.tap_process import SCRIPTS, SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from cube_sandbox.faults import Request
    from tests.support.warehouse import Warehouse

pytestmark = [pytest.mark.slow, only_large]

PAGE = "docs/scale.md"
CRMS = [{"id": 2, "crm_types": ["B2B", "B2C"]}]
SHARDS = ("tap-cube:crm_2_B2B", "tap-cube:crm_2_B2C")
STATES = ("tap-cube:account", *SHARDS)
DAGSTER_SETTINGS = """
telemetry: {enabled: false}
compute_logs:  # by default, each step's log is mirrored by `tail`, which is killed at its end
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""


def rows(warehouse: Warehouse, schema: str) -> dict[str, Counter[str]]:
    """The rows of every table of the account, without what the target adds to each."""
    tables = warehouse.rows("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])
    return {
        name: Counter(
            json.dumps(
                {key: row[key] for key in sorted(row) if not key.startswith("_sdc_")}, default=str
            )
            for row in warehouse.table(f"{schema}.{name}")
        )
        for (name,) in (table.values() for table in tables)
        if name != RUN_LOG
    }


def types(warehouse: Warehouse, schema: str) -> dict[str, dict[str, str]]:
    """The type of every column of every table of a schema."""
    return {name: warehouse.columns(schema, name) for name in rows(warehouse, schema)}


class Meeting:
    """Holds the second pages of the CRMs until all are asked for, as a single run never does."""

    def __init__(self) -> None:
        """Nobody is here yet."""
        self.present: set[str] = set()
        self._change = threading.Condition()

    def __call__(self, request: Request) -> None:
        """Hold a request."""
        if (request.row, request.page) == ("C2", 2):
            with self._change:
                self.present.add(request.path)
                self._change.notify_all()
                assert self._change.wait_for(lambda: len(self.present) == len(SHARDS), SECONDS)


def test_shards_make_the_tables_of_one_run(warehouse: Warehouse, tmp_path: Path) -> None:
    """One by hand, then all by Dagster at once, one twice: rows and types are the single run's."""
    DAGSTER.install()
    with Sandbox(customers=12, page_size=5, anonymised=1) as cube:
        single = sync(cube, assignment_ids=[], data_owners=CRMS)
        target = {
            "sqlalchemy_url": warehouse.utc_url,
            "default_target_schema": "single",
            "load_method": "upsert",
            "validate_records": False,
            "use_copy": True,  # as `meltano.yml` has it: it writes 3 as 3.0
        }
        settings = tmp_path / "target.json"
        settings.write_text(json.dumps(target))
        run([str(SCRIPTS / "target-postgres"), "--config", str(settings)], single.stdout)

        (tmp_path / "dagster.yaml").write_text(DAGSTER_SETTINGS)
        with meltano_project(
            cube,
            warehouse.database,
            TAP_CUBE_ASSIGNMENT_IDS="[]",
            TAP_CUBE_DATA_OWNERS=json.dumps(CRMS),
            TAP_CUBE_MAX_RETRIES="0",
            TAP_CUBE_REQUEST_TIMEOUT=str(2 * SECONDS),
            TAP_CUBE__SELECT='["*.*", "!*_details.*"]',
            DAGSTER_HOME=str(tmp_path),
        ) as project:
            shutil.copy(ROOT / "examples/dagster_shards.py", project.folder)
            path = f"{project.environment['PATH']}:{DAGSTER.program.parent}"
            by_hand, by_dagster = fenced(PAGE, "sh")
            shell(by_hand, project.folder, project.environment)
            assert warehouse.count("tap_cube.data_owner_customers") == 12
            cube.before_request = Meeting()
            cube.faults = [Fault("503", row="C2", page=2, times=1)]
            said = shell(by_dagster, project.folder, {**project.environment, "PATH": path})
            states = shell("meltano state list", project.folder, project.environment)
    assert said.count("STEP_UP_FOR_RETRY") == 1
    assert "UndefinedTable" not in said
    assert "already exists" not in said
    assert all(state in states.splitlines() for state in STATES), states
    assert rows(warehouse, "tap_cube") == rows(warehouse, "single")
    assert types(warehouse, "tap_cube") == types(warehouse, "single")
