"""Idle connections of clients."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

MANY = 150


def test_idle_connections_block_no_request(cube: Sandbox) -> None:
    """Unclosed connections of a process do not delay the next request."""
    port = int(cube.url.rpartition(":")[2])
    with ExitStack() as kept:
        for _ in range(MANY):
            kept.enter_context(socket.create_connection(("127.0.0.1", port)))
        answer = requests.get(f"{cube.url}/api/v1/campaigns", timeout=60)
    assert answer.status_code == 401
