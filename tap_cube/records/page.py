"""Responses to pages, decoded once: a few fields of each row, and the full rows on demand."""

from __future__ import annotations

import typing as t
from codecs import getincrementaldecoder
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec
import simplejson

from tap_cube.errors import TransientError
from tap_cube.records.codec import MAX_DIGITS, exact_number
from tap_cube.records.limits import check_depth, check_rows, check_values, values_of
from tap_cube.records.raw_rows import raw_rows
from tap_cube.records.rows import Row, decode_as

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

T = t.TypeVar("T")

_PIECE = 2**16
_MAX_LINK_BYTES = 2**14
_MAX_LENIENT_BYTES = 2**24
_MAX_LENIENT_VALUES = 10**6
"""Limits of a body that has to be decoded to Python objects as a whole."""

NOT_JSON: t.Final = "the response is not JSON; it may be a log-in page (check 'api_url')"
NOT_A_PAGE: t.Final = "the response is not a page of results (check 'api_url')"


@dataclass(slots=True, eq=False)
class Page:
    """One decoded response.

    Attributes:
        body: JSON text of the response.
        rows: The fields of each row that the decoder's row type has.
        count: Number of rows of the whole resource, as the server sent it; None if it sent none.
        next: The link to the next page as the server sent it, of any type.
        is_list: Whether the response is a bare list, which has no pages (T13).
        asked: When the page was requested, in seconds of `time.monotonic`.
        came: When the whole page was there, on the same clock.
        date: The server's own time when it responded; None if it sent none.
        contents: Digest of the content of each row without an identity, and its ordinal among the
            rows with this content, by place.
        keys: Keys of the rows, once they were looked for.
        braces: Where braces open in the body; empty if nobody looked for them.
    """

    body: bytes
    rows: Sequence[t.Any]
    count: int | None = None
    next: object = None
    is_list: bool = False
    asked: float = 0.0
    came: float = 0.0
    date: datetime | None = None
    contents: dict[int, tuple[str, int]] = field(default_factory=dict)
    keys: tuple[str, ...] | None = None
    braces: Sequence[int] = field(default=(), repr=False)
    _raw_rows: Sequence[bytes] | None = field(default=None, repr=False)

    @property
    def raw_rows(self) -> Sequence[bytes]:
        """JSON text of each row, extracted on first use."""
        if self._raw_rows is None:
            found = raw_rows(self.body, self.braces, len(self.rows), is_list=self.is_list)
            self._raw_rows = found or [bytes(row) for row in _decode_raw_rows(self.body)]
        return self._raw_rows

    @property
    def expected_pages(self) -> int:
        """Number of pages by the count and the size of this page; 1 if either is unknown."""
        if not self.count or not self.rows:
            return 1
        return -(-self.count // len(self.rows))


END: t.Final = Page(b"[]", ())
"""The empty page that stands after the last one."""


def _response_decoder(row_type: type) -> Callable[[bytes], t.Any]:
    rows: t.Any = list[row_type]  # type: ignore[valid-type]  # a type made at run time
    # Raw, since a server may send anything there, also a list of a million lists.
    links = [(name, msgspec.Raw, msgspec.Raw(b"null")) for name in ("count", "next")]
    envelope: t.Any = msgspec.defstruct("Envelope", [("results", rows), *links])
    return msgspec.json.Decoder(envelope | rows, float_hook=exact_number).decode


def rows_decoder(row_type: type[T]) -> Callable[[bytes], list[T]]:
    """Make a decoder of the rows of responses, whether envelopes or bare lists.

    The decoder raises `msgspec.DecodeError` if a row does not fit the type.
    """
    decode = _response_decoder(row_type)

    def decode_rows(body: bytes) -> list[T]:
        response = decode(body)
        rows: list[T] = response if isinstance(response, list) else response.results
        return rows

    return decode_rows


_decode_raw_rows = rows_decoder(msgspec.Raw)


class PageDecoder:
    """Decodes responses into pages.

    Args:
        row_type: The fields to decode of each row.
    """

    def __init__(self, row_type: type[Row]) -> None:
        self._row_type = row_type
        self._decode = _response_decoder(row_type)

    def __call__(self, body: bytes) -> Page:
        """Decode one response.

        Raises:
            TransientError: If the body is not JSON (a log-in page, a truncated body), is neither an
                envelope nor a list of objects, or is nested too deeply.
            TooLargeError: If it has too many values or rows.
        """
        check_values(body)
        try:
            _check_encoding(body)  # msgspec does not, in what it skips
            page = _strict_page(body, self._decode(body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            page = _lenient_page(body, self._row_type)
        check_rows(len(page.rows))
        braces = check_depth(body, len(page.rows))
        if page.body is body:
            page.braces = braces
        return page


decode_page: t.Final = PageDecoder(Row)
"""Decodes responses into pages without any fields of their rows."""


def decode_object(body: bytes) -> bytes:
    """Check that a response is one JSON object (C3, S2), and return it as the text of a row.

    Raises:
        TransientError: If the response is anything else.
        TooLargeError: If it has too many values.
    """
    check_values(body)
    if not body.strip().startswith(b"{"):
        raise TransientError(NOT_JSON)
    page = decode_page(b"[%b]" % body)
    if len(page.rows) != 1:  # objects with a comma between them
        raise TransientError(NOT_JSON)
    return page.raw_rows[0]


def _check_encoding(body: bytes) -> None:
    """Raise `UnicodeDecodeError` for bytes that are not UTF-8."""
    if body.isascii():
        return
    decode = getincrementaldecoder("utf-8")().decode
    rest = memoryview(body)
    while rest:  # in pieces, since a text of all takes up to four times the memory
        piece, rest = rest[:_PIECE], rest[_PIECE:]
        decode(piece, final=not rest)


def _strict_page(body: bytes, response: t.Any) -> Page:  # noqa: ANN401 - made at run time
    if isinstance(response, list):
        return Page(body, response, is_list=True)
    return Page(body, response.results, _count(response.count), _link(response.next))


def _count(raw: msgspec.Raw) -> int | None:
    return _valid_count(msgspec.json.decode(raw)) if len(memoryview(raw)) < MAX_DIGITS else None


def _link(raw: msgspec.Raw) -> object:
    """Decode a link; one that is too long is "", which leads nowhere."""
    return msgspec.json.decode(raw) if len(memoryview(raw)) < _MAX_LINK_BYTES else ""


def _lenient_page(body: bytes, row_type: type[Row]) -> Page:
    """Decode a body that msgspec rejects: one row with a lone surrogate must not fail a page."""
    if len(body) > _MAX_LENIENT_BYTES or values_of(body) > _MAX_LENIENT_VALUES:
        raise TransientError(NOT_JSON)
    check_depth(body)
    rows, count, link, is_list = _lenient_parts(body)
    return Page(
        b"[%b]" % b",".join(rows),
        [decode_as(row, row_type) for row in rows],
        _valid_count(count),
        link,
        is_list=is_list,
        _raw_rows=rows,
    )


def _lenient_parts(body: bytes) -> tuple[list[bytes], object, object, bool]:
    """Rows, count and link, and whether the response is a bare list."""
    try:
        response = simplejson.loads(
            body, parse_float=exact_number, parse_int=_integer, allow_nan=True
        )
    except (ValueError, RecursionError):
        raise TransientError(NOT_JSON) from None
    envelope = response if isinstance(response, dict) else {"results": response}
    results = envelope.get("results")
    if not isinstance(results, list) or not all(isinstance(row, dict) for row in results):
        raise TransientError(NOT_A_PAGE)
    rows = [simplejson.dumps(row, use_decimal=True, allow_nan=True).encode() for row in results]
    link = envelope.get("next")
    link = "" if isinstance(link, list | dict) else link
    return rows, envelope.get("count"), link, envelope is not response


def _integer(digits: str) -> int | Decimal:
    """Decode an integer of any length: `int` raises for more than 4,300 digits."""
    return int(digits) if len(digits) < MAX_DIGITS else Decimal(digits)


def _valid_count(count: object) -> int | None:
    return count if isinstance(count, int) and type(count) is int and count >= 0 else None
