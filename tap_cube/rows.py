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


class SurrogateKeys:
    """Keys for rows of one resource that nothing in the row tells apart.

    A key is a digest of what identifies the row and a number among the rows that are equal in
    it. Each pass over the resource numbers from 1 again, so that a row gets the same key in every
    pass and in every run.
    """

    def __init__(self) -> None:
        """Start without a key."""
        self._pass = 0
        self._numbers: Counter[str] = Counter()
        self._given: dict[str, int] = {}

    def key_of(self, digest: str, content: int, pass_number: int) -> str | None:
        """Make the key of the next row with this digest.

        Args:
            digest: What identifies the row.
            content: What tells the row from others with the digest, as a hash.
            pass_number: The pass in which the row comes.

        Returns:
            The key; None if the very same row got it before.
        """
        if pass_number != self._pass:
            self._pass = pass_number
            self._numbers.clear()
        self._numbers[digest] += 1
        key = f"{digest}:{self._numbers[digest]}"
        if self._given.get(key) == content:
            return None
        self._given[key] = content
        return key


def surrogate_key(row: bytes, keys: SurrogateKeys, pass_number: int) -> str | None:
    """Key of a row without an imported id: its internal id, else one made of its content.

    Returns:
        The key; None if an earlier pass gave it already.
    """
    content = decode_row(row)
    internal = content.get("id")
    if internal != "" and isinstance(internal, str | int):
        return f"id:{internal}"
    encoded = msgspec.json.encode(content, enc_hook=str, order="sorted")
    digest = blake2b(encoded, digest_size=10).hexdigest()
    return keys.key_of(f"surrogate:{digest}", 0, pass_number)
