"""gzip by isal, or by the standard library where isal has no wheel. Both give the same text."""

from __future__ import annotations

import typing as t
import zlib
from contextlib import suppress

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

library: t.Any = zlib
with suppress(ImportError):
    from isal import isal_zlib

    library = isal_zlib

GZIP_BEGINS: t.Final = b"\x1f"
"""First byte of gzip, with which no JSON text begins."""

GzipError: t.Final = (zlib.error, library.error)
"""What decompressors raise for damaged data."""

_GZIP = zlib.MAX_WBITS | 16
_PLAIN_HEADER = b"\x1f\x8b\x08\x00"

_ISAL_LEVEL = 2
"""Its files are as small as those of zlib's level 1."""
_ZLIB_LEVEL = 1
"""The SDK's level 9 takes longer than the load itself and saves few bytes."""


def decompressor(packed: bytes) -> zlib._Decompress:
    """Return what decompresses the gzip file that begins so.

    Headers with extra fields or checksums of their own are rare, and isal fails at them if they
    come in pieces. The standard library reads all files but those with a plain header.

    Args:
        packed: First bytes of the file.
    """
    is_plain = packed.startswith(_PLAIN_HEADER)
    return library.decompressobj(_GZIP) if is_plain else zlib.decompressobj(_GZIP)


def compressed(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the parts of one gzip file that holds the blocks, one after the other."""
    level = _ZLIB_LEVEL if library is zlib else _ISAL_LEVEL
    compressor = library.compressobj(level, zlib.DEFLATED, _GZIP)
    for block in blocks:
        yield compressor.compress(block)
    yield compressor.flush()
