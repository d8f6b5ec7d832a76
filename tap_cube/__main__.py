"""The command line: every end of a run in plain words."""

from __future__ import annotations

import ctypes
import errno
import os
import select
import signal
import sys
import time
import traceback
from contextlib import suppress
from threading import Event, Thread

from simplejson import JSONDecodeError
from singer_sdk.exceptions import ConfigValidationError, SingerSDKError

from tap_cube.singer.messages import WRITE_FAILED
from tap_cube.tap import TapCube

_LARGE = 2**22
"""Bytes of a piece by which glibc learns what is worth keeping: it keeps twice as much."""

_M_ARENA_MAX = -8
"""The number that glibc's `malloc.h` gives this setting."""

_GRACE = 0.5
"""Seconds that a run has to find out by its own writing that nobody reads it any more."""


def main() -> None:
    """Run the tap; errors become one line of log and an exit status."""
    _tune_malloc()
    unread = Event()
    if sys.stdout and hasattr(select, "poll"):  # Windows has none
        Thread(target=_watch, args=(sys.stdout.fileno(), unread), daemon=True).start()
    try:
        TapCube.cli()
    except SystemExit:
        if not unread.is_set():
            raise
        _end(WRITE_FAILED.format(os.strerror(errno.EPIPE)))
    except ConfigValidationError as error:
        _end(*error.errors)
    except SingerSDKError as error:
        _end(str(error))
    except (JSONDecodeError, UnicodeDecodeError):
        _end("A file given to --config, --catalog or --state is not JSON. Fix it, then run again.")
    except OSError as error:
        is_input = error.errno is None or error.filename is not None
        _end(f"{error}" if is_input else WRITE_FAILED.format(error.strerror))
    except Exception as error:  # noqa: BLE001 - the last resort, so that no data is shown
        frames = "".join(traceback.format_tb(error.__traceback__))
        _end(f"Internal error {type(error).__name__}; please report it with these lines.\n{frames}")


def _tune_malloc() -> None:
    """Have glibc keep what the next page needs, and in one place; others are left as they are."""
    # It gives pieces as large as a page back to the system at once and takes them anew, which
    # costs as much as to unpack them. A larger one that is freed, untouched, ends that.
    bytes(_LARGE)
    # Each thread that reads ahead would have a heap of its own, a quarter of all memory.
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def _watch(out: int, unread: Event) -> None:
    """End a run that waits for the account, and writes nothing, when its reader goes."""
    closing = select.poll()
    closing.register(out, 0)
    if any(event & (select.POLLERR | select.POLLHUP) for _, event in closing.poll()):
        time.sleep(_GRACE)
        unread.set()
        os.kill(os.getpid(), signal.SIGTERM)


def _end(*lines: str) -> None:
    for line in lines:
        TapCube.logger.error("%s", line)
    # What stdout still holds could not be written either: let nobody try again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)


if __name__ == "__main__":
    main()
