"""Loads into PostgreSQL: a tap and `target-postgres` with a pipe between them."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from cube_sandbox.postgres import fresh_database, postgres
from tests.benchmarks.measure import Usage, ended
from tests.benchmarks.names import AT_ONCE, BATCH, DEFAULT, LOADED
from tests.benchmarks.programs import OURS, PLAIN, STREAM, Reading, tap_cube, written
from tests.benchmarks.race import Measured, Results, Run, race
from tests.benchmarks.server import FULL
from tests.support.tap_process import SCRIPTS, clean_environment
from tests.support.targets import recommended
from tests.support.warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cube_sandbox.postgres import Postgres
    from tests.benchmarks.parts import Plan


def loads(plan: Plan) -> Results:
    """Measure P5, with each load into an empty database; the CPU time is that of tap and target.

    Raises:
        RuntimeError: A program failed, or rows are missing.
    """
    with postgres() as server:

        def run(
            program: str, setting: str, command: Sequence[str], settings: Mapping[str, Any]
        ) -> Run:
            return Run(program, setting, partial(_into_empty, server, command, settings, plan))

        record = tap_cube(plan.reading(AT_ONCE, FULL, LOADED))
        batch = _batching(plan.reading(AT_ONCE, FULL, BATCH))
        plain = PLAIN.command(plan.reading(AT_ONCE, FULL, DEFAULT))
        return race(
            [
                run(OURS.name, LOADED, record, recommended()),
                run(OURS.name, BATCH, batch, recommended()),
                run(PLAIN.name, DEFAULT, plain, {}),
            ],
            plan.rounds,
        )


def _into_empty(
    server: Postgres, command: Sequence[str], settings: Mapping[str, Any], plan: Plan
) -> Measured:
    with fresh_database(server) as database:
        warehouse = Warehouse(database)
        return Measured(load(command, settings, warehouse, plan.records, plan.folder), plan.records)


def _batching(reading: Reading) -> list[str]:
    reading.folder.mkdir(parents=True, exist_ok=True)
    batches: dict[str, Any] = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": reading.folder.as_uri(), "prefix": "customers-"},
    }
    return tap_cube(reading, {"batch_config": batches})


def load(
    command: Sequence[str],
    loader: Mapping[str, Any],
    warehouse: Warehouse,
    records: int,
    folder: Path,
) -> Usage:
    """Load the output of a tap, and count the loaded rows.

    Args:
        command: The command of the tap.
        loader: Settings of the target.
        warehouse: The database for the rows.
        records: The expected number of rows.
        folder: The folder for settings and logs.

    Raises:
        RuntimeError: A program failed, or rows are missing.
    """
    settings = {
        "sqlalchemy_url": warehouse.sqlalchemy_url,
        "default_target_schema": "cube",
        **loader,
    }
    config = written(folder, "target.json", settings)
    target_command = [str(SCRIPTS / "target-postgres"), "--config", config]
    begun = time.monotonic()
    with (
        tempfile.TemporaryFile() as tap_log,
        tempfile.TemporaryFile() as target_log,
        subprocess.Popen(  # noqa: S603 - our own commands
            command, stdout=subprocess.PIPE, stderr=tap_log, env=clean_environment()
        ) as tap,
        subprocess.Popen(  # noqa: S603 - our own commands
            target_command,
            stdin=tap.stdout,
            stdout=subprocess.DEVNULL,
            stderr=target_log,
            env=clean_environment(),
        ) as target,
    ):
        assert tap.stdout is not None
        tap.stdout.close()  # so that the tap notices the end of the target
        used = [ended(tap, begun, tap_log), ended(target, begun, target_log)]
    if (arrived := warehouse.count(f"cube.{STREAM}")) != records:
        msg = f"{shlex.join(command)}: {arrived} of {records} rows arrived"
        raise RuntimeError(msg)
    return Usage(used[1].wall, sum(each.cpu for each in used), used[0].resident)
