"""Connections that keep to the deadline of their exchange from the first packet on."""

from __future__ import annotations

import typing as t
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from threading import Thread

from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError

from tap_cube.http.deadline import current_deadline

if t.TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from urllib3 import PoolManager
    from urllib3._base_connection import BaseHTTPConnection

    _Base = HTTPConnection
    _PoolBase = HTTPConnectionPool
else:
    _Base = _PoolBase = object


_SWITCHING = HTTPStatus.SWITCHING_PROTOCOLS
_LINE = 2**16
_COOKIES = ("Set-Cookie", "Set-Cookie2")


class HandshakeTimeoutError(ConnectTimeoutError):
    """The time was up while TLS or a tunnel through a proxy was being set up."""


class _Response(HTTPResponse):
    @override
    def begin(self) -> None:
        try:
            super().begin()
        except ValueError as error:  # the parser is that of e-mail, where headers may be anything
            raise HTTPException from error
        for name in _COOKIES:  # `requests` parses all that come, which may take seconds
            del self.headers[name]

    def _read_status(self) -> tuple[str, int, str]:
        """Skip all interim responses; the standard library skips only 100."""
        while True:
            _raise_if_late()  # what has arrived can still be read from a connection that is closed
            status: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]  # typeshed lacks it
            if not _SWITCHING < status[1] < HTTPStatus.OK:
                return status
            while self.fp.readline(_LINE).strip():
                pass


class _Connection(_Base):
    response_class = _Response

    @override
    def _new_conn(self) -> socket.socket:
        deadline, timeout = current_deadline(), self.timeout
        if deadline is None:
            return super()._new_conn()
        # A host may have several addresses, and the first one may be silent.
        self.timeout = min(timeout or deadline.remaining, max(deadline.remaining, 0.001) / 2)
        try:
            connected = _in_thread(super()._new_conn, deadline.remaining)
        except TimeoutError:
            msg = "no address answered"
            raise ConnectTimeoutError(self, msg) from None
        finally:
            self.timeout = timeout
        connected.settimeout(timeout)
        deadline.watch(connected)
        return connected

    @override
    def _tunnel(self) -> None:
        super()._tunnel()
        _raise_if_late()  # the end of a connection may look like the end of the proxy's headers

    @override
    def connect(self) -> None:
        try:
            super().connect()
        except OSError as error:
            if not isinstance(error, TimeoutError) and not _is_late():
                raise
            kind = HandshakeTimeoutError if _is_late() else ConnectTimeoutError
            raise kind(self, "handshake") from error

    @override
    def request(self, *args: t.Any, **options: t.Any) -> None:
        deadline = current_deadline()
        if deadline and self.sock is not None:
            deadline.watch(self.sock)
        super().request(*args, **options)


class _PlainConnection(_Connection, HTTPConnection):
    pass


class _SecureConnection(_Connection, HTTPSConnection):
    pass


def _is_late() -> bool:
    deadline = current_deadline()
    return deadline is not None and deadline.remaining <= 0


def _raise_if_late() -> None:
    if _is_late():
        raise TimeoutError


def _in_thread(connect: Callable[[], socket.socket], seconds: float) -> socket.socket:
    """Connect within a time: name resolution has no limit of its own, and signals do not end it.

    Raises:
        TimeoutError: If there is no connection after these seconds.
    """
    result: Future[socket.socket] = Future()

    def run() -> None:
        try:
            connected = connect()
        except BaseException as error:  # noqa: BLE001 - the caller raises it
            with suppress(InvalidStateError):
                result.set_exception(error)
            return
        try:
            result.set_result(connected)
        except InvalidStateError:  # the caller has given up
            connected.close()

    Thread(target=run, name="connect", daemon=True).start()
    try:
        return result.result(max(seconds, 0))
    except TimeoutError:
        if result.cancel():
            raise
        return result.result()


class _Pool(_PoolBase):
    @override
    def _put_conn(self, conn: BaseHTTPConnection | None) -> None:
        # The next exchange may get it at once, and must not end by this one's deadline.
        if deadline := current_deadline():
            deadline.release()
            if conn and deadline.remaining <= 0:
                conn.close()
        super()._put_conn(conn)


class _PlainPool(_Pool, HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(_Pool, HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS: Mapping[str, type[HTTPConnectionPool]] = {"http": _PlainPool, "https": _SecurePool}


class DeadlineAdapter(HTTPAdapter):
    """Makes connections that keep to the deadline of their exchange, also through a proxy.

    Args:
        size: Number of connections to keep.
    """

    def __init__(self, size: int) -> None:
        super().__init__(pool_connections=1, pool_maxsize=size)

    @override
    def init_poolmanager(self, *args: t.Any, **options: t.Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = dict(_POOLS)

    @override
    def proxy_manager_for(self, proxy: str, **options: t.Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(proxy, **options)
        if not proxy.lower().startswith("socks"):  # those connections are of another kind
            manager.pool_classes_by_scheme = dict(_POOLS)
        return manager
