"""Why a request got no response, without the error's own text, which may contain the address."""

from __future__ import annotations

import ssl
import typing as t
from http.client import HTTPException, RemoteDisconnected

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    LocationValueError,
    NameResolutionError,
    NewConnectionError,
)

from tap_cube.errors import ConnectError, TransientError
from tap_cube.http.body import CUT_SHORT, TIMED_OUT
from tap_cube.http.connections import HandshakeTimeoutError

if t.TYPE_CHECKING:
    from collections.abc import Iterator

_CLOSED = (RemoteDisconnected, ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""A connection that the host has closed."""

_ADDRESS = "check scheme and port in 'api_url'"

_PROXY = (
    requests.exceptions.ProxyError,
    requests.exceptions.InvalidProxyURL,
    requests.exceptions.InvalidSchema,  # SOCKS, without the package for it
)

_UNCONNECTED: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str, str], ...] = (
    (
        HandshakeTimeoutError,
        "the host cannot be reached (the connection timed out)",
        "check 'api_url', the network, and the proxies and firewalls between",
    ),
    (
        _PROXY,
        "the host cannot be reached (the proxy makes no connection to it)",
        "check the variables HTTPS_PROXY and NO_PROXY",
    ),
    (
        ssl.SSLCertVerificationError,
        "the host's certificate could not be verified",
        "check 'api_url'; for a private authority, set the variable REQUESTS_CA_BUNDLE",
    ),
    (
        ssl.SSLError,
        "the host cannot be reached (it makes no TLS connection)",
        _ADDRESS,
    ),
    (
        LocationValueError,
        "the host cannot be reached (its name is not valid)",
        "check 'api_url'",
    ),
    (
        NameResolutionError,
        "the host cannot be reached (its name does not resolve)",
        "check 'api_url', and the name resolution (DNS) of this machine",
    ),
    (
        ConnectionRefusedError,
        "the host cannot be reached (it refuses connections)",
        "check host and port in 'api_url'",
    ),
    (
        NewConnectionError,
        "the host cannot be reached (no network leads to it)",
        "check 'api_url' and the network",
    ),
    (
        ConnectTimeoutError,
        "the host cannot be reached (it does not answer)",
        "check 'api_url', the network, and the firewalls between",
    ),
)
"""Kinds of error before a request is sent, the first that fits; reason and remedy."""


def failure_of(error: Exception, *, has_answered: bool = True) -> TransientError:
    """Describe a request that got no response; a `ConnectError` if it was not even sent.

    Args:
        error: The error of the request.
        has_answered: Whether the host has answered any request, so that its address is right.
    """
    causes = [cause for cause in _causes(error) if not isinstance(cause, _CLOSED)]
    for kind, reason, remedy in _UNCONNECTED:
        if any(isinstance(cause, kind) for cause in causes):
            return ConnectError(reason, remedy=remedy)
    if isinstance(error, requests.Timeout):
        return TransientError(TIMED_OUT, is_overload=True)
    if any(isinstance(cause, HTTPException) for cause in causes):
        return TransientError("the response is not HTTP", remedy=_ADDRESS)
    return TransientError(CUT_SHORT) if has_answered else TransientError(CUT_SHORT, remedy=_ADDRESS)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
