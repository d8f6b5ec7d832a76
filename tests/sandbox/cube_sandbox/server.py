"""The web server: waitress on loopback, with access to its sockets for faults."""

from __future__ import annotations

import logging
import socket
import threading
from typing import TYPE_CHECKING, Any

from django.core.wsgi import get_wsgi_application
from django.db import connections
from typing_extensions import override
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher, WSGITask

from cube_sandbox.answers import Answers
from cube_sandbox.fault_injector import CHANNEL, FaultInjector

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication

    from cube_sandbox.sandbox import Sandbox
    from cube_sandbox.versions import Versions

_THREADS = 16

# Truncated bodies and broken connections are intended here, so they need no warnings.
logging.getLogger("waitress").setLevel(logging.ERROR)
logging.getLogger("django.request").setLevel(logging.CRITICAL)


class _Task(WSGITask):
    """Gives the application access to its connection."""

    @override
    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ[CHANNEL] = self.channel
        return environ


class _Channel(HTTPChannel):
    task_class = _Task


class _TcpServer(TcpWSGIServer):
    channel_class = _Channel


class _Dispatcher(ThreadedTaskDispatcher):
    """A dispatcher with threads that can be joined and that close their database connections."""

    def __init__(self) -> None:
        """Start without threads."""
        super().__init__()
        self._running: list[threading.Thread] = []

    @override
    def start_new_thread(self, target: Callable[[int], object], thread_no: int) -> None:
        thread = threading.Thread(
            target=target, args=(thread_no,), name=f"cube-{thread_no}", daemon=True
        )
        self._running.append(thread)
        thread.start()

    def join(self) -> None:
        """Wait until every thread has ended."""
        for thread in self._running:
            thread.join()

    @override
    def handler_thread(self, thread_no: int) -> None:
        try:
            super().handler_thread(thread_no)
        finally:
            connections.close_all()


class Server:
    """The web server of one sandbox."""

    def __init__(self, cube: Sandbox, versions: Versions | None) -> None:
        """Listen, and serve in threads that keep no process from its end."""
        # First, since the port may be taken.
        listening = socket.create_server(("127.0.0.1", cube.port))
        self.port: int = listening.getsockname()[1]
        self._closing = cube.closing
        self._dispatcher = _Dispatcher()
        self._sockets: dict[int, Any] = {}
        adjustments = Adjustments(
            host="127.0.0.1",
            ident=None,
            # With a lookahead of 1, waitress notices that a client disconnects.
            channel_request_lookahead=1,
            outbuf_high_watermark=1 << 20,
            # A client in this process may keep its connections until garbage collection. With more
            # than 100 of them, waitress by default makes new ones wait for minutes.
            connection_limit=1000,
            channel_timeout=15,
            cleanup_interval=5,
        )
        application: WSGIApplication = get_wsgi_application()
        if versions is not None:
            application = Answers(cube, application, versions)
        self._server = _TcpServer(
            FaultInjector(cube, application),
            map=self._sockets,
            _sock=listening,
            bind_socket=False,
            dispatcher=self._dispatcher,
            adj=adjustments,
        )
        self._dispatcher.set_thread_count(_THREADS)
        self._loop = threading.Thread(
            target=self._run, name=f"cube-sandbox:{self.port}", daemon=True
        )
        self._loop.start()

    def close(self) -> None:
        """Drop all connections and wait for all threads."""
        self._closing.set()
        self._server.pull_trigger()
        self._loop.join()
        for channel in list(self._sockets.values()):
            if isinstance(channel, _Channel):
                channel.handle_close()
        self._dispatcher.shutdown()
        self._dispatcher.join()
        self._server.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            wasyncore.loop(timeout=1, use_poll=True, map=self._sockets, count=1)
