# /// script
# requires-python = ">=3.11"
# dependencies = ["dagster>=1.13"]
# ///
"""A Dagster job that loads a Cube account with several Meltano runs side by side.

Each CRM and each assignment is a shard: a run of its own, with a state of its own. In the folder of
a Meltano project: `dagster job execute -f dagster_shards.py -j load_cube`.
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
SOURCE = re.compile(r"(?:assignments/(\d+)|data_owners/(\d+)/(\w+)) answers: ")
RETRIES = RetryPolicy(max_retries=3, delay=5, backoff=Backoff.EXPONENTIAL)


def meltano(*arguments: str, given: str | None = None, **environment: str) -> tuple[str, str]:
    """Run a command of Meltano, and return what it printed and what it logged.

    Raises:
        CalledProcessError: It failed; its log says why.
    """
    done = subprocess.run(  # noqa: S603 - commands of this file
        ["meltano", *arguments],  # noqa: S607 - the one that PATH gives
        env=os.environ | environment,
        input=given,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    sys.stderr.write(done.stderr)
    done.check_returncode()
    return done.stdout, done.stderr


def shards_of(streams: set[str], log: str) -> Iterator[tuple[str, list[str], dict[str, str]]]:
    """Name the shards, each with the options and settings of a run that reads it alone.

    Args:
        streams: The selected streams.
        log: What discovery told: one line for each assignment and CRM that can be read.

    Raises:
        Failure: It did not tell; a load without them would be green and short.
    """
    sources = SOURCE.findall(log)
    told = {ASSIGNED if assignment else OWNED for assignment, *_ in sources}
    wanted = {kind for kind in (ASSIGNED, OWNED) if fnmatch.filter(streams, kind)}
    if missing := wanted - told:
        msg = f"The log names no shard of {sorted(missing)}: does the tap log at level INFO?"
        raise Failure(msg)
    if streams.difference(*(fnmatch.filter(streams, kind) for kind in wanted)):
        yield "account", [f"--exclude={ASSIGNED}", f"--exclude={OWNED}"], {}
    for assignment, owner, crm_type in sources:
        if assignment and ASSIGNED in wanted:
            only = settings(assignment_ids=[int(assignment)], data_owners=[])
            yield f"assignment_{assignment}", [f"--select={ASSIGNED}"], only
        elif owner and OWNED in wanted:
            crm = {"id": int(owner), "crm_types": [crm_type]}
            only = settings(assignment_ids=[], data_owners=[crm])
            yield f"crm_{owner}_{crm_type}", [f"--select={OWNED}"], only


def settings(**values: object) -> dict[str, str]:
    """Give the tap's settings as the variables that hold them."""
    return {f"TAP_CUBE_{name.upper()}": json.dumps(value) for name, value in values.items()}


@op(out=DynamicOut(), retry_policy=RETRIES)
def discover() -> Iterator[DynamicOutput[dict[str, Any]]]:
    """Ask what there is, make the tables, and hand the shards out."""
    catalog, log = meltano("invoke", "--dump=catalog", TAP)
    streams = {
        entry["stream"]
        for entry in json.loads(catalog)["streams"]
        for part in entry["metadata"]
        if not part["breadcrumb"] and part["metadata"].get("selected")
    }
    make_tables(catalog, streams)
    for name, options, environment in shards_of(streams, log):
        shard = {"name": name, "options": options, "environment": environment, "catalog": catalog}
        yield DynamicOutput(shard, mapping_key=name)


def make_tables(catalog: str, streams: set[str]) -> None:
    """Send the schemas ahead, for two runs that made the same table would meet."""
    with file_of(catalog) as path:
        told, _ = meltano("invoke", TAP, "--test=schema", f"--catalog={path}")
    lines = [line for line in told.split("\n") if line and json.loads(line)["stream"] in streams]
    meltano("invoke", TARGET, given="\n".join(lines), MELTANO_EXTRACT__LOAD_SCHEMA=SCHEMA)


@contextmanager
def file_of(catalog: str) -> Iterator[Path]:
    """Lend a file that holds the catalog."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "catalog.json")
        path.write_text(catalog, encoding="utf-8")
        yield path


@op(retry_policy=RETRIES)
def load(shard: dict[str, Any]) -> None:
    """Load a shard from where its own state ends, with the types of the whole account."""
    with file_of(shard["catalog"]) as path:
        options = (f"--state-id={TAP}:{shard['name']}", f"--catalog={path}", *shard["options"])
        # Not `meltano run`: its runs of one tap share a folder, and would mix their states up.
        meltano("el", TAP, TARGET, *options, **shard["environment"])


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
