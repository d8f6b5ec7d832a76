"""Answers, decoded once: what decides about each row, and the rest when it is asked for."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec
import simplejson

from tap_cube.errors import TransientError
from tap_cube.records.codec import MAX_DIGITS, exact
from tap_cube.records.rows import Row, decode_as

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = t.TypeVar("T")

NOT_JSON: t.Final = "the response is not JSON; it may be a log-in page (check 'api_url')"
NOT_A_PAGE: t.Final = "the response is not a page of results (check 'api_url')"


@dataclass(slots=True, eq=False)
class Page:
    """One decoded answer.

    Attributes:
        body: Its JSON text.
        rows: The part of each row that decides about it, of the type that was asked for.
        count: All rows of the resource, as the server says; None where it doesn't.
        next: What the server sent as the link to the page after, of any type.
        is_list: Whether the answer was a bare list, which has no pages (T13).
    """

    body: bytes
    rows: Sequence[t.Any]
    count: int | None = None
    next: object = None
    is_list: bool = False
    _raw_rows: Sequence[bytes] | None = field(default=None, repr=False)

    @property
    def raw_rows(self) -> Sequence[bytes]:
        """Each row as JSON text, found when it is first asked for."""
        if self._raw_rows is None:
            self._raw_rows = [bytes(row) for row in _texts(self.body)]
        return self._raw_rows

    @property
    def expected_pages(self) -> int:
        """Pages of this page's size that the count fills; 1 where it is not known."""
        if not self.count or not self.rows:
            return 1
        return -(-self.count // len(self.rows))


END: t.Final = Page(b"[]", ())
"""Stands for the page after the last one."""


def _answer_decoder(row_type: type) -> Callable[[bytes], t.Any]:
    rows: t.Any = list[row_type]  # type: ignore[valid-type]  # a type made as it is needed
    links = [("count", object, None), ("next", object, None)]
    envelope: t.Any = msgspec.defstruct("Envelope", [("results", rows), *links])
    return msgspec.json.Decoder(envelope | rows).decode


def rows_decoder(row_type: type[T]) -> Callable[[bytes], list[T]]:
    """A decoder of just the rows of answers, envelopes and bare lists alike.

    It raises msgspec's errors for an answer that has other rows.
    """
    decode = _answer_decoder(row_type)

    def rows(body: bytes) -> list[T]:
        answer = decode(body)
        found: list[T] = answer if isinstance(answer, list) else answer.results
        return found

    return rows


_texts = rows_decoder(msgspec.Raw)


class PageDecoder:
    """Makes pages of answers.

    Args:
        row_type: What is looked at in each row.
    """

    def __init__(self, row_type: type[Row]) -> None:
        """Compile the decoder."""
        self._row_type = row_type
        self._decode = _answer_decoder(row_type)

    def __call__(self, body: bytes) -> Page:
        """Decode one answer.

        Raises:
            TransientError: If it is not JSON (a log-in page, a cut body), or neither an envelope
                nor a list.
        """
        try:
            body.decode()  # what is passed over here would hide that it is no text
            answer = self._decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _lenient_page(body, self._row_type)
        if isinstance(answer, list):
            return Page(body, answer, is_list=True)
        return Page(body, answer.results, _whole(answer.count), answer.next)


decode_page: t.Final = PageDecoder(Row)
"""Makes pages of answers whose rows are not looked at."""


def decode_object(body: bytes) -> bytes:
    """Check that an answer is one JSON object: a row of its own, in a form that can be decoded.

    Raises:
        TransientError: If it is anything else.
    """
    if not body.strip().startswith(b"{"):
        raise TransientError(NOT_JSON)
    return _lenient_page(b"[%b]" % body, Row).raw_rows[0]


def _lenient_page(body: bytes, row_type: type[Row]) -> Page:
    """Take what a strict decoder refuses: half a surrogate pair in one row must not cost all."""
    try:
        answer = simplejson.loads(body, parse_float=exact, parse_int=_integer, allow_nan=True)
    except (ValueError, RecursionError):
        raise TransientError(NOT_JSON) from None
    envelope = answer if isinstance(answer, dict) else {"results": answer}
    results = envelope.get("results")
    if not isinstance(results, list) or not all(isinstance(row, dict) for row in results):
        raise TransientError(NOT_A_PAGE)
    rows = [simplejson.dumps(row, use_decimal=True, allow_nan=True).encode() for row in results]
    return Page(
        b"[%b]" % b",".join(rows),
        [decode_as(row, row_type) for row in rows],
        _whole(envelope.get("count")),
        envelope.get("next"),
        is_list=envelope is not answer,
        _raw_rows=rows,
    )


def _integer(digits: str) -> int | Decimal:
    """An integer, however long: Python refuses to make one of thousands of digits."""
    return int(digits) if len(digits) < MAX_DIGITS else Decimal(digits)


def _whole(count: object) -> int | None:
    return count if isinstance(count, int) and type(count) is int and count >= 0 else None
