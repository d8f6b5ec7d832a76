"""JSON in and out, with exact numbers."""

from __future__ import annotations

import json
import re
import typing as t
from contextlib import suppress
from decimal import Decimal, InvalidOperation

import msgspec
import simplejson

from tap_cube.records.values import Unparsable


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
            odd = json.loads(
                row, parse_float=exact, parse_int=_lenient_int, parse_constant=Unparsable
            )
            return {_ascii(key): _fit(value) for key, value in odd.items()}
        raise error from None


def _lenient_int(digits: str) -> int | Unparsable:
    return int(digits) if len(digits) < MAX_DIGITS else Unparsable(digits)


def _fit(value: object) -> object:
    if _SURROGATE.search(json.dumps(value, ensure_ascii=False, default=str)):
        return Unparsable(json.dumps(value, default=str))
    return value


def _ascii(key: str) -> str:
    return key.encode("ascii" if key.isascii() else "utf-8", "backslashreplace").decode()


_SURROGATE = re.compile("[\ud800-\udfff]")
MAX_DIGITS: t.Final = 30
"""Digits of an integer that is still taken for one."""


_encoder = msgspec.json.Encoder(decimal_format="number")
encode_lines = _encoder.encode_lines
"""JSON text of several values, each followed by a line break, with decimals as exact numbers."""


def encode(value: object) -> bytes:
    """JSON text, with decimals as exact numbers."""
    try:
        return _encoder.encode(value)
    except (OverflowError, TypeError):  # integers beyond 64 bits
        return simplejson.dumps(value, use_decimal=True, default=str).encode()
