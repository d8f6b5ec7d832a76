"""The body of a response, read within limits on size and time."""

from __future__ import annotations

import time
import typing as t
import zlib

from urllib3.exceptions import HTTPError, ReadTimeoutError

from tap_cube.errors import TransientError

if t.TYPE_CHECKING:
    import requests

MAX_BODY_BYTES: t.Final = 256 * 2**20
"""Bytes of one response, unpacked; more is the response is too large."""

TIMED_OUT: t.Final = "timed out"

_CHUNK = 2**16
_GZIP = zlib.MAX_WBITS | 16
_DAMAGED = "the response is damaged"
_CUT_SHORT = "connection closed before the response was complete"


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
                raise TransientError(TIMED_OUT)
            chunks.append(unpacker.unpack(chunk, MAX_BODY_BYTES + 1 - size) if unpacker else chunk)
            size += len(chunks[-1])
            if size > MAX_BODY_BYTES:
                msg = "the response is too large"
                raise TransientError(msg)
    except ReadTimeoutError:
        raise TransientError(TIMED_OUT) from None
    except zlib.error:
        raise TransientError(_DAMAGED) from None
    except HTTPError:
        raise TransientError(_CUT_SHORT) from None
    if unpacker and not unpacker.is_whole:
        raise TransientError(_CUT_SHORT)
    return b"".join(chunks)
