"""Runs that write files and fail: a wrong setting, a full disk or a signal."""

from __future__ import annotations

import gzip
import os
import resource
import signal
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from cube_sandbox import Fault
from tests.support.batch_runs import Record, exact, into
from tests.support.in_process import run_in_process
from tests.support.runs import (
    CRM,
    CUSTOMERS,
    complaint,
    only,
    settings_for,
)
from tests.support.singer_check import check
from tests.support.tap_process import TapRun, started_tap

if TYPE_CHECKING:
    from pathlib import Path

    from cube_sandbox import Sandbox

WRONG: dict[str, Record] = {
    "parquet": {"encoding": {"format": "parquet"}},
    "no storage": {"storage": None},
    "an unknown compression": {"encoding": {"format": "jsonl", "compression": "zstd"}},
    "not an object": {"encoding": "jsonl"},
    "no root": {"storage": {"root": ""}},
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


def test_files_are_for_their_owner_alone(cube: Sandbox, tmp_path: Path) -> None:
    """So are folders that the run makes, whatever the umask; others stay as they are."""
    tmp_path.chmod(0o755)
    umask = os.umask(0)
    try:
        settings = settings_for(cube, **only(CRM), **into(tmp_path / "new" / "files"))
        run = run_in_process(settings)
    finally:
        os.umask(umask)
    assert run.returncode == 0, run.stderr
    modes = {path: path.stat().st_mode & 0o7777 for path in (tmp_path / "new").rglob("*")}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert (tmp_path / "new").stat().st_mode & 0o7777 == 0o700
    assert tmp_path.stat().st_mode & 0o7777 == 0o755


@pytest.mark.parametrize("compression", ["gzip", None])
def test_a_full_disk_leaves_no_file(cube: Sandbox, tmp_path: Path, compression: str | None) -> None:
    """Where a file cannot be written to its end, there is none, and the error names the folder."""
    settings = settings_for(cube, **only(CRM), **into(tmp_path, compression=compression))
    is_full = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (1000, 1000))
    with started_tap(settings, preexec_fn=is_full) as process:
        stdout, stderr = process.communicate(timeout=300)
    run = TapRun(process.returncode, stdout.decode(), stderr.decode())
    sentence = complaint(run)
    assert sentence.startswith(f"Batch files could not be written to 'file://{tmp_path}': File too")
    assert all(exact(line) for path in tmp_path.iterdir() for line in lines_of(path))
    assert not list(tmp_path.glob(f"*{CUSTOMERS}*"))


@pytest.mark.parametrize("breaks", [False, True])
def test_files_are_whole_where_none_can_be_unnamed(
    cube: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, breaks: bool
) -> None:
    """On other systems than Linux a file is hidden until it is complete, and gone if it fails."""
    monkeypatch.delattr(os, "O_TMPFILE")
    if breaks:
        cube.faults = [Fault("401", row="C2", page=3)]
    run = run_in_process(settings_for(cube, **only(CRM), **into(tmp_path)))
    assert (run.returncode == 0) != breaks
    files = [path for path in tmp_path.iterdir() if CUSTOMERS in path.name]
    assert len(files) == (not breaks)
    assert all(path.stat().st_mode & 0o7777 == 0o600 for path in files)
    assert all(exact(line) for path in tmp_path.iterdir() for line in lines_of(path))


def lines_of(path: Path) -> list[bytes]:
    """The lines of a file, compressed or not."""
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).splitlines()
