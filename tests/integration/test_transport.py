"""Headers of requests and proxies of the environment, checked at the server."""

from __future__ import annotations

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from tap_cube.http.transport import Transport
from tap_cube.settings import Settings
from tests.support.strange_server import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "made-up-token"  # noqa: S105 - no credential of anybody
NOWHERE = "http://127.0.0.1:9"
PROXIES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")


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

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


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


def test_cookies_are_sent_back(server: Recorder) -> None:
    """A load balancer can use a cookie to select the same server."""
    sender = transport(server.url)
    get_status(sender, f"{server.url}/a")
    get_status(sender, f"{server.url}/b")
    assert [headers.get("Cookie") for _, headers in server.requests] == [None, "server=b"]


def test_a_proxy_of_the_environment_is_used(
    server: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment is read when the transport is created."""
    monkeypatch.setenv("HTTP_PROXY", server.url)
    sender = transport(NOWHERE)
    monkeypatch.delenv("HTTP_PROXY")
    assert get_status(sender, f"{NOWHERE}/a") == 200
    assert [path for path, _ in server.requests] == [f"{NOWHERE}/a"]


def test_a_host_in_no_proxy_is_requested_directly(
    server: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`NO_PROXY` excludes hosts from the proxy."""
    monkeypatch.setenv("HTTP_PROXY", NOWHERE)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert get_status(transport(server.url), f"{server.url}/a") == 200
    assert [path for path, _ in server.requests] == ["/a"]
