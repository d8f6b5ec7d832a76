"""Bodies are read alike by isal and by the standard library, whatever is wrong with them."""

from __future__ import annotations

import gzip
import importlib.util
import io
import sys
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from isal import isal_zlib
from typing_extensions import override
from urllib3 import HTTPResponse

from tap_cube import compression
from tap_cube.errors import TooLargeError, TransientError
from tap_cube.http.body import MAX_BODY_BYTES, read_body
from tap_cube.http.deadline import Deadline
from tests.benchmarks.account import pages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

BOM = b"\xef\xbb\xbf"
CHECKED = b"\x1f\x8b\x08\x02\0\0\0\0\0\xff"
HEADERS = (
    b"\x1f\x8b\x08\0\0\0\0\0\0\xff",
    b"\x1f\x8b\x08\x08\0\0\0\0\0\xffname\0",
    b"\x1f\x8b\x08\x14\0\0\0\0\0\xff\x03\0abccomment\0",
    CHECKED + (zlib.crc32(CHECKED) & 0xFFFF).to_bytes(2, "little"),
)
"""Headers of gzip: plain, with a name, with more, with a checksum of its own."""

both = pytest.mark.parametrize("library", [isal_zlib, zlib], ids=["isal", "zlib"])

texts = st.one_of(
    st.binary(max_size=300),
    st.builds(bytes.__mul__, st.binary(max_size=9), st.integers(0, 300_000)),
    st.builds(lambda text: f'[{{"name": "{text}"}}]'.encode(), st.text("aåß€", max_size=99)),
)
sizes = st.lists(st.one_of(st.integers(1, 9), st.integers(1, 2**18)), min_size=1, max_size=9)
"""How many bytes arrive at a time, again and again."""


def _file(text: bytes, header: bytes, level: int) -> bytes:
    compressor = zlib.compressobj(level, wbits=-zlib.MAX_WBITS)
    trailer = zlib.crc32(text).to_bytes(4, "little") + len(text).to_bytes(4, "little")
    return header + compressor.compress(text) + compressor.flush() + trailer


files = st.builds(_file, texts, st.sampled_from(HEADERS), st.sampled_from((0, 1, 6, 9)))
padding = st.sampled_from((b"", b"", b"\0", b"\0" * 512))
packed = st.lists(st.builds(bytes.__add__, files, padding), min_size=1, max_size=3).map(b"".join)
garbage = st.sampled_from((b"", b"\r\n", b"x\x1f\x8b", b"\x1f", b"\x1f\x8b\x08\0", b"[]"))
bodies = st.one_of(
    st.builds(bytes.__add__, packed, garbage),
    st.builds(lambda body, end: body[: int(len(body) * end)], packed, st.floats(0, 1)),  # cut short
    texts,
    texts.map(BOM.__add__),
)


class Arriving(io.RawIOBase):
    """The end of a connection at which so many bytes arrive at a time."""

    def __init__(self, body: bytes, sizes: list[int]) -> None:
        """Begin with the first size."""
        self._body, self._sizes, self._reads = memoryview(body), sizes, 0

    @override
    def readable(self) -> bool:
        return True

    def read1(self, most: int) -> bytes:
        """Return what has arrived; after a thousand reads everything has."""
        size = self._sizes[self._reads % len(self._sizes)] if self._reads < 1000 else most
        self._reads += 1
        chunk, self._body = self._body[: min(size, most)], self._body[min(size, most) :]
        return bytes(chunk)


@contextmanager
def using(library: ModuleType) -> Iterator[None]:
    """Let the tap use one of the libraries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compression, "library", library)
        yield


def read(body: bytes, sizes: list[int]) -> bytes | None:
    """Read a body; None if it cannot be."""
    response = requests.Response()
    response.raw = HTTPResponse(Arriving(body, sizes), preload_content=False)
    try:
        return read_body(response, Deadline(600))
    except TransientError:
        return None


def read_plainly(body: bytes) -> bytes | None:
    """Read a body as the standard library does, all at once; None if it cannot be."""
    text = b"" if body.startswith(b"\x1f") else body
    while body.startswith(b"\x1f"):
        file = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            text += file.decompress(body)
        except zlib.error:
            return None
        if not file.eof:
            return None
        body = file.unused_data.lstrip(b"\0")
    return text.removeprefix(BOM)


@both
@given(body=bodies, sizes=sizes)
def test_a_body_stands_for_the_same_text(
    library: ModuleType, body: bytes, sizes: list[int]
) -> None:
    """Plain, packed, padded, followed by something else or cut short, in pieces of any size."""
    with using(library):
        assert read(body, sizes) == read_plainly(body)


@both
@pytest.mark.parametrize("header", HEADERS, ids=["plain", "name", "extra", "checksum"])
def test_a_header_may_come_in_pieces(library: ModuleType, header: bytes) -> None:
    """At some of them isal fails."""
    with using(library):
        assert read(_file(b"[]", header, 6), [4]) == b"[]"


@both
@given(text=texts, other=files, level=st.sampled_from((0, 1, 9)), sizes=sizes, data=st.data())
def test_damage_never_gives_another_text(  # noqa: PLR0913, PLR0917 - drawn
    library: ModuleType,
    text: bytes,
    other: bytes,
    level: int,
    sizes: list[int],
    data: st.DataObject,
) -> None:
    """The checksum holds for what was read. isal may read what zlib refuses: a table with gaps."""
    body = bytearray(_file(text, HEADERS[0], level) + other)
    whole = read_plainly(bytes(body))
    bit = data.draw(st.integers(0, 8 * len(body) - 1), label="bit")
    body[bit // 8] ^= 1 << bit % 8
    with using(library):
        found = read(bytes(body), sizes)
    expected = read_plainly(bytes(body))
    assert found == expected or (expected is None and found == whole)


@both
def test_a_body_that_unpacks_to_too_much_is_refused(library: ModuleType) -> None:
    """Its size is counted while it is unpacked."""
    bomb = gzip.compress(bytes(MAX_BODY_BYTES + 1), 1)
    with using(library), pytest.raises(TooLargeError):
        read(bomb, [2**18])


@both
@given(blocks=st.lists(texts, max_size=9))
def test_what_is_packed_is_gzip(library: ModuleType, blocks: list[bytes]) -> None:
    """Any target can unpack it, also if it holds nothing."""
    with using(library):
        assert gzip.decompress(b"".join(compression.compressed(blocks))) == b"".join(blocks)


def test_files_are_no_larger_by_isal() -> None:
    """What it saves in time is not paid for in bytes."""
    blocks = list(pages(500))
    lengths = {}
    for library in (isal_zlib, zlib):
        with using(library):
            lengths[library] = sum(map(len, compression.compressed(blocks)))
    assert lengths[isal_zlib] <= lengths[zlib]


def test_the_standard_library_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where isal has no wheel, the tap works all the same."""
    assert compression.library is isal_zlib
    monkeypatch.setitem(sys.modules, "isal", None)
    spec = importlib.util.spec_from_file_location("without_isal", compression.__file__)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.library is zlib
