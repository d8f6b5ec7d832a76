"""Runs that are ended from outside: signals and closed pipes."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import termios
import time
from array import array
from pathlib import Path
from threading import Event
from typing import IO, TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault
from tests.integration.test_secrets import DEBUG, PERSON
from tests.support.runs import CRM, CUSTOMERS, complaints, ids, only, settings_for
from tests.support.singer_check import check
from tests.support.sizes import by_turns, scaled
from tests.support.tap_process import TapRun, started, started_tap

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from cube_sandbox import Request, Sandbox

SECONDS = 30
"""Maximum time to end on a busy machine; all situations but the first last longer."""

MARKS = {name: PERSON[name] for name in ("name", "phone_1", "email")}
"""Values that only records may show."""

SITUATIONS: dict[str, dict[str, Any]] = {
    "between pages": {"delay": 0.05},
    "in a slow response": {"faults": [Fault("delay", row="C2", page=3, seconds=120)]},
    "waiting for Retry-After": {"faults": [Fault("429", row="C2", page=3, retry_after=600)]},
    "waiting for a retry": {"faults": [Fault("500", row="C2", page=3)]},
    "on a stalled socket": {"faults": [Fault("stall", row="C2", page=3)]},
    "in an endless body": {"faults": [Fault("endless", row="C2", page=3)]},
    "in discovery": {"faults": [Fault("stall", row="C4")]},
}


@pytest.mark.parametrize(
    ("situation", "number", "read_ahead"),
    by_turns(SITUATIONS, [signal.SIGTERM, signal.SIGINT], [0, 4]),
)
def test_a_signal_ends_the_run_soon(
    cube: Sandbox, number: signal.Signals, situation: str, read_ahead: int
) -> None:
    """The tap ends soon in every situation, without traceback and with a valid last state."""
    cube.reset(customers=60, **SITUATIONS[situation])
    settings = settings_for(cube, read_ahead=read_ahead, **only(CRM)) | {"max_retries": 8}
    with started_tap(settings) as process:
        wait_until(lambda: has_reached(cube, situation), process)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=SECONDS)
    assert_cut_short(TapRun(process.returncode, stdout.decode(), stderr.decode()))


def has_reached(cube: Sandbox, situation: str) -> bool:
    """Whether the run has reached the given situation."""
    requests = list(cube.requests)
    if situation == "in discovery":
        return any(request.row == "C4" for request in requests)
    pages = [request.page for request in requests if request.row == "C2"]
    return pages.count(1) > 1 and max(pages) >= 3 and 3 in pages


def wait_until(is_so: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Wait until a condition holds while a process runs."""
    deadline = time.monotonic() + 300
    while not is_so():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.1)  # now the tap waits for the response


def assert_cut_short(run: TapRun) -> None:
    """The run failed, wrote complete messages, and no state ahead of its records."""
    assert run.returncode != 0
    assert "Traceback" not in run.stderr
    assert "Exception ignored" not in run.stderr
    check(run.stdout)


def test_many_signals_end_the_run_like_one(cube: Sandbox) -> None:
    """Pressing Ctrl-C again and again, until Python itself has ended, changes nothing."""
    cube.reset(customers=60, faults=[Fault("stall", row="C2", page=3)])
    with started_tap(settings_for(cube, **only(CRM))) as process:
        wait_until(lambda: has_reached(cube, "on a stalled socket"), process)
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(0.002)
        stdout, stderr = process.communicate(timeout=SECONDS)
    assert process.returncode == 128 + signal.SIGINT
    assert_cut_short(TapRun(process.returncode, stdout.decode(), stderr.decode()))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_start_as_well(number: signal.Signals) -> None:
    """The imports take most of a second, in which nothing else can answer a signal."""
    signalled = f"""
import os, sys
from importlib.metadata import entry_points
class Signals:
    def find_spec(self, name, *_):
        if name == "singer_sdk":
            os.kill(os.getpid(), {number:d})
sys.meta_path.insert(0, Signals())
(program,) = entry_points(group="console_scripts", name="tap-cube")
program.load()()
"""
    with started(["python", "-c", signalled]) as process:
        stdout, stderr = process.communicate(timeout=SECONDS)
    assert (process.returncode, stdout, stderr) == (128 + number, b"", b"")


