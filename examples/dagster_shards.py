# /// script
# requires-python = ">=3.11"
# dependencies = ["dagster>=1.13"]
# ///
"""A Dagster job that loads a Cube account with several Meltano runs in parallel.

Each CRM and each assignment is a shard: it has its own run and its own state. In the folder of a
Meltano project: `dagster job execute -f dagster_shards.py -j load_cube`.
"""

import fnmatch
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster import (
    Backoff,
    Definitions,
    DynamicOut,
    DynamicOutput,
    Failure,
    RetryPolicy,
    ScheduleDefinition,
    job,
    multiprocess_executor,
    op,
)

TAP, TARGET, SCHEMA = "tap-cube", "target-postgres", "tap_cube"
ASSIGNED, OWNED = "assignment_customer*", "data_owner_customer*"  # with their details
PARTITION = re.compile(r"(?:assignments/(\d+)|data_owners/(\d+)/(\w+)) has \d+ customers")
RETRIES = RetryPolicy(max_retries=3, delay=5, backoff=Backoff.EXPONENTIAL)


def meltano(*arguments: str, stdin: str | None = None, **environment: str) -> tuple[str, str]:
    """Run a Meltano command and return its output and its log.

    Raises:
        CalledProcessError: The command failed; the log gives the reason.
    """
    done = subprocess.run(  # noqa: S603 - commands of this file
        ["meltano", *arguments],  # noqa: S607 - found by PATH
        env=os.environ | environment,
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    sys.stderr.write(done.stderr)
    done.check_returncode()
    return done.stdout, done.stderr


def shards_of(streams: set[str], log: str) -> Iterator[tuple[str, list[str], dict[str, str]]]:
    """Yield the shards: name, options and settings of a run that reads only this shard.

    Args:
        streams: The selected streams.
        log: The log of discovery: one line for each assignment and CRM that can be read.

    Raises:
        Failure: The log lacks these lines; the load would succeed but be incomplete.
    """
    partitions = PARTITION.findall(log)
    logged = {ASSIGNED if assignment else OWNED for assignment, *_ in partitions}
    wanted = {kind for kind in (ASSIGNED, OWNED) if fnmatch.filter(streams, kind)}
    if missing := wanted - logged:
        msg = f"The log names no shard of {sorted(missing)}: does the tap log at level INFO?"
        raise Failure(msg)
    if streams.difference(*(fnmatch.filter(streams, kind) for kind in wanted)):
        yield "account", [f"--exclude={ASSIGNED}", f"--exclude={OWNED}"], {}
    for assignment, owner, crm_type in partitions:
        if assignment and ASSIGNED in wanted:
            only = settings(assignment_ids=[int(assignment)], data_owners=[])
            yield f"assignment_{assignment}", [f"--select={ASSIGNED}"], only
        elif owner and OWNED in wanted:
            crm = {"id": int(owner), "crm_types": [crm_type]}
            only = settings(assignment_ids=[], data_owners=[crm])
            yield f"crm_{owner}_{crm_type}", [f"--select={OWNED}"], only


def settings(**values: object) -> dict[str, str]:
    """Return settings of the tap as environment variables."""
    return {f"TAP_CUBE_{name.upper()}": json.dumps(value) for name, value in values.items()}


@op(out=DynamicOut(), retry_policy=RETRIES)
def discover() -> Iterator[DynamicOutput[dict[str, Any]]]:
    """Discover the account, create the tables, and yield the shards."""
    catalog, log = meltano("invoke", "--dump=catalog", TAP)
    streams = {
        entry["stream"]
        for entry in json.loads(catalog)["streams"]
        for part in entry["metadata"]
        if not part["breadcrumb"] and part["metadata"].get("selected")
    }
    create_tables(catalog, streams)
    for name, options, environment in shards_of(streams, log):
        shard = {"name": name, "options": options, "environment": environment, "catalog": catalog}
        yield DynamicOutput(shard, mapping_key=name)


def create_tables(catalog: str, streams: set[str]) -> None:
    """Create the tables before the shards run: parallel runs could create the same table twice."""
    with catalog_file(catalog) as path:
        output, _ = meltano("invoke", TAP, "--test=schema", f"--catalog={path}")
    lines = [line for line in output.split("\n") if line and json.loads(line)["stream"] in streams]
    meltano("invoke", TARGET, stdin="\n".join(lines), MELTANO_EXTRACT__LOAD_SCHEMA=SCHEMA)


@contextmanager
def catalog_file(catalog: str) -> Iterator[Path]:
    """Write the catalog to a temporary file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "catalog.json")
        path.write_text(catalog, encoding="utf-8")
        yield path


@op(retry_policy=RETRIES)
def load(shard: dict[str, Any]) -> None:
    """Load a shard, resuming from its own state, with the types of the whole account."""
    with catalog_file(shard["catalog"]) as path:
        options = (f"--state-id={TAP}:{shard['name']}", f"--catalog={path}", *shard["options"])
        # Shards share tables: a full load of one must not delete the rows of the others.
        keeping = settings(emit_activate_version_messages=False)
        # Not `meltano run`: runs of one tap share a folder and would read each other's state.
        meltano("el", TAP, TARGET, *options, **shard["environment"], **keeping)


@job(executor_def=multiprocess_executor.configured({"max_concurrent": 4}))
def load_cube() -> None:
    """Load all shards, four at a time."""
    discover().map(load)


definitions = Definitions(
    jobs=[load_cube],
    schedules=[
        ScheduleDefinition(
            job=load_cube, cron_schedule="0 3 * * *", execution_timezone="Europe/Oslo"
        )
    ],
)
