"""Bodies are read in the same way with ISA-L, without it, and however they arrive."""

from __future__ import annotations

import gzip
import importlib
import io
import sys
import zlib
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override
from urllib3 import HTTPResponse

from tap_cube import compression
from tap_cube.errors import TooLargeError, TransientError
from tap_cube.http import body as body_module
from tap_cube.http.body import MAX_BODY_BYTES, read_body
from tap_cube.http.deadline import Deadline
from tests.support.sizes import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator

BOM = b"\xef\xbb\xbf"
TOO_LARGE = str(TooLargeError(64, "MiB"))
WAYS = ("isal", "standard library")


@pytest.fixture(params=WAYS, scope="module", autouse=True)
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    """Import the module with and without the package that it prefers."""
    blocked = {} if request.param == "isal" else dict.fromkeys(("isal", "isal.igzip"))
    with patch.dict(sys.modules, blocked):
        importlib.reload(compression)
        yield request.param
    importlib.reload(compression)


class Arriving(io.RawIOBase):
    """A file that gives its content in the pieces in which it arrived."""

    def __init__(self, pieces: list[bytes]) -> None:
        """Begin with the first piece."""
        self._pieces = [*pieces]

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int:
        if not self._pieces:
            return 0
        piece = self._pieces.pop(0)
        given, rest = piece[: len(buffer)], piece[len(buffer) :]
        buffer[: len(given)] = given
        if rest:
            self._pieces.insert(0, rest)
        return len(given)


def read(pieces: list[bytes]) -> bytes | str:
    """Read a body that arrives like this; return it, or why it cannot be read."""
    file = io.BufferedReader(Arriving([*filter(None, pieces)]))
    response = requests.Response()
    response.raw = HTTPResponse(body=file, preload_content=False)
    try:
        return read_body(response, Deadline(60))
    except (TransientError, TooLargeError) as error:
        return str(error)


def unpacked(body: bytes) -> bytes | str:
    """Unpack a body at once by the standard library."""
    if not body.startswith(b"\x1f"):
        return body.removeprefix(BOM)
    text = b""
    while body.startswith(b"\x1f"):
        file = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            text += file.decompress(body)
        except zlib.error:
            return "the response is damaged"
        if not file.eof:
            return "connection closed before the response was complete"
        body = file.unused_data.lstrip(b"\0")
    return text.removeprefix(BOM)


TEXTS = st.builds(lambda text, times: text * times, st.binary(max_size=300), st.integers(0, 2000))
BODIES = st.builds(
    lambda files, padding, end: padding.join(files) + end,
    st.lists(st.builds(gzip.compress, TEXTS, st.integers(0, 9)), min_size=1, max_size=3),
    st.sampled_from([b"", b"\0", bytes(512)]),
    st.sampled_from([b"", b"\0\0", b"\r\n", b"\x1e\x1f"]),
)


def cut(body: bytes, places: list[int]) -> list[bytes]:
    """Cut a body into pieces at some places, modulo its length."""
    ends = sorted(place % (len(body) + 1) for place in places)
    return [body[a:b] for a, b in zip([0, *ends], [*ends, len(body)], strict=True)]


CUTS = st.lists(st.integers(0, 10**6), max_size=5)


@settings(max_examples=scaled(60, 500), deadline=None)
@given(BODIES | TEXTS, CUTS, st.sampled_from([1, 2**10, 2**22]))
def test_pieces(body: bytes, cuts: list[int], piece: int) -> None:
    """However a body arrives, it is what the standard library unpacks at once."""
    with patch.object(body_module, "_PIECE", piece if len(body) < 2**10 else 2**22):
        assert read(cut(body, cuts)) == unpacked(body)


@settings(max_examples=scaled(60, 500), deadline=None)
@given(BODIES, CUTS, st.integers(8, 10**6), st.integers(0, 7))
def test_damage(body: bytes, cuts: list[int], place: int, bit: int) -> None:
    """A damaged or shortened body is an error, or the damage changes nothing."""
    damaged = bytearray(body)
    place = 1 + place % (len(body) - 1)  # the first byte says whether it is packed
    damaged[place] ^= 1 << bit
    for broken in (bytes(damaged), body[:place]):
        given, expected = read(cut(broken, cuts)), unpacked(broken)
        assert given == expected or (isinstance(given, str) and isinstance(expected, str))


@pytest.mark.parametrize("spare", [0, 1])
def test_limit(spare: int) -> None:
    """A body up to the limit is read, and a larger one is refused."""
    packed = gzip.compress(bytes(MAX_BODY_BYTES + spare), 1)
    given = read(cut(packed, [2**18]))
    assert given == (TOO_LARGE if spare else bytes(MAX_BODY_BYTES))


def test_packing(way: str) -> None:
    """The standard library unpacks what either way has packed."""
    lines, file = b'{"name": "\xc3\x85se"}\n' * 5000, io.BytesIO()
    with compression.gzip_writer(file) as out:
        out.write(lines)
    assert gzip.decompress(file.getvalue()) == lines
    assert len(file.getvalue()) < len(lines) / 50
    is_fast = compression.decompressor().__class__.__module__ != "zlib"
    assert is_fast is (way == "isal")
