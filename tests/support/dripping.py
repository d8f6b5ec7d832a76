"""A server that sends a beginning at once, and the rest a little at a time without end."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_SECONDS = 30
"""How long a server drips. A run that takes so long has waited for it."""


@dataclass(frozen=True, slots=True)
class Drip:
    """What a server sends: a beginning, and then the same again and again.

    `delay` is the time before the beginning, `pause` the time between two portions.
    """

    begin: bytes
    portion: bytes
    pause: float = 0.1
    delay: float = 0


@contextmanager
def dripping(drip: Drip) -> Iterator[int]:
    """Serve one response without end to every connection, on the port that is yielded."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threads: list[threading.Thread] = []

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threads.append(threading.Thread(target=_drip, args=(connection, drip)))
                threads[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            for thread in (accepting, *threads):
                thread.join()


def _drip(connection: socket.socket, drip: Drip) -> None:
    end = time.monotonic() + MAX_SECONDS
    with connection:
        connection.settimeout(MAX_SECONDS)
        try:
            connection.recv(2**16)
            time.sleep(drip.delay)
            connection.sendall(drip.begin)
            while time.monotonic() < end:
                connection.sendall(drip.portion)
                time.sleep(drip.pause)
        except OSError:
            return
