"""Runs of the tap inside the test's own process: real sockets, but no waiting between tries."""

from __future__ import annotations

import copy
import io
import logging
import signal
import threading
from contextlib import contextmanager, redirect_stdout
from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import SingerSDKError
from tenacity import wait_none
from typing_extensions import override

from tap_cube.http.client import CubeClient
from tap_cube.tap import TapCube
from tests.support.runs import settings_for
from tests.support.singer_check import check
from tests.support.tap_process import TapRun

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from singer_sdk.singerlib import Catalog

    from cube_sandbox import Sandbox


SECONDS = 60
"""How long a request that a run did not wait for may take."""


class ImpatientTap(TapCube):
    """The tap, asking again at once; only a server's own `Retry-After` is waited for."""

    @cached_property
    @override
    def client(self) -> CubeClient:
        return CubeClient(self.settings, self.logger, wait=wait_none())


class _Log(logging.Handler):
    """Keeps the warnings that the tap's user would see."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.getMessage()}")


def read(
    cube: Sandbox,
    *,
    discovered: Callable[[], object] | None = None,
    state: Mapping[str, Any] | None = None,
    selected: Collection[str] = (),
    **settings: object,
) -> TapRun:
    """Discover and sync; an error of the tap is the last line of `stderr`, with status 1.

    Whatever the end, what was written must be right: whole messages, and no state ahead of them.

    Args:
        cube: The account.
        discovered: Called between discovery and sync, to break what discovery found whole.
        state: What the run before left.
        selected: Streams to read that are not by default.
        settings: Settings of the tap.
    """
    run = _read(settings_for(cube, **settings), discovered, state, selected)
    check(run.stdout, before=state)
    return run


def read_at(url: str, **settings: object) -> TapRun:
    """Read a server that is no sandbox, and that may show a row as often as it likes."""
    return _read({"api_url": url, **settings})


def _read(
    config: Mapping[str, Any],
    discovered: Callable[[], object] | None = None,
    state: Mapping[str, Any] | None = None,
    selected: Collection[str] = (),
) -> TapRun:
    stdout, error = io.StringIO(), ""
    with _ended_threads(), _kept_signals(), _listening() as log, redirect_stdout(stdout):
        try:
            tap = ImpatientTap(
                config=dict(config),
                catalog=_catalog(config, selected),
                state=copy.deepcopy(dict(state or {})),
            )
            if tap.streams and discovered:
                discovered()
            tap.sync_all()
        except SingerSDKError as refusal:
            error = f"ERROR {refusal}"
    stderr = "\n".join([*log.lines, error] if error else log.lines)
    return TapRun(1 if error else 0, stdout.getvalue(), stderr)


def _catalog(config: Mapping[str, Any], selected: Collection[str]) -> Catalog | None:
    """What discovery finds, with more streams selected than by default; None for no more."""
    if not selected:
        return None
    catalog = ImpatientTap(config=dict(config)).catalog
    for name in selected:
        catalog[name].metadata.root.selected = True
    return catalog


def last_words(run: TapRun) -> str:
    """The sentence that a failed run ended with."""
    assert run.returncode == 1, run.stderr
    return run.stderr.rpartition("ERROR ")[2]


@contextmanager
def _ended_threads() -> Iterator[None]:
    """Have everything answered that was asked, or the next run's account would hear of it."""
    try:
        yield
    finally:
        for thread in threading.enumerate():
            if thread.name == "read-ahead":
                thread.join(SECONDS)
                assert not thread.is_alive(), "the tap left a thread"


@contextmanager
def _listening() -> Iterator[_Log]:
    log = _Log()
    logging.getLogger().addHandler(log)
    try:
        yield log
    finally:
        logging.getLogger().removeHandler(log)


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
