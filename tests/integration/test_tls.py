"""TLS is verified, and a private authority is named by the usual variable."""

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

from tests.tap_process import run_tap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "made-up-token"  # noqa: S105 - no credential of anybody


class Handler(BaseHTTPRequestHandler):
    """An account with one campaign."""

    def do_GET(self) -> None:
        """Answer C1; there is nothing else."""
        found = self.path == "/api/v1/campaigns"
        body = json.dumps([{"campaign__id": 1}] if found else {}).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def secure_account(authority: trustme.CA) -> Iterator[str]:
    """Serve over TLS with a certificate of this authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("is_known", [True, False])
def test_a_certificate_counts_only_with_its_authority(tmp_path: Path, *, is_known: bool) -> None:
    """Without REQUESTS_CA_BUNDLE the run ends in one sentence, with it the account is read."""
    authority = trustme.CA()
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    with secure_account(authority) as url:
        run = run_tap(
            {"api_url": url, "auth_token": TOKEN, "max_retries": 0},
            env={"REQUESTS_CA_BUNDLE": str(bundle if is_known else other)},
        )
    assert TOKEN not in run.stdout + run.stderr
    if is_known:
        assert [row["campaign__id"] for row in run.records["campaigns"]] == [1]
    else:
        assert run.returncode == 1
        assert "certificate could not be verified" in run.stderr
        assert "Traceback" not in run.stderr
