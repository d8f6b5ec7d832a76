"""Runs that write files and end badly: by a wrong setting, a storage or a signal."""

from __future__ import annotations

import gzip
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.batch_runs import Record, into
from tests.support.in_process import run_in_process
from tests.support.runs import (
    CRM,
    CUSTOMERS,
    assert_no_secret,
    complaint,
    only,
    settings_for,
)
from tests.support.singer_check import check
from tests.support.tap_process import started_tap

if TYPE_CHECKING:
    from pathlib import Path

    from cube_sandbox import Sandbox

SECRET = "hunter2-of-the-storage"  # noqa: S105 - invented
ROOTS = {
    "a file": ("{folder}/file/folder", "Not a directory"),
    "no such disk": ("/proc/nowhere", "No such file or directory"),
    "an unknown kind": (f"nowhere://me:{SECRET}@example.com/x", "Unsupported filesystem"),
    "not installed": (f"s3://me:{SECRET}@bucket/x", "Install s3fs"),
}


@pytest.mark.parametrize("name", ROOTS)
def test_a_storage_that_takes_nothing_is_told(cube: Sandbox, tmp_path: Path, name: str) -> None:
    """The run fails with one sentence that names the setting, and shows no secret address."""
    root, reason = ROOTS[name]
    (tmp_path / "file").touch()
    run = run_in_process(settings_for(cube, **into(root.format(folder=tmp_path))))
    told = complaint(run)
    assert told.startswith(f"Batch files could not be written: {reason}")
    assert "'batch_config'" in told
    assert_no_secret(run, SECRET, cube.token)
    check(run.stdout)


WRONG: dict[str, Record] = {
    "parquet": {"encoding": {"format": "parquet"}},
    "no storage": {"storage": None},
    "a packing nobody knows": {"encoding": {"format": "jsonl", "compression": "zstd"}},
    "no object": {"encoding": "jsonl"},
    "no root": {"storage": {"root": ""}},
    "an unknown part": {"storage": {"root": "files", "bucket": "files"}},
    "a size of nothing": {"batch_size": 0},
    "a size as text": {"batch_size": "7"},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_setting_is_refused(cube: Sandbox, tmp_path: Path, name: str) -> None:
    """One sentence names the setting, before anything is asked."""
    settings = into(tmp_path)
    settings["batch_config"] |= WRONG[name]
    run = run_in_process(settings_for(cube, **settings))
    assert complaint(run).startswith("Setting 'batch_config' must be such as ")
    assert not run.stdout
    assert not cube.requests


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_cut_short_leaves_no_half_file(
    cube: Sandbox, tmp_path: Path, number: signal.Signals
) -> None:
    """Every file there is whole, all but the last were told, and nothing waits elsewhere."""
    cube.reset(customers=60, delay=0.05)
    files, elsewhere = tmp_path / "files", tmp_path / "elsewhere"
    elsewhere.mkdir()
    settings = settings_for(cube, **only(CRM), **into(files, batch_size=8))
    with started_tap(settings, env={"TMPDIR": str(elsewhere)}) as process:
        deadline = time.monotonic() + 300
        while len(list(files.glob(f"*{CUSTOMERS}*"))) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(number)
        stdout = process.communicate(timeout=300)[0].decode()
    assert process.returncode != 0
    told = [url for m in check(stdout) for url in m.get("manifest", ())]
    there = sorted(path.as_uri() for path in files.iterdir())
    assert len(told) <= len(there) <= len(told) + 1
    assert set(told) <= set(there)
    assert all(gzip.decompress(path.read_bytes()).endswith(b"}\n") for path in files.iterdir())
    assert not list(elsewhere.iterdir())
