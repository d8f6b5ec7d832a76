"""Runs that write files and fail: a wrong setting, a storage error or a signal."""

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
    "a missing disk": ("/proc/nowhere", "No such file or directory"),
    "an unknown scheme": (f"nowhere://me:{SECRET}@example.com/x", "Unsupported filesystem"),
    "not installed": (f"s3://me:{SECRET}@bucket/x", "Install s3fs"),
}


@pytest.mark.parametrize("name", ROOTS)
def test_a_storage_that_cannot_be_written_is_reported(
    cube: Sandbox, tmp_path: Path, name: str
) -> None:
    """The run fails with one sentence that names the setting and shows no secret."""
    root, reason = ROOTS[name]
    (tmp_path / "file").touch()
    run = run_in_process(settings_for(cube, **into(root.format(folder=tmp_path))))
    sentence = complaint(run)
    assert sentence.startswith(f"Batch files could not be written: {reason}")
    assert "'batch_config'" in sentence
    assert_no_secret(run, SECRET, cube.token)
    check(run.stdout)


WRONG: dict[str, Record] = {
    "parquet": {"encoding": {"format": "parquet"}},
    "no storage": {"storage": None},
    "an unknown compression": {"encoding": {"format": "jsonl", "compression": "zstd"}},
    "not an object": {"encoding": "jsonl"},
    "no root": {"storage": {"root": ""}},
    "an unknown part": {"storage": {"root": "files", "bucket": "files"}},
    "a size of zero": {"batch_size": 0},
    "a size as text": {"batch_size": "7"},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_setting_is_rejected(cube: Sandbox, tmp_path: Path, name: str) -> None:
    """One sentence names the setting; the tap sends no request."""
    settings = into(tmp_path)
    settings["batch_config"] |= WRONG[name]
    run = run_in_process(settings_for(cube, **settings))
    assert complaint(run).startswith("Setting 'batch_config' must be such as ")
    assert not run.stdout
    assert not cube.requests


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_run_leaves_no_partial_file(
    cube: Sandbox, tmp_path: Path, number: signal.Signals
) -> None:
    """Every file is complete, all but the last were announced, no temporary file is left."""
    cube.reset(customers=60, delay=0.05)
    files, temporary = tmp_path / "files", tmp_path / "temporary"
    temporary.mkdir()
    settings = settings_for(cube, **only(CRM), **into(files, batch_size=8))
    with started_tap(settings, env={"TMPDIR": str(temporary)}) as process:
        deadline = time.monotonic() + 300
        while len(list(files.glob(f"*{CUSTOMERS}*"))) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(number)
        stdout = process.communicate(timeout=300)[0].decode()
    assert process.returncode != 0
    announced = [url for m in check(stdout) for url in m.get("manifest", ())]
    existing = sorted(path.as_uri() for path in files.iterdir())
    assert len(announced) <= len(existing) <= len(announced) + 1
    assert set(announced) <= set(existing)
    assert all(gzip.decompress(path.read_bytes()).endswith(b"}\n") for path in files.iterdir())
    assert not list(temporary.iterdir())
