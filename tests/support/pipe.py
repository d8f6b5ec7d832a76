"""`tap-cube | target-postgres` as two processes with a pipe between them."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.tap_process import SECONDS, started, started_tap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class Load:
    """How both ends of the pipe ended, and the last state that the target confirmed."""

    tap_returncode: int
    target_returncode: int
    tap_stderr: str
    target_stderr: str
    state: dict[str, Any] | None


def load(  # noqa: PLR0913 - each is an option of one of the two commands
    config: Mapping[str, Any],
    warehouse: Warehouse,
    schema: str = "cube",
    *,
    catalog: Mapping[str, Any] | None = None,
    state: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    target: Mapping[str, Any] | None = None,
    timeout: float = 2 * SECONDS,
) -> Load:
    """Load what the tap reads into a schema of the warehouse.

    Args:
        config: Settings of the tap.
        warehouse: Where the tables go.
        schema: The PostgreSQL schema of the tables.
        catalog: Catalog for the tap; it discovers one when left out.
        state: State for the tap to go on from.
        env: Environment variables for both on top of a clean environment.
        target: Settings of the target other than the usual ones (upsert).
        timeout: Seconds after which both are killed.
    """
    settings = {
        "sqlalchemy_url": warehouse.utc_url,
        "default_target_schema": schema,
        "load_method": "upsert",
        **(target or {}),
    }
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryFile() as tap_stderr,
        tempfile.TemporaryFile() as target_stderr,
    ):
        path = Path(folder, "target.json")
        path.write_text(json.dumps(settings))
        with (
            started_tap(config, catalog=catalog, state=state, env=env, stderr=tap_stderr) as tap,
            started(
                ["target-postgres", "--config", str(path)],
                env=env,
                stdin=tap.stdout,
                stderr=target_stderr,
            ) as loader,
        ):
            if tap.stdout is not None:
                tap.stdout.close()  # else the tap would never see that the target went away
            stdout, _ = loader.communicate(timeout=timeout)
            tap.wait(timeout)
        for log in (tap_stderr, target_stderr):
            log.seek(0)
        states = [json.loads(line) for line in stdout.splitlines()]
        return Load(
            tap_returncode=tap.returncode,
            target_returncode=loader.returncode,
            tap_stderr=tap_stderr.read().decode(),
            target_stderr=target_stderr.read().decode(),
            state=states[-1] if states else None,
        )
