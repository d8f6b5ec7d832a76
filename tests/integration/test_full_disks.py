"""Runs whose messages find no space on a disk."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.test_secrets import DEBUG, PERSON, TOKEN, assert_secretive
from tests.support.ending import SECONDS, assert_could_not_write
from tests.support.singer_check import check
from tests.support.sizes import scaled
from tests.support.tap_process import SCRIPTS, TapRun, clean_environment

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

MARKS = {name: PERSON[name] for name in ("name", "phone_1", "email")}
"""Values that only records may show."""


def run_into(
    stdout: int,
    cube: Sandbox,
    *,
    limit: int | None = None,
    args: tuple[str, ...] = (),
) -> TapRun:
    """Read marked rows into a file descriptor, with a limit on the size of files.

    It ends soon after the last request, because it cannot write the response.
    """
    cube.reset(token=TOKEN)
    for crm in cube.account.crms:
        for customer in cube.account.customer_ids(crm):
            cube.account.update_customer(crm, customer, **MARKS)
    last: list[float] = []
    cube.before_request = lambda _: last.append(time.monotonic())

    def limit_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit or 0, limit or 0))

    named = {"API_URL": cube.url, "AUTH_TOKEN": cube.token, "MAX_RETRIES": "0"}
    variables = {f"TAP_CUBE_{name}": value for name, value in named.items()}
    process = subprocess.run(  # noqa: S603 - our own command
        [SCRIPTS / "tap-cube", "--config=ENV", *args],
        env={**clean_environment(), **variables, **DEBUG},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        preexec_fn=limit_files if limit else None,
        timeout=300,
        check=False,
    )
    assert not last or time.monotonic() - last[-1] < SECONDS
    return TapRun(process.returncode, "", process.stderr.decode())


@pytest.mark.parametrize(
    "args", scaled([("--discover",)], [(), ("--discover",), ("--about", "--format=json")])
)
def test_a_device_without_space_is_reported(cube: Sandbox, args: tuple[str, ...]) -> None:
    """Nothing can be written, so the run fails."""
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        run = run_into(full, cube, args=args)
    finally:
        os.close(full)
    assert_could_not_write(run)
    assert_secretive(run)


def test_a_disk_that_becomes_full_is_reported(cube: Sandbox) -> None:
    """The file holds what fitted, its complete lines are valid, and the run fails."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "messages.jsonl")
        with path.open("wb") as file:
            run = run_into(file.fileno(), cube, limit=40_000)
        written = path.read_bytes()
    assert_could_not_write(run)
    assert len(written) == 40_000
    complete = written[: written.rindex(b"\n") + 1].decode()
    check(complete)
    assert_secretive(TapRun(run.returncode, complete, run.stderr))
