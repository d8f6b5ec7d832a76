"""The JSON text of the rows of a response, each cut out of the body when it is needed."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence

import msgspec
from typing_extensions import override

_END = b"}"
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class RawRows(Sequence[bytes]):
    """The rows of a body in which no braces open but its own and one per row.

    Few rows of a page are needed in most runs, and each is cut out without a look at the others.

    Args:
        body: JSON text of the response.
        starts: Where each row begins, and where the last one ends.
    """

    def __init__(self, body: bytes, starts: Sequence[int]) -> None:
        self._body, self._starts = body, starts

    @override
    def __len__(self) -> int:
        return len(self._starts) - 1

    @t.overload
    def __getitem__(self, place: int) -> bytes: ...
    @t.overload
    def __getitem__(self, place: slice) -> Sequence[bytes]: ...
    @override
    def __getitem__(self, place: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(place, slice):
            return [self[each] for each in range(len(self))[place]]
        number = range(len(self))[place]
        start, end = self._starts[number : number + 2]
        # Only white space and a comma follow the row. A text in it may have closing braces, too.
        return self._body[start : self._body.rindex(_END, start, end) + 1]


def raw_rows(body: bytes, braces: Sequence[int], rows: int, *, is_list: bool) -> RawRows | None:
    """Find the rows of a body that was decoded.

    Args:
        body: JSON text of the response.
        braces: Where braces open in it.
        rows: Number of its rows.
        is_list: Whether it is a bare list, which has no braces of its own.

    Returns:
        The rows; None if braces do not say where they are, since there are others in the rows.
    """
    outer = 0 if is_list else 1
    if not rows or len(braces) != rows + outer:
        return None
    end = body.find(_END, braces[-1]) + 1
    try:
        # No text of one JSON object begins with that of another.
        _fields.decode(body[braces[-1] : end])
    except msgspec.DecodeError:
        return None  # the first brace that closes is in a text
    return RawRows(body, [*braces[outer:], end])
