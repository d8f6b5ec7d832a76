"""The command line: each error becomes one line of log and an exit status."""

from __future__ import annotations

import ctypes
import errno
import os
import select
import signal
import sys
import time
import typing as t
from contextlib import suppress
from threading import Event, Thread

from singer_sdk.exceptions import SingerSDKError

from tap_cube.errors import CollectedError
from tap_cube.logs import internal_error, protect
from tap_cube.singer.messages import WRITE_FAILED
from tap_cube.tap import TapCube

if t.TYPE_CHECKING:
    from collections.abc import Sequence

_BLOCK_BYTES = 2**22
"""Size of a freed block that raises glibc's limits: it then keeps up to twice as much memory."""

_M_ARENA_MAX = -8
"""Number of the option in glibc's `malloc.h`."""

_STDIN, _STDERR = 0, 2

_WRITE_GRACE = 0.5
"""Seconds in which a run may notice by a write that its reader has gone, before it is ended."""


def main() -> None:
    """Run the tap. Errors become one line of log and an exit status."""
    _replace_closed_files()
    protect()
    if sys.stdout is None:
        _fail(WRITE_FAILED.format("stdout is closed"))
    _tune_malloc()
    reader_gone = Event()
    if hasattr(select, "poll"):  # missing on Windows
        Thread(target=_watch_stdout, args=(sys.stdout.fileno(), reader_gone), daemon=True).start()
    if lines := _run(reader_gone):
        _fail(*lines)


def _run(reader_gone: Event) -> Sequence[str]:
    """Run the tap, and return the sentences of the error that ended it.

    The caller logs them when the tap is gone, since what it holds open may log its own end.
    """
    try:
        TapCube.cli()
    except SystemExit:
        if not reader_gone.is_set():
            raise
        return [WRITE_FAILED.format(os.strerror(errno.EPIPE))]
    except CollectedError as error:
        return error.errors
    except SingerSDKError as error:
        return [str(error)]
    except OSError as error:
        is_input = error.errno is None or error.filename is not None
        return [f"{error}" if is_input else WRITE_FAILED.format(error.strerror)]
    except Exception as error:  # noqa: BLE001 - the error's own text might show data
        return internal_error(type(error), error.__traceback__)
    return []


def _replace_closed_files() -> None:
    """Keep the numbers of stdin, stdout and stderr from files and sockets that are opened later."""
    while (opened := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(opened)
    # Python has none for those that were closed when the process began.
    if sys.stdin is None:
        sys.stdin = os.fdopen(_STDIN, closefd=False)
    if sys.stderr is None:  # nobody reads the log
        sys.stderr = os.fdopen(_STDERR, "w", closefd=False)


def _tune_malloc() -> None:
    """Make glibc keep freed memory for the next page, in one arena; do nothing without glibc."""
    # By default, glibc returns blocks as large as a page to the system as soon as they are freed,
    # and requests them again for the next page, which costs as much as decompressing it. Freeing
    # one larger block raises the limit. The block is never written to, so it costs no memory.
    bytes(_BLOCK_BYTES)
    # Otherwise each thread of the pool has its own arena: a quarter of all memory.
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def _watch_stdout(out: int, reader_gone: Event) -> None:
    """End the run when the reader of stdout has gone, even while no message is written."""
    closing = select.poll()
    closing.register(out, 0)
    if any(event & (select.POLLERR | select.POLLHUP) for _, event in closing.poll()):
        time.sleep(_WRITE_GRACE)
        reader_gone.set()
        os.kill(os.getpid(), signal.SIGTERM)


def _fail(*lines: str) -> None:
    for line in lines:
        TapCube.logger.error("%s", line)
    if sys.stdout:
        # Python flushes it at exit. Send the rest of the buffer to the null device instead.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)


if __name__ == "__main__":
    main()
