"""Hosts that cannot be reached: the run ends soon, and the sentence says where to look."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Any

import pytest
from urllib3.util import connection

from tap_cube.http import client, transport
from tests.support.dripping import Drip, dripping
from tests.support.in_process import run_in_process
from tests.support.runs import CRM, CUSTOMERS, complaint, ids, only, read_at
from tests.support.strange_server import decoy, pages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOST = "cube.example.org"
PAGE = {"count": 1, "next": None, "results": [{"crm__customer_id": "1"}]}


class Network:
    """Makes connections, unless it is told to fail."""

    def __init__(self, connect: Callable[..., socket.socket]) -> None:
        """Work like the real one."""
        self.connect = connect
        self.failures: list[OSError] = []
        self.attempts = 0

    def __call__(self, *args: Any, **options: Any) -> socket.socket:  # noqa: ANN401 - any argument
        """Connect, or fail."""
        self.attempts += 1
        if self.failures:
            raise self.failures.pop(0)
        return self.connect(*args, **options)


@pytest.fixture(autouse=True)
def _without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect to the host itself, whatever the environment says."""
    for scheme in ("http", "https", "all"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme}_proxy".upper(), raising=False)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    """Replace the connections of urllib3."""
    network = Network(connection.create_connection)
    monkeypatch.setattr(connection, "create_connection", network)
    return network


@pytest.mark.parametrize(
    ("error", "reason", "remedy"),
    [
        (socket.gaierror(socket.EAI_NONAME, HOST), "its name does not resolve", "DNS"),
        (socket.gaierror(socket.EAI_AGAIN, HOST), "its name does not resolve", "DNS"),
        (ConnectionRefusedError(errno.ECONNREFUSED, HOST), "it refuses connections", "port"),
        (OSError(errno.ENETUNREACH, HOST), "no network leads to it", "the network"),
        (OSError(errno.EHOSTUNREACH, HOST), "no network leads to it", "the network"),
        (TimeoutError(HOST), "it does not answer", "firewalls"),
    ],
    ids=["no such name", "no name server", "refused", "no network", "no route", "silence"],
)
def test_a_host_that_never_answered_is_given_up_soon(
    network: Network, error: OSError, reason: str, remedy: str
) -> None:
    """A few attempts, in case it was a hiccup, and advice about the address and the network."""
    network.failures = [error] * 9
    run = read_at(f"https://{HOST}", max_retries=8, read_ahead=0)
    sentence = complaint(run)
    assert f"the host cannot be reached ({reason})" in sentence
    assert "'api_url'" in sentence
    assert remedy in sentence
    assert "max_retries" not in sentence
    assert HOST not in run.stderr
    assert network.attempts == 3


def test_a_hiccup_at_the_start_is_no_failure(network: Network) -> None:
    """A name that resolves at the third attempt is in time."""
    network.failures = [socket.gaierror(socket.EAI_AGAIN, "busy")] * 2
    with pages(lambda _: PAGE) as server:
        run = read_at(server.url, **only(CRM))
    assert run.returncode == 0, run.stderr
    assert ids(run.records[CUSTOMERS]) == {"1"}


@pytest.mark.parametrize(("failures", "is_enough"), [(4, True), (9, False)])
def test_a_host_that_has_answered_is_waited_for(
    network: Network, failures: int, *, is_enough: bool
) -> None:
    """All attempts are made; after the last one no other stream is tried."""

    def page(_: int) -> Any:  # noqa: ANN401 - JSON
        if len(server.asked) == 1:
            network.attempts = 0
            network.failures = [ConnectionRefusedError(errno.ECONNREFUSED, "down")] * failures
        return PAGE

    with pages(page) as server:
        run = read_at(server.url, max_retries=4, read_ahead=0, **only(CRM))
    if is_enough:
        assert run.returncode == 0, run.stderr
        return
    assert (
        "the host cannot be reached (it refuses connections) after 5 attempts. Run again later; "
        "if it persists, check host and port in 'api_url'."
    ) in complaint(run)
    assert network.attempts == 5


@pytest.fixture
def silence() -> Iterator[str]:
    """The host and port of a server that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def test_a_tls_handshake_without_end_is_no_answer(
    silence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts as part of the connection."""
    for module in (client, transport):
        monkeypatch.setattr(module, "CONNECT_SECONDS", 0.3)
    run = read_at(f"https://{silence}", max_retries=8, read_ahead=0)
    assert "the host cannot be reached (it does not answer); check 'api_url'" in complaint(run)


def test_a_host_that_accepts_and_is_slow_is_waited_for(silence: str) -> None:
    """Its address is right, so nothing is said about names and networks."""
    run = read_at(f"http://{silence}", max_retries=1, read_ahead=0, request_timeout=1)
    sentence = complaint(run)
    assert "timed out after 2 attempts" in sentence
    assert "'request_timeout'" in sentence
    assert "'api_url'" not in sentence


def test_a_host_that_hangs_up_is_waited_for() -> None:
    """It accepted the connection, so it may be about to start again."""
    with decoy() as server:
        run = read_at(f"https://127.0.0.1:{server.port}", max_retries=1, read_ahead=0)
        attempts = server.received.count(b"connected")
    assert "connection closed before the response was complete after 2 attempts" in complaint(run)
    assert attempts == 2


def test_a_name_that_is_not_valid_is_named() -> None:
    """A name with letters beyond ASCII is checked when it is looked up."""
    run = read_at("https://-bl\u00e5b\u00e6r-.example.org", max_retries=8, read_ahead=0)
    assert "the host cannot be reached (its name is not valid); check 'api_url'" in complaint(run)


def test_a_port_without_tls_is_named() -> None:
    """The address may have the wrong scheme or port."""
    with pages(lambda _: PAGE) as server:
        run = read_at(server.url.replace("http:", "https:"), max_retries=8, read_ahead=0)
    sentence = complaint(run)
    assert "the host cannot be reached (it makes no TLS connection)" in sentence
    assert "check scheme and port in 'api_url'" in sentence


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH\r\n", b"\x15\x03\x01\x00\x02\x02\x46"])
def test_a_port_without_http_is_named(greeting: bytes) -> None:
    """Such as that of another service, or one with TLS."""
    with dripping(Drip(greeting, b"\n")) as port:
        run = read_at(f"http://127.0.0.1:{port}", max_retries=0, read_ahead=0)
    sentence = complaint(run)
    assert "the response is not HTTP" in sentence
    assert "check scheme and port in 'api_url'" in sentence


def test_a_dead_proxy_is_named() -> None:
    """The address of the account is right."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        proxy = f"http://127.0.0.1:{closed.getsockname()[1]}"
    run = run_in_process(
        {"api_url": f"https://{HOST}", "auth_token": "t"},
        env={"HTTPS_PROXY": proxy, "https_proxy": proxy},
    )
    assert (
        "the host cannot be reached (the proxy makes no connection to it); "
        "check the variables HTTPS_PROXY and NO_PROXY"
    ) in complaint(run)
