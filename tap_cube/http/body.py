"""What comes over HTTP, in safe portions: bodies with an end, reasons without data."""

from __future__ import annotations

import time
import typing as t
import zlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl, urlsplit

import requests
from typing_extensions import override
from urllib3.exceptions import HTTPError, ReadTimeoutError

from tap_cube.errors import TransientError

MAX_BODY_BYTES: t.Final = 256 * 2**20
"""Bytes of one answer, unpacked; more is a body without an end."""

_CHUNK = 2**16
_TIMED_OUT = "no answer in time"
_GZIP = zlib.MAX_WBITS | 16
_DAMAGED = "the answer was damaged"
_CUT_SHORT = "the answer broke off"


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


class _Unpacker:
    """Unpacks gzip as it arrives: some bytes at a time, whatever they would become.

    The HTTP library's own goes on reading until there is something to hand out, which a packed
    body need never hold.
    """

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self.is_whole = True

    def unpack(self, packed: bytes, most: int) -> bytes:
        """Unpack a piece; of one that becomes longer than that, only the beginning."""
        unpacked = b""
        while packed and len(unpacked) < most:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            unpacked += self._member.decompress(packed, most - len(unpacked))
            packed = self._member.unused_data
        self.is_whole = self._member.eof
        return unpacked


def read_body(response: requests.Response, deadline: float) -> bytes:
    """The whole body of an answer, as it is or packed by gzip.

    Raises:
        TransientError: If it breaks off, is damaged, grows too large, or is not there by the
            deadline (monotonic seconds).
    """
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding not in {"gzip", "x-gzip", "identity", ""}:
        raise TransientError(_DAMAGED)
    unpacker = _Unpacker() if "gzip" in encoding else None
    chunks, size = [], 0
    try:
        # What has arrived, however little, so that a body that drips meets the deadline.
        while chunk := response.raw.read1(_CHUNK, decode_content=False):
            if time.monotonic() > deadline:
                raise TransientError(_TIMED_OUT)
            chunks.append(unpacker.unpack(chunk, MAX_BODY_BYTES + 1 - size) if unpacker else chunk)
            size += len(chunks[-1])
            if size > MAX_BODY_BYTES:
                msg = "a body without an end"
                raise TransientError(msg)
    except ReadTimeoutError:
        raise TransientError(_TIMED_OUT) from None
    except zlib.error:
        raise TransientError(_DAMAGED) from None
    except HTTPError:
        raise TransientError(_CUT_SHORT) from None
    if unpacker and not unpacker.is_whole:
        raise TransientError(_CUT_SHORT)
    return b"".join(chunks)


def reason_of(error: requests.RequestException) -> str:
    """A few words for a failed exchange; the error's own text may hold the address."""
    if isinstance(error, requests.Timeout):
        return _TIMED_OUT
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
