"""Servers that no sandbox can be: one that only listens, and one with pages made up at will."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

S = TypeVar("S", bound=ThreadingHTTPServer)

CUSTOMERS_PATH = "/api/v1/data_owners/2/B2B/customers/"
TOO_MANY = 2000
"""Requests after which a server gives up on a client that never would."""


class Decoy:
    """Listens where no request may ever arrive, and keeps what arrived all the same."""

    def __init__(self, listening: socket.socket) -> None:
        """Accept from now on."""
        self.port: int = listening.getsockname()[1]
        self.received: list[bytes] = []
        self._listening = listening
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(1)
                self.received.append(b"connected")
                try:
                    self.received.append(connection.recv(2**16))
                except TimeoutError:
                    continue

    def close(self) -> None:
        """Stop listening."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._thread.join()


@contextmanager
def decoy() -> Iterator[Decoy]:
    """Open a decoy on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        decoy = Decoy(listening)
        try:
            yield decoy
        finally:
            decoy.close()


@dataclass(frozen=True, slots=True)
class Reply:
    """A response that is no page: status, headers, body and reason."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    reason: str = ""


class PagesServer(ThreadingHTTPServer):
    """Answers for the customers of one CRM, or at another path, with what a function makes."""

    def __init__(self, answer: Callable[[int], Any]) -> None:
        """Listen on a free port. The function returns JSON with status 200, or a `Reply`."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.asked: list[int] = []
        self.is_dated = True
        self.path = CUSTOMERS_PATH

    @property
    def url(self) -> str:
        """The address that a client is given."""
        return f"http://127.0.0.1:{self.server_port}"

    def body(self, target: str) -> bytes | Reply | None:
        """Body for a path and query, or a whole reply; None for one that is not there."""
        if urlsplit(target).path != self.path or len(self.asked) > TOO_MANY:
            return None
        number = int(parse_qs(urlsplit(target).query).get("page", ["1"])[0])
        self.asked.append(number)
        answer = self.answer(number)
        return answer if isinstance(answer, Reply) else json.dumps(answer).encode()


class _Handler(BaseHTTPRequestHandler):
    server: PagesServer

    def do_GET(self) -> None:
        reply = self.server.body(self.path)
        if not isinstance(reply, Reply):
            reply = Reply(404) if reply is None else Reply(200, body=reply)
        self.send_response_only(reply.status, reply.reason)
        dated = {"Date": self.date_time_string()} if self.server.is_dated else {}
        length = {"Content-Length": str(len(reply.body))}
        for name, value in {**dated, **length, **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(server: S) -> Iterator[S]:
    """Run a server in a thread until the block ends."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def pages(answer: Callable[[int], Any]) -> Iterator[PagesServer]:
    """Serve made-up pages until the block ends."""
    with serving(PagesServer(answer)) as server:
        yield server
