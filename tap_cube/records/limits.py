"""Limits of a response, which hold before its rows take memory or time."""

from __future__ import annotations

import re
import typing as t
from itertools import accumulate

from tap_cube.errors import TooLargeError, TransientError

MAX_ROWS: t.Final = 100_000
"""Rows of one response; one with more is an error. Pages of the documents have 500 (T12)."""

MAX_VALUES: t.Final = 3_000_000
"""Brackets, braces and commas of one response: about the number of values that it has.

With `tap_cube.http.body.MAX_BODY_BYTES` this limits the memory that a response takes, since the
smallest values take up to a hundred times as much memory as they have characters.
"""

MAX_DEPTH: t.Final = 200
"""Levels of one response. Python's own limit is for levels and calls together, so that a body that
one function can decode might be too deep for the next.
"""

_TOO_DEEP = f"the response has more than {MAX_DEPTH} levels (check 'api_url')"
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NO_BRACKETS = bytes(set(range(256)) - _STEPS.keys())


def check_values(body: bytes) -> None:
    """Refuse a body before it is decoded, if its values would not fit in memory.

    Raises:
        TooLargeError: If it has more than `MAX_VALUES` values.
    """
    # A shorter body cannot have so many. All ordinary pages are.
    if len(body) > MAX_VALUES and values_of(body) > MAX_VALUES:
        raise TooLargeError(MAX_VALUES, "values")


def values_of(body: bytes) -> int:
    """About the number of values in a body."""
    return sum(map(body.count, (b",", b"[", b"{")))


def check_rows(rows: int) -> None:
    """Refuse a response by the number of its rows.

    Raises:
        TooLargeError: If it has more than `MAX_ROWS` rows.
    """
    if rows > MAX_ROWS:
        raise TooLargeError(MAX_ROWS, "rows")


def check_depth(body: bytes, rows: int = 0) -> list[int]:
    """Refuse a body that is nested more than `MAX_DEPTH` levels deep.

    Args:
        body: JSON text.
        rows: Number of its rows, each of which opens a level of its own.

    Returns:
        Where braces open in the body; not all of them if there are many besides those of the rows.

    Raises:
        TransientError: If it is.
    """
    # Ordinary pages have no brackets but those of their rows, so their number is enough.
    braces = _places_of(b"{", body, rows + MAX_DEPTH + 1)
    brackets = _places_of(b"[", body, MAX_DEPTH + 1)
    if len(braces) + len(brackets) - rows > MAX_DEPTH:
        steps = map(_STEPS.__getitem__, _TEXT.sub(b"", body).translate(None, _NO_BRACKETS))
        if max(accumulate(steps), default=0) > MAX_DEPTH:
            raise TransientError(_TOO_DEEP)
    return braces


def _places_of(character: bytes, body: bytes, most: int) -> list[int]:
    """Where a character is in a body: its first places, at most so many."""
    # Where it is rare, this is far faster than to count it.
    places: list[int] = []
    place = -1
    for _ in range(most):
        place = body.find(character, place + 1)
        if place < 0:
            break
        places.append(place)
    return places
