"""Rows as Cube sends them: JSON text, and keys for rows without an id."""

from __future__ import annotations

import json
import re
import typing as t
from collections import Counter
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from hashlib import blake2b

import msgspec

from tap_cube.values import Unfit

if t.TYPE_CHECKING:
    from collections.abc import Mapping


def exact(number: str) -> Decimal | str:
    """A JSON number with a fraction or exponent, undamaged."""
    try:
        return Decimal(number)
    except InvalidOperation:  # an exponent beyond all measure
        return number


_decode = msgspec.json.Decoder(dict[str, t.Any], float_hook=exact).decode


def decode_row(row: bytes) -> dict[str, t.Any]:
    """Decode one row, with floats as exact decimals."""
    try:
        return _decode(row)
    except msgspec.DecodeError as error:
        # Python's own decoder takes what a strict one refuses.
        with suppress(ValueError, AttributeError):
            odd = json.loads(row, parse_float=exact, parse_int=_lenient_int, parse_constant=Unfit)
            return {_ascii(key): _fit(value) for key, value in odd.items()}
        raise error from None


def _lenient_int(digits: str) -> int | Unfit:
    return int(digits) if len(digits) < MOST_DIGITS else Unfit(digits)


def _fit(value: object) -> object:
    if _SURROGATE.search(json.dumps(value, ensure_ascii=False, default=str)):
        return Unfit(json.dumps(value, default=str))
    return value


def _ascii(key: str) -> str:
    return key.encode("ascii" if key.isascii() else "utf-8", "backslashreplace").decode()


_SURROGATE = re.compile("[\ud800-\udfff]")
MOST_DIGITS: t.Final = 30
"""Digits of an integer that is still taken for one."""


class Surrogates:
    """Keys for rows without an id: the same whenever the same rows are read.

    A key is made of the row's content; rows that are equal in all of it are numbered.
    """

    def __init__(self) -> None:
        """Know no row yet."""
        self._reading = 0
        self._now: Counter[str] = Counter()
        self._emitted: Counter[str] = Counter()

    def begin(self, reading: int) -> None:
        """Say which reading the next rows belong to: each numbers equal rows from 1."""
        if reading != self._reading:
            self._reading = reading
            self._now.clear()

    def key_of(self, row: Mapping[str, t.Any]) -> str | None:
        """Key of one row; None if an earlier reading gave it already."""
        internal = row.get("id")
        if internal != "" and isinstance(internal, str | int):
            return f"id:{internal}"
        content = msgspec.json.encode(row, enc_hook=str, order="sorted")
        digest = blake2b(content, digest_size=10).hexdigest()
        self._now[digest] += 1
        number = self._now[digest]
        if number <= self._emitted[digest]:
            return None
        self._emitted[digest] = number
        return f"surrogate:{digest}:{number}"
