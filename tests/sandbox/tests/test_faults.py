"""Each fault happens on the socket."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest
import requests

from cube_sandbox import Fault, Request

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

    from .conftest import Ask

S1 = "/api/v1/assignments/9/customers/"
SIGNAL_GRACE = 60.0
"""Seconds in which a busy machine responds."""


def exchange(cube: Sandbox, seconds: float = SIGNAL_GRACE) -> bytes:
    """Send a request over a socket and read until the server closes it or is silent for a while.

    Raises:
        ConnectionResetError: The other side broke off.
        TimeoutError: The other side went silent; what came before is the error's argument.
    """
    host, _, port = cube.url.removeprefix("http://").partition(":")
    received = b""
    with socket.create_connection((host, int(port)), timeout=SIGNAL_GRACE) as connection:
        request = f"GET {S1} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Token {cube.token}\r\n\r\n"
        connection.sendall(request.encode())
        try:
            while part := connection.recv(65536):
                received += part
                connection.settimeout(seconds)
        except TimeoutError:
            raise TimeoutError(received) from None
    return received


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429])
def test_client_errors_are_the_frameworks(cube: Sandbox, ask: Ask, status: int) -> None:
    """4xx responses are JSON with a detail."""
    cube.faults = [Fault(str(status))]  # type: ignore[arg-type]
    answer = ask(S1)
    assert answer.status_code == status
    assert list(answer.json()) == ["detail"]
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_errors_are_html(cube: Sandbox, ask: Ask, status: int) -> None:
    """5xx responses are HTML pages."""
    cube.faults = [Fault(str(status), retry_after="Wed, 21 Oct 2026 07:28:00 GMT")]  # type: ignore[arg-type]
    answer = ask(S1)
    assert answer.status_code == status
    assert answer.headers["Retry-After"] == "Wed, 21 Oct 2026 07:28:00 GMT"
    assert answer.text.startswith("<!doctype html>")


def test_throttling_says_how_long(cube: Sandbox, ask: Ask) -> None:
    """429 has the framework's message, and `Retry-After` if the wait is known."""
    cube.faults = [Fault("429", retry_after=60, times=1), Fault("429", times=1)]
    answer = ask(S1)
    assert answer.headers["Retry-After"] == "60"
    detail = "Request was throttled. Expected available in 60 seconds."
    assert answer.json() == {"detail": detail}
    assert "Retry-After" not in ask(S1).headers
    assert ask(S1).status_code == 200


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("not-envelope", '{"detail": "Maintenance."}'),
        ("empty-list", "[]"),
        ("html", "<!doctype html>\n<html><body><h1>Logg inn</h1></body></html>\n"),
    ],
)
def test_wrong_bodies_are_200(cube: Sandbox, ask: Ask, kind: str, text: str) -> None:
    """The status is 200 although the body is wrong."""
    cube.faults = [Fault(kind)]  # type: ignore[arg-type]
    answer = ask(S1)
    assert (answer.status_code, answer.text) == (200, text)


def test_bodies_can_be_anything(cube: Sandbox, ask: Ask) -> None:
    """`body` replaces the kind's body; by default JSON is truncated or has no list."""
    cube.faults = [Fault("not-json", body="\ufeff{}", times=1), Fault("not-json", times=1)]
    assert ask(S1).content == "\ufeff{}".encode()
    with pytest.raises(requests.JSONDecodeError):
        ask(S1).json()
    cube.faults = [Fault("results-not-list")]
    assert isinstance(ask(S1).json()["results"], dict)


def test_redirects_lead_elsewhere(cube: Sandbox, ask: Ask) -> None:
    """302 has a location."""
    cube.faults = [Fault("redirect", location="http://demo.example.org/")]
    answer = ask(S1)
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://demo.example.org/")


def test_a_reset_comes_in_mid_body(cube: Sandbox) -> None:
    """The connection is reset while the client reads the body."""
    cube.faults = [Fault("reset")]
    with pytest.raises(ConnectionResetError):
        exchange(cube)


def test_a_refused_connection_sends_nothing(cube: Sandbox) -> None:
    """The connection is reset before the first byte."""
    cube.faults = [Fault("refuse")]
    with pytest.raises(ConnectionResetError):
        exchange(cube)


