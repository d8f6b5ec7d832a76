"""WSGI middleware around Django: logs requests, delays responses and injects faults."""

from __future__ import annotations

import gzip
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC
from email.utils import format_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    NotFound,
    ParseError,
    PermissionDenied,
    Throttled,
)
from rest_framework.renderers import JSONRenderer
from waitress.channel import ClientDisconnected

from cube_sandbox.project import current
from cube_sandbox.urls import row_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from cube_sandbox.faults import Fault
    from cube_sandbox.sandbox import Sandbox

CHANNEL = "cube_sandbox.channel"

Headers = list[tuple[str, str]]
Write = Callable[[bytes], object]

_JSON = ("Content-Type", "application/json")
_HTML = ("Content-Type", "text/html; charset=utf-8")
_PAGE = "<!doctype html>\n<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>\n"
_ERRORS: dict[str, APIException] = {
    "400": ParseError(),
    "401": AuthenticationFailed("Invalid token."),
    "403": PermissionDenied(),
    "404": NotFound(),
}
_WRONG_BODIES = {
    "html": "<!doctype html>\n<html><body><h1>Logg inn</h1></body></html>\n",
    "not-json": '{"count": 3, "next": null, "previous": null, "results": [{"crm__cus',
    "not-envelope": '{"detail": "Maintenance."}',
    "results-not-list": '{"count": 1, "next": null, "previous": null, "results": {"1": {}}}',
    "empty-list": "[]",
}


class FaultInjector:
    """The WSGI application of one sandbox."""

    def __init__(self, cube: Sandbox, application: WSGIApplication) -> None:
        """Wrap Django's application."""
        self._cube = cube
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Respond to one request, or inject a fault."""
        cube = self._cube
        before = current.set(cube)
        try:
            path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
            request = cube.log_request(
                method=environ["REQUEST_METHOD"],
                path=path,
                query=environ["QUERY_STRING"],
                row=row_of(cube.rows, environ["REQUEST_METHOD"], path),
                scheme_of_auth=environ.get("HTTP_AUTHORIZATION", "").partition(" ")[0] or None,
            )
            if cube.before_request is not None:
                cube.before_request(request)
            if cube.now is not None:
                start_response = _dated(start_response, cube.now)
            cube.closing.wait(cube.delay)
            fault = cube.fault_for(request)
            if fault is None:
                return self._application(environ, start_response)
            return self._inject(fault, environ, start_response)
        finally:
            current.reset(before)

    def _inject(
        self, fault: Fault, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        if fault.kind == "delay":
            self._cube.closing.wait(fault.seconds)
            return self._application(environ, start_response)
        if fault.kind == "refuse":
            _reset_on_close(environ)
            raise ClientDisconnected
        if fault.kind in {"stall", "endless"}:
            write = start_response("200 OK", [_JSON])
            write(b"")  # sends the headers at once
            return self._stall(fault, environ)
        if fault.kind in {"reset", "truncate", "truncate-gzip"}:
            return self._send_half(fault, environ, start_response)
        status, headers, body = _fault_response(fault)
        headers.append(("Content-Length", str(len(body))))
        start_response(f"{status.value} {status.phrase}", headers)
        return [body]

    def _send_half(
        self, fault: Fault, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Make the correct response and send half of it."""
        started: list[tuple[str, Headers]] = []

        def remember(status: str, headers: Headers, *_error: object) -> Write:
            started.append((status, headers))
            return lambda _body: None

        environ.pop("HTTP_ACCEPT_ENCODING", None)
        body = b"".join(self._application(environ, remember))
        status, headers = started[0]
        kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
        promised = len(body)
        if fault.kind == "truncate-gzip":
            packed = gzip.compress(body)
            body = packed[: len(packed) // 2]
            promised = len(body)
            kept.append(("Content-Encoding", "gzip"))
        else:
            body = body[: promised // 2]
        if fault.kind == "reset":
            _reset_on_close(environ)
        start_response(status, [*kept, ("Content-Length", str(promised))])
        return [body]

    def _stall(self, fault: Fault, environ: WSGIEnvironment) -> Iterator[bytes]:
        """Send nothing for a while, or blanks until the client or the sandbox closes."""
        channel, closing = environ[CHANNEL], self._cube.closing
        pause, pauses = 0.02, int(fault.seconds / 0.02)
        while not channel.check_client_disconnected() and not closing.wait(pause):
            if fault.kind == "endless":
                yield b" " * 8192
            elif (pauses := pauses - 1) < 0:
                break
        _reset_on_close(environ)


def _dated(start_response: StartResponse, now: datetime) -> StartResponse:
    """Give each response a Date header; the web server adds none then."""
    date = format_datetime(now.astimezone(UTC), usegmt=True)

    def start(status: str, headers: Headers, *error: object) -> Write:
        return start_response(status, [*headers, ("Date", date)], *error)  # type: ignore[arg-type]  # passed on unchanged

    return start


def _fault_response(fault: Fault) -> tuple[HTTPStatus, Headers, bytes]:
    """Make the response of a fault that is a complete response."""
    headers: Headers = []
    if fault.retry_after is not None:
        headers.append(("Retry-After", str(fault.retry_after)))
    if fault.kind == "redirect":
        headers += [("Location", fault.location), _HTML]
        return HTTPStatus.FOUND, headers, b""
    if fault.kind in _WRONG_BODIES:
        headers.append(_HTML if fault.kind == "html" else _JSON)
        text = _WRONG_BODIES[fault.kind] if fault.body is None else fault.body
        return HTTPStatus.OK, headers, text.encode()
    status = HTTPStatus(int(fault.kind))
    if status is HTTPStatus.TOO_MANY_REQUESTS:
        wait = fault.retry_after if isinstance(fault.retry_after, int) else None
        body = JSONRenderer().render({"detail": Throttled(wait).detail})
        headers.append(_JSON)
    elif fault.kind in _ERRORS:
        body = JSONRenderer().render({"detail": _ERRORS[fault.kind].detail})
        headers.append(_JSON)
        if status is HTTPStatus.UNAUTHORIZED:
            headers.append(("WWW-Authenticate", "Token"))
    else:
        body = _PAGE.format(f"{status.phrase} ({status.value})").encode()
        headers.append(_HTML)
    return status, headers, body if fault.body is None else fault.body.encode()


def _reset_on_close(environ: WSGIEnvironment) -> None:
    """Close the connection by a TCP reset, unless the client has closed it already."""
    linger = struct.pack("ii", 1, 0)
    connection = environ[CHANNEL].socket
    if connection is not None:
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