@pytest.mark.parametrize(("lines", "read_ahead"), by_turns([0, 3], [0, 4]))
def test_a_closed_pipe_ends_the_run(cube: Sandbox, lines: int, read_ahead: int) -> None:
    """When the reader stops, as `head` does, the tap ends with one sentence."""
    cube.reset(customers=60)
    with started_tap(settings_for(cube, read_ahead=read_ahead)) as process:
        assert process.stdout is not None
        wait_until(lambda: bool(cube.requests), process)
        for _ in range(lines):
            assert process.stdout.readline()
        assert_could_not_write(closed(process))


@pytest.mark.parametrize(
    ("situation", "read_ahead"),
    by_turns(["waiting for Retry-After", "on a stalled socket", "in discovery"], [0, 4]),
)
def test_a_closed_pipe_ends_a_run_that_has_nothing_to_write(
    cube: Sandbox, situation: str, read_ahead: int
) -> None:
    """The tap notices the closed pipe while it waits, and sends no more requests."""
    cube.reset(customers=60, **SITUATIONS[situation])
    settings = settings_for(cube, read_ahead=read_ahead, **only(CRM)) | {"max_retries": 8}
    with started_tap(settings) as process:
        wait_until(lambda: has_reached(cube, situation), process)
        assert_could_not_write(closed(process))


def closed(process: subprocess.Popen[bytes]) -> TapRun:
    """Close the pipe and wait for the tap to end."""
    assert process.stdout is not None
    process.stdout.close()
    _, stderr = process.communicate(timeout=SECONDS)
    return TapRun(process.returncode, "", stderr.decode())


def do_not_block() -> None:
    """Let writes to a full stdout fail instead of waiting."""
    os.set_blocking(1, False)


@pytest.mark.parametrize(
    ("preexec_fn", "is_read_again"), by_turns([None, do_not_block], [False, True])
)
def test_a_signal_ends_a_run_whose_pipe_is_full(
    cube: Sandbox, preexec_fn: Callable[[], None] | None, *, is_read_again: bool
) -> None:
    """A target that reads on gets complete lines; one that doesn't cannot block the end."""
    cube.reset(customers=200, page_size=200)
    with started_tap(settings_for(cube, **only(CRM)), preexec_fn=preexec_fn) as process:
        pipe = process.stdout
        assert pipe is not None
        wait_until(lambda: is_full(pipe), process)
        process.send_signal(signal.SIGTERM)
        if not is_read_again:
            process.wait(SECONDS)
        stdout, stderr = process.communicate(timeout=SECONDS)
    assert process.returncode == 128 + signal.SIGTERM
    if not is_read_again:
        stdout = stdout[: stdout.rindex(b"\n") + 1]
    assert b"RECORD" in stdout
    assert_cut_short(TapRun(process.returncode, stdout.decode(), stderr.decode()))


def test_a_signal_ends_a_run_whose_log_nobody_reads(cube: Sandbox) -> None:
    """Threads that wait to log their requests do not delay the end."""
    cube.reset(customers=60)
    unread, log = os.pipe()
    is_filled = Event()

    def fill(request: Request) -> None:
        if (request.row, request.page) == ("C2", 4):
            while select.select([], [log], [], 0)[1]:
                os.write(log, bytes(select.PIPE_BUF))
            is_filled.set()

    cube.before_request = fill
    settings = settings_for(cube, read_ahead=4, **only(CRM))
    try:
        with started_tap(settings, env=DEBUG, stderr=log) as process:
            assert is_filled.wait(SECONDS)
            time.sleep(0.5)  # until each thread has something to log
            process.send_signal(signal.SIGTERM)
            assert process.wait(SECONDS) == 128 + signal.SIGTERM
    finally:
        os.close(log)
        os.close(unread)


