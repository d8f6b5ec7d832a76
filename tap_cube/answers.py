"""What comes over HTTP, in safe portions: bodies with an end, reasons without data."""

from __future__ import annotations

import time
import typing as t
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, urlsplit

import requests
from typing_extensions import override
from urllib3.exceptions import DecodeError, HTTPError, ReadTimeoutError

from tap_cube.errors import TransientError

LARGEST_BODY: t.Final = 256 * 2**20
"""Bytes of one answer, unpacked; more is a body without an end."""

_CHUNK = 2**20
_TOO_LATE = "no answer in time"


class Session(requests.Session):
    """A session with one account, whose requests all go the same way."""

    _environment: t.Any = None

    @override
    def merge_environment_settings(self, *request: t.Any) -> t.Any:
        # Proxies and certificates of the environment; to look them up costs as much as a page.
        if self._environment is None:
            self._environment = super().merge_environment_settings(*request)
        return self._environment

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        # requests looks into redirects even where it shall not follow.
        return None


def identity(url: str) -> tuple[object, ...]:
    """What a redirect must keep: scheme, host, kind of resource, and query with its page."""
    parts = urlsplit(url)
    kind = parts.path.rstrip("/").rpartition("/")[2]
    query = [pair for pair in parse_qsl(parts.query) if pair != ("page", "1")]
    return parts.scheme, parts.netloc, kind, sorted(query)


def read_body(response: requests.Response, deadline: float) -> bytes:
    """The whole body of an answer.

    Raises:
        TransientError: If it breaks off, is damaged, grows too large, or is not there by the
            deadline (monotonic seconds).
    """
    chunks, size = [], 0
    try:
        # What has arrived, however little, so that a body that drips meets the deadline.
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            chunks.append(chunk)
            size += len(chunk)
            if time.monotonic() > deadline:
                raise TransientError(_TOO_LATE)
            if size > LARGEST_BODY:
                msg = "a body without an end"
                raise TransientError(msg)
    except ReadTimeoutError:
        raise TransientError(_TOO_LATE) from None
    except DecodeError:
        msg = "the answer was damaged"
        raise TransientError(msg) from None
    except HTTPError:
        msg = "the answer broke off"
        raise TransientError(msg) from None
    return b"".join(chunks)


def reason_of(error: requests.RequestException) -> str:
    """A few words for a failed exchange; the error's own text may hold the address."""
    if isinstance(error, requests.Timeout):
        return _TOO_LATE
    return "the host cannot be reached (check 'api_url' and the network)"


def retry_after(value: str | None) -> float | None:
    """Seconds that a Retry-After header asks for, given as seconds or as a date."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
