"""Reads the body of a response, within limits on size and time."""

from __future__ import annotations

import time
import typing as t
import zlib

from urllib3.exceptions import HTTPError, ReadTimeoutError

from tap_cube.errors import TransientError

if t.TYPE_CHECKING:
    import requests

MAX_BODY_BYTES: t.Final = 256 * 2**20
"""Bytes of one response after decompression; a larger response is an error."""

TIMED_OUT: t.Final = "timed out"
CUT_SHORT: t.Final = "connection closed before the response was complete"

_CHUNK = 2**16
_GZIP = zlib.MAX_WBITS | 16
_DAMAGED = "the response is damaged"


class _Unpacker:
    """Decompresses gzip in pieces of limited size.

    That of urllib3 reads on until there is output. A body that never yields any would keep it
    reading past the deadline.
    """

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self.is_complete = True

    def unpack(self, packed: bytes, max_bytes: int) -> bytes:
        """Decompress a piece; return at most `max_bytes` of the result."""
        unpacked = b""
        while packed and len(unpacked) < max_bytes:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            unpacked += self._member.decompress(packed, max_bytes - len(unpacked))
            packed = self._member.unused_data
        self.is_complete = self._member.eof
        return unpacked


def read_body(response: requests.Response, deadline: float) -> bytes:
    """Read the whole body of a response, plain or compressed by gzip.

    Args:
        response: A response whose body has not been read.
        deadline: When the body must be complete, in seconds of `time.monotonic`.

    Raises:
        TransientError: If the body is cut short, damaged, larger than `MAX_BODY_BYTES`, or late.
    """
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding not in {"gzip", "x-gzip", "identity", ""}:
        raise TransientError(_DAMAGED)
    unpacker = _Unpacker() if "gzip" in encoding else None
    chunks, size = [], 0
    try:
        # `read1` returns what has arrived, so the deadline also holds for a slow trickle.
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
        raise TransientError(CUT_SHORT) from None
    if unpacker and not unpacker.is_complete:
        raise TransientError(CUT_SHORT)
    return b"".join(chunks)