def test_a_full_pipe_that_does_not_block_loses_nothing(cube: Sandbox) -> None:
    """The tap waits until the target reads on."""
    cube.reset(customers=200, page_size=200)
    with started_tap(settings_for(cube, **only(CRM)), preexec_fn=do_not_block) as process:
        pipe = process.stdout
        assert pipe is not None
        wait_until(lambda: is_full(pipe), process)
        stdout, stderr = process.communicate(timeout=SECONDS)
    run = TapRun(process.returncode, stdout.decode(), stderr.decode())
    assert run.returncode == 0, run.stderr
    assert ids(run.records[CUSTOMERS]) == set(cube.account.customer_ids(CRM))
    check(run.stdout)


def test_a_full_pipe_that_does_not_block_may_be_closed(cube: Sandbox) -> None:
    """When the reader goes away, the tap stops waiting."""
    cube.reset(customers=200, page_size=200)
    with started_tap(settings_for(cube, **only(CRM)), preexec_fn=do_not_block) as process:
        pipe = process.stdout
        assert pipe is not None
        wait_until(lambda: is_full(pipe), process)
        assert_could_not_write(closed(process))


def test_a_large_catalog_fits_through_a_pipe_that_does_not_block(cube: Sandbox) -> None:
    """Discovery waits for its reader like a run."""
    with started_tap(
        settings_for(cube), extra_args=["--discover"], preexec_fn=do_not_block
    ) as process:
        pipe = process.stdout
        assert pipe is not None
        wait_until(lambda: is_full(pipe), process)
        stdout, stderr = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, stderr
    assert TapRun(process.returncode, stdout.decode(), "").catalog["streams"]


@pytest.mark.parametrize("numbers", scaled([(2,), (0, 2)], [(0,), (2,), (0, 2)]), ids=str)
def test_a_run_needs_neither_stdin_nor_stderr(cube: Sandbox, numbers: tuple[int, ...]) -> None:
    """All rows arrive, also where nobody can read the log."""
    cube.reset(customers=30)

    def close() -> None:
        for number in numbers:
            os.close(number)

    with started_tap(settings_for(cube, **only(CRM)), preexec_fn=close) as process:
        stdout, stderr = process.communicate(timeout=SECONDS)
    run = TapRun(process.returncode, stdout.decode(), stderr.decode())
    assert run.returncode == 0
    assert ids(run.records[CUSTOMERS]) == set(cube.account.customer_ids(CRM))
    check(run.stdout)


def test_a_log_that_cannot_be_written_is_no_failure(cube: Sandbox) -> None:
    """The disk of the log is full."""
    cube.reset(customers=30)
    with (
        Path("/dev/full").open("wb") as full,
        started_tap(settings_for(cube, **only(CRM)), stderr=full) as process,
    ):
        stdout, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert len(TapRun(0, stdout.decode(), "").records[CUSTOMERS]) == 30


def test_a_closed_stdout_is_reported(cube: Sandbox) -> None:
    """Nobody would get the rows, so none is requested."""
    with started_tap(settings_for(cube), preexec_fn=lambda: os.close(1)) as process:
        _, stderr = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert stderr.decode() == (
        "Output could not be written: stdout is closed. Check the target, then run again.\n"
    )
    assert not cube.requests


def is_full(pipe: IO[bytes]) -> bool:
    """Whether the next write to a pipe would block."""
    size, waiting = fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ), array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, waiting)
    return waiting[0] > size - select.PIPE_BUF


def assert_could_not_write(run: TapRun) -> None:
    """The run failed with one sentence about its output."""
    assert "Exception ignored" not in run.stderr
    (sentence,) = complaints(run)
    assert sentence.startswith("Output could not be written")


def test_requests_end_with_the_run(cube: Sandbox) -> None:
    """After a signal no more pages are requested, also not by prefetching threads."""
    cube.reset(customers=60, delay=0.1)
    seen: list[Request] = []
    with started_tap(settings_for(cube, read_ahead=4, **only(CRM))) as process:
        wait_until(lambda: has_reached(cube, "between pages"), process)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=SECONDS)
        seen += cube.requests
    assert process.returncode != 0
    assert len({r.page for r in seen if r.row == "C2"}) < 12
