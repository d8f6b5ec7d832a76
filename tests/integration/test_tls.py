"""TLS: certificates are verified, HTTP is rejected, variables name a private authority."""

from __future__ import annotations

import json
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest
import trustme
from typing_extensions import override

from tests.support.in_process import run_in_process
from tests.support.runs import complaint, read_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "made-up-token"  # noqa: S105 - no credential of anybody
NO_AUTHORITIES = dict.fromkeys(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"), "")
"""Clears the variables of the machine that runs the test."""


class Handler(BaseHTTPRequestHandler):
    """An account with one campaign."""

    def do_GET(self) -> None:
        """Respond to C1; everything else is HTTP 404."""
        found = self.path == "/api/v1/campaigns"
        body = json.dumps([{"campaign__id": 1}] if found else {}).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


class Downgrading(Handler):
    """An account that redirects to its own host and port without TLS."""

    @override
    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", f"http://{self.headers['Host']}{self.path}")
        self.end_headers()


@contextmanager
def secure_account(authority: trustme.CA, handler: type[Handler] = Handler) -> Iterator[str]:
    """Serve over TLS with a certificate of this authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    """A private authority, with its certificate in a file."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    return authority


@pytest.mark.parametrize(
    ("variable", "file", "is_known"),
    [
        ("REQUESTS_CA_BUNDLE", "authority.pem", True),
        ("CURL_CA_BUNDLE", "authority.pem", True),
        ("REQUESTS_CA_BUNDLE", "other.pem", False),
        ("SSL_CERT_FILE", "authority.pem", False),
    ],
)
def test_a_certificate_is_valid_only_with_its_authority(
    tmp_path: Path, authority: trustme.CA, variable: str, file: str, *, is_known: bool
) -> None:
    """The run succeeds if a supported variable names the authority, and fails otherwise."""
    with secure_account(authority) as url:
        run = run_in_process(
            {"api_url": url, "auth_token": TOKEN, "max_retries": 0},
            env={**NO_AUTHORITIES, variable: str(tmp_path / file)},
        )
    assert TOKEN not in run.stdout + run.stderr
    if is_known:
        assert [row["campaign__id"] for row in run.records["campaigns"]] == [1]
    else:
        assert "certificate could not be verified" in complaint(run)


def test_a_redirect_to_plain_http_is_rejected(tmp_path: Path, authority: trustme.CA) -> None:
    """The credential is not sent without TLS, not even to the same host."""
    with secure_account(authority, Downgrading) as url:
        run = run_in_process(
            {"api_url": url, "auth_token": TOKEN, "max_retries": 0},
            env={"REQUESTS_CA_BUNDLE": str(tmp_path / "authority.pem")},
        )
    assert "redirected to another address, where the tap does not send the credential" in complaint(
        run
    )


def test_http_to_a_port_with_tls_is_named(authority: trustme.CA) -> None:
    """The connection breaks off at once, so the address may have the wrong scheme or port."""
    with secure_account(authority) as url:
        run = read_at(url.replace("https:", "http:"), max_retries=0, read_ahead=0)
    sentence = complaint(run)
    assert "connection closed before the response was complete" in sentence
    assert "check scheme and port in 'api_url'" in sentence
