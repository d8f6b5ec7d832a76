"""Answers that are known by their status, and whose bodies never end."""

from __future__ import annotations

import gzip
import threading
import time
import zlib
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from tap_cube.http.body import MAX_BODY_BYTES
from tests.support.runs import CRM, complaint, only, read_at

if TYPE_CHECKING:
    from collections.abc import Iterator

BLANKS = b" " * 2**16
FOR_EVER = 2**28
"""Bytes after which the server takes it that the body would be read for ever."""

DROPS = 3000
"""Single bytes, one each tenth of a second, after which it takes the same."""

MOST = 2**25
"""Bytes that may be under way when the client hangs up: more than the buffers of both ends."""

ANSWERS: dict[str, tuple[int, str, str]] = {
    "a redirect away": (302, "http://cube.example.org/", "redirected to another address"),
    "a redirect to itself": (302, "{path}", "too many redirects"),
    "a wrong credential": (401, "", "HTTP 401"),
    "nothing there": (404, "", "HTTP 404"),
    "too much to do": (503, "", "HTTP 503"),
}


class EndlessServer(ThreadingHTTPServer):
    """Gives every request the same status, and blanks until the client hangs up."""

    daemon_threads = False  # whoever closes it hears what each answer came to

    def __init__(self, status: int, location: str, handler: type[_Handler]) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), handler)
        self.status = status
        self.location = location
        self.sent: list[int] = []

    @property
    def url(self) -> str:
        """The address that a client is given."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: EndlessServer
    timeout = 300  # a client that neither reads nor hangs up is no better
    encoding = "identity"

    def do_GET(self) -> None:
        self.send_response(self.server.status)
        self.send_header("Location", self.server.location.format(path=self.path))
        self.send_header("Content-Encoding", self.encoding)
        self.end_headers()
        sent = 0
        try:
            for portion in self.portions():
                self.wfile.write(portion)
                sent += len(portion)
        except ConnectionError:
            pass
        self.server.sent.append(sent)

    def portions(self) -> Iterator[bytes]:
        """The body, as it leaves the server."""
        for _ in range(FOR_EVER // len(BLANKS)):
            yield BLANKS

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Dripping(_Handler):
    @override
    def portions(self) -> Iterator[bytes]:
        for _ in range(DROPS):
            yield b" "
            time.sleep(0.1)


class _Packed(_Handler):
    encoding = "gzip"

    @override
    def portions(self) -> Iterator[bytes]:
        packer = zlib.compressobj(level=1, wbits=zlib.MAX_WBITS | 16)  # gzip
        for _ in range(2 * MAX_BODY_BYTES // len(BLANKS)):
            yield packer.compress(BLANKS)


class _Hollow(_Packed):
    @override
    def portions(self) -> Iterator[bytes]:
        yield gzip.compress(b"")[:10]  # the head of a file
        for _ in range(DROPS * 10):
            yield b"\x00\x00\x00\xff\xff" * 1000  # blocks without content, and never the last
            time.sleep(0.01)


@contextmanager
def endless(
    status: int, location: str = "", handler: type[_Handler] = _Handler
) -> Iterator[EndlessServer]:
    """Serve endless answers until the block ends."""
    with EndlessServer(status, location, handler) as server:
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
        run = read_at(server.url, max_retries=1, **only(CRM))
    assert words in complaint(run)
    assert server.sent
    assert max(server.sent) < MOST


@pytest.mark.parametrize(
    ("handler", "whole"),
    [(_Dripping, DROPS), (_Hollow, DROPS * 10 * 5000)],
    ids=["drops", "hollow"],
)
def test_a_body_that_never_comes_meets_the_timeout(handler: type[_Handler], whole: int) -> None:
    """Bytes arrive all the while, one by one or with nothing to unpack: the run ends red."""
    with endless(200, handler=handler) as server:
        run = read_at(server.url, max_retries=0, request_timeout=1, **only(CRM))
    assert "timed out" in complaint(run)
    assert server.sent
    assert max(server.sent) < whole


def test_a_body_that_grows_without_end_when_unpacked_is_given_up() -> None:
    """A few bytes become many: what counts is the memory that they would take."""
    with endless(200, handler=_Packed) as server:
        run = read_at(server.url, max_retries=0, **only(CRM))
    assert "the response is too large" in complaint(run)
