"""Answers that are known by their status, and whose bodies never end."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from tests.integration.reading import last_words, read_at
from tests.integration.runs import CRM, only

if TYPE_CHECKING:
    from collections.abc import Iterator

BLANKS = b" " * 2**16
FOR_EVER = 2**28
"""Bytes after which the server takes it that the body would be read for ever."""

MOST = 2**25
"""Bytes that may be under way when the client hangs up: more than the buffers of both ends."""

ANSWERS: dict[str, tuple[int, str, str]] = {
    "a redirect away": (302, "http://cube.example.org/", "redirected to another address"),
    "a redirect to itself": (302, "{path}", "redirected in circles"),
    "a wrong credential": (401, "", "HTTP 401"),
    "nothing there": (404, "", "HTTP 404"),
    "too much to do": (503, "", "HTTP 503"),
}


class EndlessServer(ThreadingHTTPServer):
    """Gives every request the same status, and blanks until the client hangs up."""

    daemon_threads = False  # whoever closes it hears what each answer came to

    def __init__(self, status: int, location: str) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.location = location
        self.sent: list[int] = []

    @property
    def url(self) -> str:
        """The address that a client is given."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: EndlessServer
    timeout = 20  # a client that neither reads nor hangs up is no better

    def do_GET(self) -> None:
        self.send_response(self.server.status)
        self.send_header("Location", self.server.location.format(path=self.path))
        self.end_headers()
        sent = 0
        try:
            while sent < FOR_EVER:
                self.wfile.write(BLANKS)
                sent += len(BLANKS)
        except ConnectionError:
            self.server.sent.append(sent)
        else:
            self.server.sent.append(FOR_EVER)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def endless(status: int, location: str) -> Iterator[EndlessServer]:
    """Serve endless answers until the block ends."""
    with EndlessServer(status, location) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("status", "location", "words"), ANSWERS.values(), ids=ANSWERS)
def test_a_body_that_nobody_needs_is_not_read(status: int, location: str, words: str) -> None:
    """Status and address tell all there is to know, so that the tap hangs up at once."""
    with endless(status, location) as server:
        run = read_at(server.url, auth_token="t", max_retries=1, **only(CRM))  # noqa: S106 - no secret
    assert words in last_words(run)
    assert server.sent
    assert max(server.sent) < MOST
