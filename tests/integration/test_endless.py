"""Responses with endless bodies, most of which the tap need not read."""

from __future__ import annotations

import gzip
import time
import zlib
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from tap_cube.http.body import MAX_BODY_BYTES
from tests.support.runs import CRM, complaint, only, read_at
from tests.support.strange_server import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

BLANKS = b" " * 2**16
MAX_BYTES = 2**28
"""Bytes after which the server stops. A client that reads so many would never stop."""

MAX_DRIPS = 3000
"""Single bytes, one every 0.1 s, after which the server stops too."""

MAX_SENT = 2**25
"""Bytes that may be in transit when the client hangs up: more than the buffers of both ends."""

RESPONSES: dict[str, tuple[int, str, str]] = {
    "a redirect to another host": (
        302,
        "http://cube.example.org/",
        "redirected to another address",
    ),
    "a redirect to itself": (302, "{path}", "too many redirects"),
    "a wrong credential": (401, "", "HTTP 401"),
    "not found": (404, "", "HTTP 404"),
    "overloaded": (503, "", "HTTP 503"),
}


class EndlessServer(ThreadingHTTPServer):
    """Sends every request the same status, and blanks until the client hangs up."""

    daemon_threads = False  # closing it waits for all responses

    def __init__(self, status: int, location: str, handler: type[_Handler]) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), handler)
        self.status = status
        self.location = location
        self.sent: list[int] = []

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: EndlessServer
    timeout = 300  # for a client that neither reads nor hangs up
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
        """Yield the body in portions."""
        for _ in range(MAX_BYTES // len(BLANKS)):
            yield BLANKS

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


class _Dripping(_Handler):
    @override
    def portions(self) -> Iterator[bytes]:
        for _ in range(MAX_DRIPS):
            yield b" "
            time.sleep(0.1)


class _Compressed(_Handler):
    encoding = "gzip"

    @override
    def portions(self) -> Iterator[bytes]:
        compressor = zlib.compressobj(level=1, wbits=zlib.MAX_WBITS | 16)  # gzip
        for _ in range(2 * MAX_BODY_BYTES // len(BLANKS)):
            yield compressor.compress(BLANKS)


class _EmptyBlocks(_Compressed):
    @override
    def portions(self) -> Iterator[bytes]:
        yield gzip.compress(b"")[:10]  # the header of a file
        for _ in range(MAX_DRIPS * 10):
            yield b"\x00\x00\x00\xff\xff" * 1000  # empty blocks, none of them the last
            time.sleep(0.01)


@contextmanager
def endless(
    status: int, location: str = "", handler: type[_Handler] = _Handler
) -> Iterator[EndlessServer]:
    """Serve endless responses until the block ends."""
    with serving(EndlessServer(status, location, handler)) as server:
        yield server


@pytest.mark.parametrize(("status", "location", "words"), RESPONSES.values(), ids=RESPONSES)
def test_a_body_that_is_not_needed_is_not_read(status: int, location: str, words: str) -> None:
    """Status and headers are enough, so the tap hangs up at once."""
    with endless(status, location) as server:
        run = read_at(server.url, max_retries=1, **only(CRM))
    assert words in complaint(run)
    assert server.sent
    assert max(server.sent) < MAX_SENT


@pytest.mark.parametrize(
    ("handler", "complete"),
    [(_Dripping, MAX_DRIPS), (_EmptyBlocks, MAX_DRIPS * 10 * 5000)],
    ids=["single bytes", "empty blocks"],
)
def test_a_body_that_never_ends_times_out(handler: type[_Handler], complete: int) -> None:
    """Bytes keep arriving, singly or without content; the run fails after the timeout."""
    with endless(200, handler=handler) as server:
        run = read_at(server.url, max_retries=0, request_timeout=1, **only(CRM))
    assert "timed out" in complaint(run)
    assert server.sent
    assert max(server.sent) < complete


def test_a_body_that_is_too_large_when_decompressed_is_an_error() -> None:
    """The limit applies to the decompressed size. Another attempt would bring the same."""
    with endless(200, handler=_Compressed) as server:
        run = read_at(server.url, max_retries=8, read_ahead=0, **only(CRM))
    assert "page 1: the response is too large: it has more than 64 MiB." in complaint(run)
    assert "retrying" not in run.stderr
