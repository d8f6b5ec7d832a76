"""JSON decoding and encoding with exact numbers."""

from __future__ import annotations

import json
import re
import typing as t
from contextlib import suppress
from decimal import Decimal, InvalidOperation

import msgspec
import simplejson

from tap_cube.records.values import Unparsable

MAX_DIGITS: t.Final = 30
"""Ids and counts have fewer digits."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def exact_number(text: str) -> Decimal | str:
    """Decode a JSON number with a fraction or an exponent, without rounding.

    Returns:
        The number; its text if the exponent is too large for a decimal.
    """
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


_decode = msgspec.json.Decoder(dict[str, t.Any], float_hook=exact_number).decode
_decode_value = msgspec.json.Decoder(float_hook=exact_number).decode


def decode_row(row: bytes) -> dict[str, t.Any]:
    """Decode the JSON text of one row.

    Numbers with a fraction or an exponent become `Decimal`. Values that JSON text cannot hold,
    such as NaN or half a surrogate pair, become `Unparsable`.

    Raises:
        msgspec.DecodeError: If the text is not a JSON object.
    """
    try:
        return _decode(row)
    except msgspec.DecodeError as error:
        # The standard library also accepts NaN, lone surrogates and integers of any length.
        with suppress(ValueError, AttributeError):
            lenient = json.loads(
                row, parse_float=exact_number, parse_int=_lenient_int, parse_constant=Unparsable
            )
            return {_escape_surrogates(key): _checked(value) for key, value in lenient.items()}
        raise error from None


def decode_value(text: bytes) -> t.Any:  # noqa: ANN401 - any JSON value
    """Decode the JSON text of one value like that of a row."""
    try:
        return _decode_value(text)
    except msgspec.DecodeError:
        return decode_row(b'{"":%b}' % text)[""]


def _lenient_int(digits: str) -> int | Unparsable:
    try:
        return int(digits)
    except ValueError:  # of more digits than msgspec decodes, too
        return Unparsable(digits)


def _checked(value: object) -> object:
    """The value; if it holds a lone surrogate, its JSON text as `Unparsable`."""
    if _SURROGATE.search(json.dumps(value, ensure_ascii=False, default=str)):
        return Unparsable(json.dumps(value, default=str))
    return value


def _escape_surrogates(key: str) -> str:
    return key.encode("ascii" if key.isascii() else "utf-8", "backslashreplace").decode()


_encoder = msgspec.json.Encoder(decimal_format="number")
encode_lines = _encoder.encode_lines
"""Encode several values as JSON lines, with decimals as exact numbers."""


def encode(value: object) -> bytes:
    """Encode a value as JSON text, with decimals as exact numbers."""
    try:
        return _encoder.encode(value)
    except (OverflowError, TypeError):  # integers beyond 64 bits
        return simplejson.dumps(value, use_decimal=True, default=str).encode()
