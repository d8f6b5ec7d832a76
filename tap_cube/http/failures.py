"""Why a request got no response, without the error's own text, which may contain the address."""

from __future__ import annotations

import ssl
import typing as t

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    LocationValueError,
    NameResolutionError,
    NewConnectionError,
)

from tap_cube.errors import ConnectError, TransientError
from tap_cube.http.body import CUT_SHORT, TIMED_OUT

if t.TYPE_CHECKING:
    from collections.abc import Iterator

_CLOSED = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""A connection that the host has closed, by TLS."""

_UNCONNECTED: tuple[tuple[type[Exception], str, str], ...] = (
    (
        requests.exceptions.ProxyError,
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
        "check scheme and port in 'api_url'",
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


def failure_of(error: Exception) -> TransientError:
    """Describe a request that got no response; a `ConnectError` if it was not even sent."""
    causes = list(_causes(error))
    if any(isinstance(cause, _CLOSED) for cause in causes):
        return TransientError(CUT_SHORT)
    for kind, reason, remedy in _UNCONNECTED:
        if any(isinstance(cause, kind) for cause in causes):
            return ConnectError(reason, remedy=remedy)
    return TransientError(TIMED_OUT if isinstance(error, requests.Timeout) else CUT_SHORT)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
