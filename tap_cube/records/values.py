"""Conversions of JSON values to the types of their columns.

Each conversion raises `ValueError` or `ArithmeticError` for a value that does not fit. An empty
text becomes null in every column but those of text (T33).
"""

from __future__ import annotations

import re
import typing as t
from decimal import Decimal
from functools import partial

from tap_cube.records.moments import as_day, as_moment

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from zoneinfo import ZoneInfo

Convert: t.TypeAlias = "Callable[[t.Any], t.Any]"


class Unparsable(str):
    """JSON text of a value that no column can hold, such as half a surrogate pair."""

    __slots__ = ()


def converter(schema: Mapping[str, t.Any], zone: ZoneInfo) -> Convert:
    """Return the conversion for a column.

    Args:
        schema: JSON Schema of the column.
        zone: Zone of times that have none (T38).

    Returns:
        A function that takes a decoded JSON value and returns that of the record.
    """
    types = schema.get("type", "string")
    kinds = {types} if isinstance(types, str) else set(types)
    if "string" in kinds:
        moment = partial(as_moment, zone=zone)
        texts: Mapping[str, Convert] = {"date": as_day, "date-time": moment}
        return texts.get(schema.get("format", ""), as_text)
    others = {"boolean": as_boolean, "integer": as_integer, "number": as_number}
    nested = tuple({"object": dict, "array": list}[kind] for kind in kinds & {"object", "array"})
    return next(
        (others[kind] for kind in others if kind in kinds), lambda value: _nested(value, nested)
    )


def as_text(value: object) -> str:
    """Return text unchanged, and numbers and booleans as JSON text (T30)."""
    if isinstance(value, str) and not isinstance(value, Unparsable):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal) and abs(value.adjusted()) < _MAX_DIGITS:
        return format(value, "f")
    if isinstance(value, int | Decimal):
        return str(value)
    raise ValueError


_MAX_DIGITS = 30
_MAX_ORDER = 307
"""Digits of a number, and its largest power of ten, that every reader of JSON takes: a double's."""

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")
_INT64_LIMIT = 2**63


def is_readable(value: object) -> bool:
    """Whether every reader of JSON takes a value: it holds no number beyond a double.

    Python refuses integers of 4,301 digits, PostgreSQL numbers of 131,073; others read infinity.
    """
    if isinstance(value, dict):
        return all(map(is_readable, value.values()))
    if isinstance(value, list):
        return all(map(is_readable, value))
    if isinstance(value, int | Decimal):
        number = Decimal(value)
        return not number or max(abs(number.adjusted()), len(number.as_tuple().digits)) < _MAX_ORDER
    return not isinstance(value, Unparsable)


def readable(value: object) -> object:
    """The value, with each part that some reader of JSON refuses as its JSON text."""
    if isinstance(value, dict):
        return {key: readable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [readable(inner) for inner in value]
    return value if is_readable(value) else str(value)


def as_number(value: object) -> int | Decimal | None:
    """Convert a number, or text that holds one (T28). A whole number becomes an integer."""
    if value == "":
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = Decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not is_readable(value):
        raise ValueError
    number = Decimal(value)
    is_whole = number == number.to_integral_value()
    return int(number) if is_whole and abs(number) < _INT64_LIMIT else value


def as_integer(value: object) -> int | None:
    """Convert a whole number of at most 64 bits."""
    number = as_number(value)
    if number is None or (isinstance(number, int) and -_INT64_LIMIT <= number < _INT64_LIMIT):
        return number
    raise ValueError


TRUE: t.Final = ("true", "yes", "ja", "1", "on")
"""Spellings of a boolean that is set, in small letters (T36)."""

_BOOLEANS: Mapping[object, bool] = {
    **dict.fromkeys(TRUE, True),
    **dict.fromkeys(("false", "no", "nei", "0", "off"), False),
}


def as_boolean(value: object) -> bool | None:
    """Convert a boolean in any known spelling (T36)."""
    if isinstance(value, bool) or value == "":
        return None if value == "" else bool(value)
    try:
        return _BOOLEANS[str(value).strip().casefold()]
    except KeyError:
        raise ValueError from None


def _nested(value: object, classes: tuple[type, ...]) -> object:
    if value == "":
        return None
    if isinstance(value, classes) and is_readable(value):
        return value
    raise ValueError
