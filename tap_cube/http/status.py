"""What a status other than 200 means: another attempt, or an error with its remedy."""

from __future__ import annotations

import typing as t
from http import HTTPStatus

from tap_cube.errors import (
    CredentialError,
    CubeError,
    ForbiddenError,
    NotFoundError,
    RunError,
    TransientError,
)
from tap_cube.http.headers import retry_after

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

MAX_WAIT = 3600
"""Longest wait, in seconds, that the server may request; a longer one ends the run."""

THROTTLING = frozenset({420, 429, 430, 503, 509, 529})
"""Statuses by which servers say that there are too many requests."""

GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
"""Statuses of what does not exist, or no longer."""

_PASSING = frozenset({408, 420, 421, 425, 429, 430, 444, 449, 460, 499})
"""Statuses below 500 by which servers, proxies and firewalls say: not now."""

_MISSING = (NotFoundError, "HTTP {}, the account does not have it", "check id and 'api_url'")
_UNEXPECTED = (CubeError, "HTTP {}, unexpected status", "check 'api_url'")
_CHALLENGE = (
    CubeError,
    "HTTP {}, a firewall or another service may have answered",
    "check 'api_url', and that the firewall admits the tap",
)
_MEANINGS: Mapping[int, tuple[type[CubeError], str, str]] = {
    HTTPStatus.UNAUTHORIZED: (CredentialError, "HTTP 401, the account refuses the credential", ""),
    HTTPStatus.FORBIDDEN: (
        ForbiddenError,
        "HTTP 403, the credential may not see it",
        "ask the account's administrator, or leave it out of the settings",
    ),
    HTTPStatus.NOT_FOUND: _MISSING,
    HTTPStatus.METHOD_NOT_ALLOWED: _MISSING,
    HTTPStatus.GONE: _MISSING,
}
"""Error, reason and remedy of statuses that no further attempt changes."""


def error_of(
    response: requests.Response, label: object, credential: str, *, is_hiccup: bool
) -> CubeError | TransientError:
    """Make the error for a response whose status is neither 200 nor a redirect.

    Args:
        response: The response.
        label: Name of the request in errors.
        credential: The settings that hold the credential, as the remedy for a 401.
        is_hiccup: Whether the account responded well before, so that the status may pass.
    """
    status = response.status_code
    is_challenge = status < HTTPStatus.BAD_REQUEST
    kind, reason, remedy = _CHALLENGE if is_challenge else _MEANINGS.get(status, _UNEXPECTED)
    is_passing = status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if kind is CredentialError:
        return kind(f"{label}: {reason}. Check {credential}.")
    if not is_passing and not is_hiccup:
        return kind(f"{label}: {reason.format(status)}. {remedy[0].upper()}{remedy[1:]}.")
    after = retry_after(response.headers.get("Retry-After"))
    if after is not None and after > MAX_WAIT:
        return RunError(
            f"{label}: HTTP {status}, the server asks to wait {after:.0f} s. Run again then."
        )
    if is_passing:
        is_overload = status in THROTTLING
        return TransientError(f"HTTP {status}", retry_after=after, is_overload=is_overload)
    msg = f"HTTP {status} (it answered before)"
    return TransientError(msg, retry_after=after, remedy=remedy)
