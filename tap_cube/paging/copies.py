"""Rows that equal another one, compressed until the end of a pass."""

from __future__ import annotations

import gzip
import io
import typing as t
import zlib
from functools import cached_property

from tap_cube.records.hashes import Hashes

if t.TYPE_CHECKING:
    from collections.abc import Iterator

_GZIP = zlib.MAX_WBITS | 16


class Copies:
    """The text of one row for each of many hashes.

    Such rows have the same keys and little content, so that a text takes some ten bytes.
    """

    def __init__(self) -> None:
        self._keys = Hashes()
        self._compressed = bytearray()

    @cached_property
    def _compressor(self) -> zlib._Compress:
        return zlib.compressobj(1, wbits=_GZIP)

    def add(self, key: int, text: bytes) -> None:
        """Keep a row, unless one with this hash is kept already."""
        if not self._keys.count(key):
            self._keys.insert(key)
            # JSON text has line breaks only as white space between tokens.
            line = b"%d %b\n" % (key, text.replace(b"\n", b" "))
            self._compressed += self._compressor.compress(line)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Yield each hash and its row, in the order in which they came; none can be added after."""
        if not len(self._keys):
            return
        self._compressed += self._compressor.flush()
        with gzip.GzipFile(fileobj=io.BytesIO(self._compressed)) as lines:
            for line in lines:
                key, _, text = line.rstrip(b"\n").partition(b" ")
                yield int(key), text
