"""Connections that clients keep without need."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

MANY = 150


def test_idle_connections_shut_nobody_out(cube: Sandbox) -> None:
    """A process that has not tidied up yet does not make the next request wait."""
    port = int(cube.url.rpartition(":")[2])
    with ExitStack() as kept:
        for _ in range(MANY):
            kept.enter_context(socket.create_connection(("127.0.0.1", port)))
        answer = requests.get(f"{cube.url}/api/v1/campaigns", timeout=60)
    assert answer.status_code == 401
