"""`request_timeout` limits a whole exchange, whatever the server does a byte at a time."""

from __future__ import annotations

import logging
import socket
import threading
import time
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tap_cube.http.client import CubeClient
from tap_cube.http.exchange import RequestLabel
from tap_cube.settings import Settings
from tests.support.dripping import MAX_SECONDS, Drip, dripping
from tests.support.in_process import run_in_process
from tests.support.runs import CRM, complaint, only
from tests.support.strange_server import serving

LABEL = RequestLabel("customers", "")
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
HANDSHAKE = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03"
"""The beginning of a long TLS record with the server's first message."""


DRIPS = {
    "a status line": Drip(b"HTTP/1.1 200 ", b"O"),
    "interim responses": Drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "interim responses without a pause": Drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, 0),
    "early hints": Drip(b"", b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"),
    "a header of an interim response": Drip(b"HTTP/1.1 100 Continue\r\nServer: ", b"a"),
    "a header": Drip(OK + b"Server: ", b"a"),
    "headers": Drip(OK, b"Server: a\r\n"),
    "a body with a length": Drip(OK + b"Content-Length: 9999\r\n\r\n", b" "),
    "a body to the end of the connection": Drip(OK + b"\r\n[]", b" "),
    "the size of a chunk": Drip(CHUNKED, b"0"),
    "an extension of a chunk": Drip(CHUNKED + b"2;", b"a"),
    "chunks": Drip(CHUNKED, b"1\r\n \r\n"),
    "a trailer": Drip(CHUNKED + b"2\r\n[]\r\n0\r\nServer: ", b"a"),
    "trailers": Drip(CHUNKED + b"2\r\n[]\r\n0\r\n", b"Server: a\r\n"),
}

IN_FRONT = {
    "a TLS handshake": Drip(HANDSHAKE, b"\0"),
    "the status line of a proxy": Drip(b"HTTP/1.1 200 ", b"O"),
    "the headers of a proxy": Drip(b"HTTP/1.1 200 OK\r\n", b"Server: a\r\n"),
}
"""Before the request is sent."""


def read(url: str, **env: str) -> tuple[str, float]:
    """Try to read an account; return the error and the seconds until it came."""
    config = {"api_url": url, "auth_token": "t", "max_retries": 0, "request_timeout": 1}
    began = time.monotonic()
    run = run_in_process({**config, "read_ahead": 0, **only(CRM)}, env=env)
    return complaint(run), time.monotonic() - began


@pytest.mark.parametrize("drip", DRIPS.values(), ids=DRIPS)
def test_a_response_that_never_ends_times_out(drip: Drip) -> None:
    """In each attempt, although each byte comes in time."""
    with dripping(drip) as port:
        error, seconds = read(f"http://127.0.0.1:{port}")
    assert "timed out after 1 attempts. Run again later" in error
    assert seconds < MAX_SECONDS


@pytest.mark.parametrize("drip", IN_FRONT.values(), ids=IN_FRONT)
def test_a_connection_that_is_never_ready_times_out(drip: Drip) -> None:
    """The request is not sent, so the address, the proxy or the network may be wrong."""
    with dripping(drip) as port:
        here = f"127.0.0.1:{port}"
        if drip is IN_FRONT["a TLS handshake"]:
            error, seconds = read(f"https://{here}")
        else:
            proxy = f"http://{here}"
            error, seconds = read("https://cube.example.org", HTTPS_PROXY=proxy, https_proxy=proxy)
    assert "the host cannot be reached (the connection timed out)" in error
    assert "check 'api_url', the network, and the proxies and firewalls between" in error
    assert seconds < MAX_SECONDS


def test_all_redirects_of_an_attempt_share_its_time() -> None:
    """Each of them would be in time alone."""
    with dripping(Drip(b"HTTP/1.1 302 Found\r\nLocation:\r\n\r\n", b" ", delay=0.4)) as port:
        error, _ = read(f"http://127.0.0.1:{port}")
    assert "timed out after 1 attempts" in error


def test_a_name_that_is_never_resolved_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own limits are longer."""
    is_over = threading.Event()

    def resolve(*_: object, **__: object) -> Any:  # noqa: ANN401 - addresses
        is_over.wait(MAX_SECONDS)
        raise socket.gaierror(socket.EAI_AGAIN, "late")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    error, seconds = read("https://cube.example.org", HTTPS_PROXY="", https_proxy="")
    is_over.set()
    assert "the host cannot be reached (it does not answer)" in error
    assert seconds < MAX_SECONDS


def test_all_addresses_of_a_host_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A silent address takes half of what is left, so that the next one has its turn."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as waiting:
        for _ in range(3):
            connection = waiting.enter_context(socket.socket())
            connection.setblocking(False)  # noqa: FBT003 - its name says it
            connection.connect_ex(full.getsockname())
        address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", full.getsockname())
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [address] * MAX_SECONDS)
        error, seconds = read("https://cube.example.org", HTTPS_PROXY="", https_proxy="")
    assert "the host cannot be reached (it does not answer)" in error
    assert seconds < MAX_SECONDS / 2


def test_a_connection_outlives_the_deadlines_of_its_requests() -> None:
    """A request that was in time leaves it in good order to the next ones."""
    peers = set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            peers.add(self.client_address)
            time.sleep(0.3)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        client = client_of(server.server_port, max_retries=0)
        for _ in range(6):
            client.get("/", LABEL, bytes)
    assert len(peers) == 1


def test_interim_responses_are_skipped() -> None:
    """The response comes after them."""
    odd = b"Content-Type: multipart/mixed; part*%b*=x" % (b"9" * 5000)  # which Python cannot parse
    hints = b"HTTP/1.1 103 Early Hints\r\n%b\r\n\r\n"
    interim = b"HTTP/1.1 100 Continue\r\n\r\n" + hints % b"Link: a" + hints % odd
    with dripping(
        Drip(interim + OK + b"Content-Length: 4\r\nConnection: close\r\n\r\n[1]", b"\n")
    ) as port:
        assert client_of(port, max_retries=0).get("/", LABEL, bytes).content == b"[1]\n"


def client_of(port: int, **settings: object) -> CubeClient:
    """A client that waits for one second."""
    config = {"api_url": f"http://127.0.0.1:{port}", "auth_token": "t", "request_timeout": 1}
    logger = logging.getLogger("tap-cube.test")
    return CubeClient(Settings.from_config({**config, **settings}), logger)
