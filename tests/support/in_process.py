"""The command `tap-cube` inside the test's own process: the same ends, without its start.

Sockets, files, log lines and the exit status are real. Only the waits between tries are left out,
and what belongs to a process of its own: `tap_process.run_tap` is for tests of that.
"""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
import tempfile
import threading
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.metrics import get_metrics_logger
from tenacity import wait_none
from typing_extensions import override

from tap_cube import __main__ as command
from tap_cube.http import client, prefetch
from tap_cube.tap import TapCube
from tests.support.tap_process import TapRun, clean_environment, written_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

SECONDS = 300
"""How long a request that a run did not wait for may take."""


def run_in_process(  # noqa: PLR0913 - each is an option of the command
    config: Mapping[str, Any] | None,
    *,
    catalog: Mapping[str, Any] | None = None,
    state: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    extra_args: Sequence[str] = (),
    discovered: Callable[[], object] | None = None,
) -> TapRun:
    """Run the tap to its end, as `tap_process.run_tap` does, asking again at once.

    Args:
        config: Settings for the config file; None for a run without one.
        catalog: Catalog for the run; the tap discovers one when left out.
        state: State to go on from.
        env: Environment variables on top of a clean environment.
        extra_args: Further arguments, such as `--discover`.
        discovered: Called between discovery and sync, to break what discovery found whole.
    """
    stdout, stderr = _Stdout(), io.StringIO()
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
        _ended_threads(),
        _kept_signals(),
        _kept_logging(),
        redirect_stdout(stdout),
        redirect_stderr(stderr),
    ):
        options = written_options(folder, config=config, catalog=catalog, state=state)
        patch.setattr(sys, "argv", ["tap-cube", *options, *extra_args])
        _set_environment(patch, {**clean_environment(), **(env or {})})
        _leave_process_alone(patch)
        patch.setattr(client, "WAIT", wait_none())
        patch.setattr(prefetch, "IDLE_SECONDS", 0)
        if discovered:
            _call_before_sync(patch, discovered)
        status = _status_of_main()
    return TapRun(status, stdout.getvalue(), stderr.getvalue())


class _Stdout(io.StringIO):
    """Text that has the number of no file."""

    @override
    def fileno(self) -> int:
        return -1


def _set_environment(patch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> None:
    for name in os.environ.keys() - environment.keys():
        patch.delenv(name)
    for name, value in environment.items():
        if os.environ.get(name) != value:
            patch.setenv(name, value)


def _leave_process_alone(patch: pytest.MonkeyPatch) -> None:
    """Neither watch stdout nor close it: it is no pipe, and the process goes on."""
    for place, hook in ((threading, "excepthook"), (sys, "unraisablehook")):
        patch.setattr(place, hook, getattr(place, hook))  # as it was, when the run has ended
    patch.setattr(command, "_watch_stdout", lambda *_: None)
    patch.setattr(os, "dup2", lambda opened, _: os.close(opened))
    # The log of a server that lives here, too, is none of the tap's. (The tap's configuration of
    # logging enables every logger, but keeps filters.)
    patch.setattr(logging.getLogger("waitress"), "filters", [lambda _: False])


def _call_before_sync(patch: pytest.MonkeyPatch, discovered: Callable[[], object]) -> None:
    sync_all = TapCube.sync_all

    def discover_and_sync(tap: TapCube) -> None:
        if tap.streams:
            discovered()
        sync_all(tap)

    patch.setattr(TapCube, "sync_all", discover_and_sync)


def _status_of_main() -> int:
    try:
        command.main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


@contextmanager
def _ended_threads() -> Iterator[None]:
    """Have everything answered that was asked, or the next run's account would hear of it."""
    try:
        yield
    finally:
        for thread in threading.enumerate():
            if thread.name == "prefetch":
                thread.join(SECONDS)
                assert not thread.is_alive(), "the tap left a thread"


@contextmanager
def _kept_signals() -> Iterator[None]:
    """Give the signals back that the SDK takes for itself."""
    kept: dict[signal.Signals, Any] = {
        number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


@contextmanager
def _kept_logging() -> Iterator[None]:
    """Give the loggers back the handlers and levels that they had."""
    root, metrics = logging.getLogger(), get_metrics_logger()
    handlers, levels = root.handlers[:], {each: each.level for each in (root, metrics)}
    factory = logging.getLogRecordFactory()
    try:
        yield
    finally:
        logging.setLogRecordFactory(factory)
        root.handlers[:] = handlers
        for each, level in levels.items():
            each.setLevel(level)
