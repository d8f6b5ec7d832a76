"""Loads into PostgreSQL: a tap and `target-postgres` with a pipe between them.

Our tap's loads have the settings of the loader that `meltano.yml` recommends; those of the plain
tap have the loader's defaults.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from cube_sandbox.postgres import fresh_database, postgres
from tests.benchmarks.measure import Usage, ended, middle
from tests.benchmarks.parts import BATCH, RECORD
from tests.benchmarks.programs import OURS, PLAIN, STREAM, Reading, tap_cube
from tests.benchmarks.race import LOGGER, Result
from tests.benchmarks.server import FULL, served
from tests.support.tap_process import SCRIPTS, clean_environment
from tests.support.targets import recommended
from tests.support.warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.benchmarks.parts import Plan


def loads(plan: Plan) -> list[Result]:
    """Measure P5, with each load into an empty database; the CPU time is that of tap and target.

    Raises:
        RuntimeError: A program failed, or rows are missing.
    """
    with served(plan.records) as urls, postgres() as server:
        loads = {
            (OURS.name, RECORD): tap_cube(plan.reading(urls[0], FULL, RECORD)),
            (OURS.name, BATCH): _batching(plan.reading(urls[0], FULL, BATCH)),
            (PLAIN.name, RECORD): PLAIN.command(plan.reading(urls[0], FULL, PLAIN.name)),
        }
        targets = {OURS.name: recommended(), PLAIN.name: {}}
        usages: defaultdict[tuple[str, str], list[Usage]] = defaultdict(list)
        for _ in range(plan.rounds):
            for entry, command in loads.items():
                with fresh_database(server) as database:
                    settings = {**address(Warehouse(database)), **targets[entry[0]]}
                    usage = load(command, settings, plan.folder)
                    check_rows(Warehouse(database), entry, plan.records)
                LOGGER.info("%-14s %-14s %7.2f s wall %7.2f s CPU", *entry, usage.wall, usage.cpu)
                usages[entry].append(usage)
        return [
            Result(*entry, plan.records, plan.rounds, middle(found))
            for entry, found in usages.items()
        ]


def _batching(reading: Reading) -> list[str]:
    reading.folder.mkdir(parents=True, exist_ok=True)
    batches: dict[str, Any] = {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": reading.folder.as_uri(), "prefix": "customers-"},
    }
    return tap_cube(reading, {"batch_config": batches})


def address(warehouse: Warehouse) -> dict[str, object]:
    """Where the loader puts the rows."""
    return {"sqlalchemy_url": warehouse.sqlalchemy_url, "default_target_schema": "cube"}


def check_rows(warehouse: Warehouse, entry: tuple[str, str], records: int) -> None:
    """Count the loaded rows.

    Raises:
        RuntimeError: Some are missing.
    """
    if (arrived := warehouse.count(f"cube.{STREAM}")) != records:
        msg = f"{' '.join(entry)}: {arrived} of {records} rows arrived"
        raise RuntimeError(msg)


def load(command: Sequence[str], settings: Mapping[str, object], folder: Path) -> Usage:
    """Load the output of a tap.

    Args:
        command: The command of the tap.
        settings: The settings of the loader.
        folder: The folder for settings.

    Returns:
        The wall time of the load, the CPU time of tap and loader, and the memory of the tap.

    Raises:
        RuntimeError: A program failed.
    """
    config = Reading("", FULL, folder).write("target.json", settings)
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
    return Usage(used[1].wall, sum(each.cpu for each in used), used[0].resident)
