"""First pages that are fetched before their rows are read, and kept until then."""

from __future__ import annotations

import tempfile
import time
import typing as t
from dataclasses import dataclass, replace
from itertools import islice
from os import SEEK_END

import msgspec

from tap_cube.records.codec import decode_row
from tap_cube.records.decoder import MAX_COLUMNS
from tap_cube.records.page import rows_decoder

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_cube.records.page import Page, PageDecoder

MAX_KEPT_BYTES = 2**24
"""Text of pages that is kept in memory; pages beyond it go into a file."""

MAX_AGE = 300
"""Seconds after which a page is requested again if others follow it.

Rows that were changed meanwhile would look like rows that moved while the pages were read, and
all pages would be read twice.
"""

_decode_keys = rows_decoder(dict[str, msgspec.Raw])


def keys_of(page: Page) -> tuple[str, ...]:
    """Keys of the rows of a page, in order; at most as many as a stream can have columns."""
    if page.keys is None:
        page.keys = tuple(islice(_keys_of(page), MAX_COLUMNS))
    return page.keys


def _keys_of(page: Page) -> Iterable[str]:
    try:
        rows: Iterable[Mapping[str, object]] = _decode_keys(page.body)
    except (msgspec.DecodeError, RecursionError):
        rows = map(decode_row, page.raw_rows)
    keys: dict[str, None] = {}
    for row in rows:
        if not row.keys() <= keys.keys():
            # A row may have millions. Twice as many as are needed suffice, whichever are known.
            keys.update(dict.fromkeys(islice(row, 2 * MAX_COLUMNS)))
        if len(keys) > MAX_COLUMNS:
            break
    return keys


@dataclass(frozen=True, slots=True)
class _Kept:
    """A page that is kept.

    Attributes:
        page: The page; without body and rows if they are in the file.
        decode: Decodes the body again; None if the page is whole.
        place: Where the body begins in the file.
        size: Length of the body.
    """

    page: Page
    decode: PageDecoder | None
    place: int
    size: int


class FirstPages:
    """Keeps pages by stream, path and query: some in memory, the others in a private file.

    The file has no name, so it goes with the process. If it cannot be written, pages are
    forgotten, and the reader requests them again.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._bytes = self._in_file = 0
        self._file: t.IO[bytes] | None = None

    def has(self, stream: str, target: str) -> bool:
        """Whether a page is kept and can be used."""
        kept = self._kept.get((stream, target))
        if kept is None:
            return False
        return kept.page.next is None or time.monotonic() - kept.page.came < MAX_AGE

    def put(self, stream: str, target: str, page: Page, decode: PageDecoder) -> None:
        """Keep a page.

        Args:
            stream: Name of the stream.
            target: Path and query of the page.
            page: The page.
            decode: How it was decoded.
        """
        self._drop((stream, target))
        size = len(page.body)
        if self._bytes + size <= MAX_KEPT_BYTES:
            self._bytes += size
            self._kept[stream, target] = _Kept(page, None, 0, size)
        elif (place := self._write(page.body)) is not None:
            self._in_file += 1
            keys_of(page)
            rest = replace(page, body=b"", rows=(), braces=(), _raw_rows=None)
            self._kept[stream, target] = _Kept(rest, decode, place, size)

    def look(self, stream: str, target: str) -> Page | None:
        """Return a page, without rows if they are in the file; None if it cannot be used."""
        return self._kept[stream, target].page if self.has(stream, target) else None

    def take(self, stream: str, target: str) -> Page | None:
        """Return a page, and keep it no longer; None if it is not kept or too old."""
        page = None
        if self.has(stream, target):
            kept = self._kept[stream, target]
            page = self._read(kept, kept.decode) if kept.decode else kept.page
        self._drop((stream, target))
        return page

    def forget(self, stream: str) -> None:
        """Keep no page of a stream."""
        for key in [key for key in self._kept if key[0] == stream]:
            self._drop(key)

    def _drop(self, key: tuple[str, str]) -> None:
        if not (kept := self._kept.pop(key, None)):
            return
        if not kept.decode:
            self._bytes -= kept.size
            return
        self._in_file -= 1
        self._close_unused()

    def _close_unused(self) -> None:
        if self._file and not self._in_file:
            self._file.close()
            self._file = None

    def _write(self, body: bytes) -> int | None:
        """Write to the end of the file, and return the place; None if the disk refuses."""
        try:
            # Without a buffer: what it could not write would fail again when the file is closed.
            self._file = self._file or tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - for many calls
            place = self._file.seek(0, SEEK_END)
            if self._file.write(body) == len(body):
                return place
        except OSError:
            pass
        self._close_unused()
        return None

    def _read(self, kept: _Kept, decode: PageDecoder) -> Page | None:
        file, old = t.cast("t.IO[bytes]", self._file), kept.page
        try:
            file.seek(kept.place)
            body = file.read(kept.size)
        except OSError:
            return None
        page = decode(body)
        # The body may be a copy that has the rows alone.
        page.count, page.next, page.is_list = old.count, old.next, old.is_list
        page.asked, page.came, page.date = old.asked, old.came, old.date
        page.keys = old.keys
        return page
