"""Conversions of JSON values to the types of their columns.

Each conversion raises `ValueError` or `ArithmeticError` for a value that does not fit. An empty
text becomes null in every column but those of text (T33).
"""

from __future__ import annotations

import re
import typing as t
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache, partial

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from zoneinfo import ZoneInfo

Convert: t.TypeAlias = "Callable[[t.Any], t.Any]"


class Unparsable(str):
    """JSON text of a value that no column can hold, such as half a surrogate pair."""

    __slots__ = ()


def converter(schema: Mapping[str, t.Any], zone: ZoneInfo, *, in_utc: bool = False) -> Convert:
    """Return the conversion for a column.

    Args:
        schema: JSON Schema of the column.
        zone: Zone of times that have none (T38).
        in_utc: Whether times are written in UTC instead of with their offset.

    Returns:
        A function that takes a decoded JSON value and returns that of the record.
    """
    types = schema.get("type", "string")
    kinds = {types} if isinstance(types, str) else set(types)
    if "string" in kinds:
        moment = partial(as_utc if in_utc else as_moment, zone=zone)
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
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")
_INT64_LIMIT = 2**63


def as_number(value: object) -> int | Decimal | None:
    """Convert a number, or text that holds one (T28). A whole number becomes an integer."""
    if value == "":
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = Decimal(value.strip())
    if not isinstance(value, bool):
        if isinstance(value, Decimal) and value == value.to_integral_value():
            return int(value) if abs(value) < _INT64_LIMIT else value
        if isinstance(value, int | Decimal):
            return value
    raise ValueError


def as_integer(value: object) -> int | None:
    """Convert a whole number of at most 64 bits."""
    number = as_number(value)
    if number is None or (isinstance(number, int) and -_INT64_LIMIT <= number < _INT64_LIMIT):
        return number
    raise ValueError


_BOOLEANS: Mapping[object, bool] = {
    **dict.fromkeys(("true", "yes", "ja", "1", "on"), True),
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
    if isinstance(value, classes):
        return value
    raise ValueError


_BEYOND_MICROSECONDS = re.compile(r"\.[0-9]{7}")  # datetime would truncate it
_NORWEGIAN_ORDER = re.compile(r"([0-9]{2})\.([0-9]{2})\.([0-9]{4})(.*)")


def _iso(value: object) -> str:
    if isinstance(value, str) and not _BEYOND_MICROSECONDS.search(value):
        return _NORWEGIAN_ORDER.sub(r"\3-\2-\1\4", value.strip())
    raise ValueError


def as_day(value: object) -> str | None:
    """Convert a day, also one written as DD.MM.YYYY (T37), to YYYY-MM-DD."""
    return date.fromisoformat(_iso(value)).isoformat() if value != "" else None


_COMMON_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]"
    r"((?:[01][0-9]|2[0-3]):[0-5][0-9])(:[0-5][0-9])?"
    r"(\+(?:[01][0-9]|2[0-3]):[0-5][0-9])?"
)


def as_moment(value: object, zone: ZoneInfo) -> str | None:
    """Convert a time (T37) to RFC 3339 with an offset; one without a zone is local (T38)."""
    if value == "":
        return None
    # Nearly all times match. They get the offset of their day, without a datetime.
    if isinstance(value, str) and (match := _COMMON_TIME.fullmatch(value)):
        day, clock, seconds, sent_offset = match.groups()
        zone_offset = day_offset(day, zone)  # raises for a day that does not exist
        if offset := sent_offset or zone_offset:
            return f"{day}T{clock}{seconds or ':00'}{offset}"
    moment = datetime.fromisoformat(_iso(value))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return (moment.astimezone(UTC) if _has_seconds(moment) else moment).isoformat()


@lru_cache(maxsize=10_000)  # the days of 27 years
def day_offset(day: str, zone: ZoneInfo) -> str:
    """Return a zone's offset on a day, such as +02:00.

    Args:
        day: The day as YYYY-MM-DD.
        zone: The zone.

    Returns:
        The offset; "" if it changes during the day or has seconds.

    Raises:
        ValueError: If the day does not exist.
    """
    begin = datetime.fromisoformat(day).replace(tzinfo=zone)
    end = begin.replace(hour=23, minute=59)
    is_constant = begin.utcoffset() == end.utcoffset() and not _has_seconds(begin)
    return begin.isoformat()[19:] if is_constant else ""


def _has_seconds(moment: datetime) -> bool:
    """Whether the offset has seconds, as in local mean time; RFC 3339 cannot express them."""
    return bool((moment.utcoffset() or timedelta()) % timedelta(minutes=1))


def as_utc(value: object, zone: ZoneInfo) -> str | None:
    """Convert a time like `as_moment`, to UTC."""
    moment = as_moment(value, zone)
    return moment and datetime.fromisoformat(moment).astimezone(UTC).isoformat()
