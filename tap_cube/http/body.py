"""Reads the body of a response, within limits on size and time."""

from __future__ import annotations

import io
import typing as t

from urllib3.exceptions import HTTPError, ReadTimeoutError

from tap_cube.compression import GZIP_BEGINS, GzipError, decompressor
from tap_cube.errors import TooLargeError, TransientError

if t.TYPE_CHECKING:
    import zlib
    from collections.abc import Callable, Iterator

    import requests

    from tap_cube.http.deadline import Deadline

MAX_BODY_BYTES: t.Final = 64 * 2**20
"""Bytes of one response after decompression; a larger response is an error."""

TIMED_OUT: t.Final = "timed out"
CUT_SHORT: t.Final = "connection closed before the response was complete"

_CHUNK = 2**18
_PIECE = 2**20
_BOM = b"\xef\xbb\xbf"
_JSON_BEGINS = (b"[", b"{")
_OTHERS = frozenset({"br", "compress", "deflate", "zstd"})
"""Compressions that the tap does not ask for."""


class _Unpacker:
    """Decompresses gzip in pieces, and leaves everything else as it is.

    The first byte of a body decides what it is, since no JSON text begins as gzip does. The header
    does not: servers name a charset there, and proxies unpack a body but keep its header.

    The reader of urllib3 reads on until there is output. A body that never yields any would keep
    it reading.
    """

    def __init__(self) -> None:
        self._file: zlib._Decompress
        self._unpack: Callable[[bytes], tuple[bytes, bytes]] = self._begin
        self.is_complete = True

    def pieces(self, packed: bytes) -> Iterator[bytes]:
        """Yield what the next bytes of the body stand for."""
        unpacked = b""
        while packed or len(unpacked) == _PIECE:  # a full piece may not have been all there is
            packed, unpacked = self._unpack(packed)
            yield unpacked

    def _begin(self, packed: bytes) -> tuple[bytes, bytes]:
        if not packed.startswith(GZIP_BEGINS):
            self._unpack = self._plain
            return packed, b""
        return self._next_file(packed)

    def _plain(self, packed: bytes) -> tuple[bytes, bytes]:
        return b"", packed

    def _next_file(self, packed: bytes) -> tuple[bytes, bytes]:
        self._file, self._unpack = decompressor(packed), self._gzip
        return packed, b""

    def _gzip(self, packed: bytes) -> tuple[bytes, bytes]:
        unpacked = self._file.decompress(packed, _PIECE)
        self.is_complete = self._file.eof
        if self.is_complete:
            self._unpack = self._after_file
        return self._file.unused_data or self._file.unconsumed_tail, unpacked

    def _after_file(self, packed: bytes) -> tuple[bytes, bytes]:
        """Skip padding. Then another file may follow; anything else is ignored, as elsewhere."""
        packed = packed.lstrip(b"\0")
        if packed.startswith(GZIP_BEGINS):
            return self._next_file(packed)
        if packed:
            self._unpack = self._nothing
        return b"", b""

    def _nothing(self, _: bytes) -> tuple[bytes, bytes]:
        return b"", b""


def read_body(response: requests.Response, deadline: Deadline) -> bytes:
    """Read the whole body of a response, plain or compressed by gzip, without a byte order mark.

    Args:
        response: A response whose body has not been read.
        deadline: When the body must be complete.

    Raises:
        TransientError: If the body is cut short, damaged, late, or compressed in another way.
        TooLargeError: If it is larger than `MAX_BODY_BYTES`.
    """
    encodings = response.headers.get("Content-Encoding", "").lower().replace(",", " ").split()
    unpacker, body = _Unpacker(), io.BytesIO()
    try:
        # `read1` returns what has arrived, so the deadline also holds for a slow trickle.
        while chunk := response.raw.read1(_CHUNK, decode_content=False):
            if deadline.remaining <= 0:
                raise TransientError(TIMED_OUT)
            for piece in unpacker.pieces(chunk):
                body.write(piece)
                if body.tell() > MAX_BODY_BYTES:
                    raise TooLargeError(MAX_BODY_BYTES // 2**20, "MiB")
    except ReadTimeoutError:
        raise TransientError(TIMED_OUT) from None
    except GzipError:
        msg = "the response is damaged"
        raise TransientError(msg) from None
    except HTTPError:
        raise TransientError(CUT_SHORT) from None
    if not unpacker.is_complete:
        raise TransientError(CUT_SHORT)
    text = body.getvalue().removeprefix(_BOM)
    other = _OTHERS.intersection(encodings)
    if other and not text.lstrip().startswith(_JSON_BEGINS):  # a proxy may have unpacked it
        msg = f"the response is compressed by {min(other)}, though the tap asked for gzip"
        raise TransientError(msg, remedy="check 'api_url' and the proxies between")
    return text