def test_a_truncated_body_is_shorter_than_promised(cube: Sandbox) -> None:
    """The connection is closed without a reset, but too early."""
    cube.faults = [Fault("truncate")]
    head, _, body = exchange(cube).partition(b"\r\n\r\n")
    (length,) = (line for line in head.split(b"\r\n") if line.startswith(b"Content-Length"))
    assert 0 < len(body) < int(length.partition(b": ")[2])


def test_truncated_gzip_has_its_promised_length(cube: Sandbox, ask: Ask) -> None:
    """Only decompressing the body shows that it is truncated."""
    cube.faults = [Fault("truncate-gzip")]
    answer = ask(S1, headers={"Authorization": f"Token {cube.token}"})
    assert answer.headers["Content-Encoding"] == "gzip"
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_a_stalled_response_has_headers_only(cube: Sandbox) -> None:
    """The server sends headers, then nothing."""
    cube.faults = [Fault("stall", seconds=30)]
    with pytest.raises(TimeoutError) as silence:
        exchange(cube, seconds=0.5)
    assert silence.value.args[0].startswith(b"HTTP/1.1 200 OK\r\n")
    assert silence.value.args[0].endswith(b"\r\n\r\n")


def test_an_endless_response_ends_with_the_client(cube: Sandbox, ask: Ask) -> None:
    """The server sends more than any page has, and still serves afterwards."""
    cube.faults = [Fault("endless", times=1)]
    headers = {"Authorization": f"Token {cube.token}"}
    with requests.get(cube.url + S1, headers=headers, stream=True, timeout=SIGNAL_GRACE) as answer:
        size = 0
        for part in answer.iter_content(65536):
            size += len(part)
            if size > 500_000:
                break
    assert ask(S1).status_code == 200


def test_a_delayed_response_is_correct(cube: Sandbox, ask: Ask) -> None:
    """A delay does not change the response."""
    cube.faults = [Fault("delay", seconds=0.05)]
    assert ask(S1).json()["count"] == 8


@pytest.mark.parametrize(
    ("fault", "struck"),
    [
        (Fault("500"), [1, 2, 3, 4]),
        (Fault("500", at=3), [3]),
        (Fault("500", at=(1, 4)), [1, 4]),
        (Fault("500", times=2), [1, 2]),
        (Fault("500", page=2), [2, 4]),
        (Fault("500", row="C2"), [3, 4]),
        (Fault("500", row="C2", page=1), [3]),
    ],
)
def test_faults_choose_their_requests(
    cube: Sandbox, ask: Ask, fault: Fault, struck: list[int]
) -> None:
    """Faults select requests by number, page, row and count."""
    cube.faults = [fault]
    c2 = "/api/v1/data_owners/2/B2B/customers/"
    responses = [ask(path) for path in (S1, f"{S1}?page=2", c2, f"{c2}?page=2")]
    assert [n for n, response in enumerate(responses, 1) if response.status_code == 500] == struck


def test_a_share_of_requests_is_the_same_for_a_seed() -> None:
    """The seed and the request's number determine which requests are affected."""
    fault = Fault("500", share=0.2)
    requested = [Request(number, "GET", S1, "", "S1", None) for number in range(1, 1001)]
    struck = [[fault.matches(request, seed) for request in requested] for seed in (1, 1, 2)]
    assert struck[0] == struck[1] != struck[2]
    assert 100 < sum(struck[0]) < 300


def test_a_fault_set_again_happens_again(cube: Sandbox, ask: Ask) -> None:
    """`times` counts for one fault, not for equal ones."""
    for _ in range(2):
        cube.faults = [Fault("500", times=1)]
        assert [ask(S1).status_code for _ in range(2)] == [500, 200]


def test_an_unknown_fault_is_refused() -> None:
    """An unknown kind is an error at once."""
    with pytest.raises(ValueError, match="'eaten' is not a kind of fault"):
        Fault("eaten")  # type: ignore[arg-type]


def test_faults_leave_no_thread_waiting(running: Sandbox) -> None:
    """A sandbox with a stalled response closes and ends its threads."""
    before = set(threading.enumerate())
    other = type(running)(customers=1, faults=[Fault("stall", seconds=600)])
    with other, pytest.raises(TimeoutError):
        exchange(other, seconds=0.2)
    assert set(threading.enumerate()) <= before
