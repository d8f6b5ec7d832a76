"""Headers of requests and proxies of the environment, checked at the server."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import requests
from typing_extensions import override

from tap_cube.http.transport import Transport
from tap_cube.settings import Settings
from tests.support.strange_server import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "made-up-token"  # noqa: S105 - no credential of anybody
NOWHERE = "http://127.0.0.1:9"
PROXIES = tuple(
    name
    for scheme in ("http", "https", "all", "no")
    for name in (f"{scheme}_proxy", f"{scheme}_PROXY".upper())
)


class Recorder(ThreadingHTTPServer):
    """A server that records requests, as an account or as a proxy."""

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.requests: list[tuple[str, dict[str, str]]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Recorder
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.requests.append((self.path, dict(self.headers)))
        self.send_response(302 if self.path.endswith("/moved") else 200)
        self.send_header("Location", "/elsewhere")
        self.send_header("Set-Cookie", "server=b")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    def do_CONNECT(self) -> None:
        self.server.requests.append((self.path, dict(self.headers)))
        self.send_error(403)

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no connection be made."""

    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "no network")

    monkeypatch.setattr(socket, "getaddrinfo", fail)


@pytest.fixture
def server() -> Iterator[Recorder]:
    """Serve until the test ends."""
    with running() as server:
        yield server


@contextmanager
def running() -> Iterator[Recorder]:
    """Serve until the block ends."""
    with serving(Recorder()) as server:
        yield server


def transport(url: str, **config: Any) -> Transport:  # noqa: ANN401 - settings of any type
    """A transport to an address."""
    config = config or {"auth_token": TOKEN}
    return Transport(Settings.from_config({"api_url": url, "user_agent": "ours", **config}))


def get_status(sender: Transport, url: str) -> int:
    """Send one request, read the response and return its status."""
    with sender.get(url) as response:
        response.raw.read()
        return response.status_code


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"auth_token": TOKEN}, f"Token {TOKEN}"),
        ({"username": "ola", "password": "x"}, "Basic b2xhOng="),
    ],
)
def test_a_request_has_the_credential_of_the_settings(
    server: Recorder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    config: dict[str, str],
    expected: str,
) -> None:
    """An entry for the host in `.netrc` does not replace it."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert get_status(transport(server.url, **config), f"{server.url}/a") == 200
    [(path, headers)] = server.requests
    assert path == "/a"
    assert headers["Authorization"] == expected
    assert headers["User-Agent"] == "ours"
    assert headers["Accept"] == headers["Content-Type"] == "application/json"
    assert headers["Accept-Encoding"] == "gzip"


def test_a_redirect_is_returned(server: Recorder) -> None:
    """The caller decides whether to follow it."""
    assert get_status(transport(server.url), f"{server.url}/moved") == 302
    assert len(server.requests) == 1


def test_no_cookie_is_sent(server: Recorder) -> None:
    """Whatever the server sets; only the credential says who asks. To parse it would take time."""
    sender = transport(server.url)
    for path in ("a", "moved", "b"):
        with sender.get(f"{server.url}/{path}") as response:
            response.raw.read()
        assert not response.cookies
    assert [headers.get("Cookie") for _, headers in server.requests] == [None] * 3


def test_a_proxy_of_the_environment_is_used(
    server: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment is read when the transport is created."""
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    sender = transport("https://cube.example.org")
    monkeypatch.delenv("HTTPS_PROXY")
    with pytest.raises(requests.exceptions.ProxyError):
        get_status(sender, "https://cube.example.org/a")
    [(target, headers)] = server.requests
    assert target == "cube.example.org:443"
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.9.8.7", "localhost", "LocalHost", "localhost.", "cube.localhost", "[::1]",
        "[::ffff:127.0.0.1]", "[0:0:0:0:0:0:0:1]", "127.1", "0x7f.1", "2130706433",
        "0.0.0.0",  # noqa: S104 - nothing is bound
    ],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.usefixtures("_no_network")
def test_this_machine_is_requested_without_a_proxy(
    server: Recorder, monkeypatch: pytest.MonkeyPatch, scheme: str, host: str
) -> None:
    """A proxy on another machine would receive the credential, and means another machine."""
    for name in PROXIES:
        monkeypatch.setenv(name, "" if name.lower() == "no_proxy" else server.url)
    settings = Settings.from_config({"api_url": NOWHERE, "auth_token": TOKEN})
    url = f"{scheme}://{host}:9"
    with pytest.raises(requests.ConnectionError) as caught:
        get_status(Transport(replace(settings, api_url=url)), f"{url}/a")
    assert not isinstance(caught.value, requests.exceptions.ProxyError)
    assert server.requests == []


@pytest.mark.usefixtures("_no_network")
def test_a_host_in_no_proxy_is_requested_directly(
    server: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`NO_PROXY` excludes hosts from the proxy."""
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    monkeypatch.setenv("NO_PROXY", "cube.example.org")
    with pytest.raises(requests.ConnectionError) as caught:
        get_status(transport("https://cube.example.org"), "https://cube.example.org/a")
    assert not isinstance(caught.value, requests.exceptions.ProxyError)
    assert server.requests == []
