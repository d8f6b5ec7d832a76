"""The total time of an exchange, whatever it is doing when the time is up.

A timeout of a socket begins anew with each byte. So a thread closes the connections of exchanges
that last too long, as if the server had done so.
"""

from __future__ import annotations

import socket
import threading
import time
import typing as t
from contextlib import contextmanager, suppress
from contextvars import ContextVar

if t.TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_SLEEP = 1.0
"""Seconds after which the thread of a watchdog without exchanges ends."""


class Deadline:
    """The end of one exchange: an attempt at a request with all its redirects.

    Args:
        seconds: Seconds from now.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    @property
    def remaining(self) -> float:
        """Seconds that are left; 0 or less if the time is up."""
        return self._end - time.monotonic()

    def watch(self, connected: socket.socket) -> None:
        """Close this connection at the end, instead of the one watched before."""
        # A duplicate stays the exchange's own, also when TLS wraps the socket or closes it.
        duplicate = socket.fromfd(connected.fileno(), socket.AF_INET, socket.SOCK_STREAM)
        self._replace(duplicate)
        if self.remaining <= 0:
            self.enforce()

    def release(self) -> None:
        """Leave the connection alone: it is idle from now on, or serves another exchange."""
        self._replace(None)

    def enforce(self) -> None:
        """Close the connection in both directions. Reads and writes in progress fail at once."""
        with self._lock, suppress(OSError):  # the server may have closed it
            if self._socket:
                self._socket.shutdown(socket.SHUT_RDWR)

    def _replace(self, watched: socket.socket | None) -> None:
        with self._lock:
            previous, self._socket = self._socket, watched
        if previous:
            previous.close()


_current: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def current_deadline() -> Deadline | None:
    """The deadline of this thread's exchange."""
    return _current.get()


class Watchdog:
    """Enforces deadlines of equal length, so that the oldest ends first.

    Its thread sleeps until then, so an exchange that is in time costs it nothing.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._deadlines: dict[Deadline, None] = {}
        self._is_watching = False

    @contextmanager
    def limit(self, seconds: float) -> Iterator[Deadline]:
        """Limit the exchange that the block makes in this thread."""
        deadline = Deadline(seconds)
        with self._lock:
            self._deadlines[deadline] = None
            must_start, self._is_watching = not self._is_watching, True
        if must_start:
            threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
        token = _current.set(deadline)
        try:
            yield deadline
        finally:
            _current.reset(token)
            with self._lock:
                self._deadlines.pop(deadline, None)
            deadline.release()

    def _watch(self) -> None:
        while True:
            with self._lock:
                oldest = next(iter(self._deadlines), None)
                if oldest is None:
                    self._is_watching = False
                    return
                remaining = oldest.remaining
                if remaining <= 0:
                    del self._deadlines[oldest]
            if remaining <= 0:
                oldest.enforce()
            else:
                time.sleep(min(remaining, _MAX_SLEEP))
