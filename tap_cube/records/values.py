"""The exact rules by which a value of Cube becomes a value of its column's type."""

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
    """JSON text of a value that fits no column, such as half a surrogate pair."""

    __slots__ = ()


def converter(schema: Mapping[str, t.Any], zone: ZoneInfo, *, in_utc: bool = False) -> Convert:
    """The conversion a column's schema asks for; times in UTC if so wished.

    A conversion raises ValueError or ArithmeticError for a value that does not fit.
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
    """Text stays as it is; numbers and truth values become their JSON text (T30)."""
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
_LARGEST = 2**63


def as_number(value: object) -> int | Decimal | None:
    """Numbers, also those in strings (T28); whole ones without a fraction."""
    if value == "":
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = Decimal(value.strip())
    if not isinstance(value, bool):
        if isinstance(value, Decimal) and value == value.to_integral_value():
            return int(value) if abs(value) < _LARGEST else value
        if isinstance(value, int | Decimal):
            return value
    raise ValueError


def as_integer(value: object) -> int | None:
    """Whole numbers that databases have room for."""
    number = as_number(value)
    if number is None or (isinstance(number, int) and -_LARGEST <= number < _LARGEST):
        return number
    raise ValueError


_TRUTH: Mapping[object, bool] = {
    **dict.fromkeys(("true", "yes", "ja", "1", "on"), True),
    **dict.fromkeys(("false", "no", "nei", "0", "off"), False),
}


def as_boolean(value: object) -> bool | None:
    """True and false in every spelling seen (T36)."""
    if isinstance(value, bool) or value == "":
        return None if value == "" else bool(value)
    try:
        return _TRUTH[str(value).strip().casefold()]
    except KeyError:
        raise ValueError from None


def _nested(value: object, classes: tuple[type, ...]) -> object:
    if value == "":
        return None
    if isinstance(value, classes):
        return value
    raise ValueError


_TOO_FINE = re.compile(r"\.[0-9]{7}")  # finer than datetime, which would cut it
_NORWEGIAN = re.compile(r"([0-9]{2})\.([0-9]{2})\.([0-9]{4})(.*)")


def _iso(value: object) -> str:
    if isinstance(value, str) and not _TOO_FINE.search(value):
        return _NORWEGIAN.sub(r"\3-\2-\1\4", value.strip())
    raise ValueError


def as_day(value: object) -> str | None:
    """A day, also in Norwegian order (T37)."""
    return date.fromisoformat(_iso(value)).isoformat() if value != "" else None


_PLAIN = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]"
    r"((?:[01][0-9]|2[0-3]):[0-5][0-9])(:[0-5][0-9])?"
    r"(\+(?:[01][0-9]|2[0-3]):[0-5][0-9])?"
)


def as_moment(value: object, zone: ZoneInfo) -> str | None:
    """RFC 3339 with offset; a time without one is local (T37, T38)."""
    if value == "":
        return None
    # Nearly all times are plain: they get their day's offset, and no datetime is made of them.
    if isinstance(value, str) and (plain := _PLAIN.fullmatch(value)):
        day, clock, seconds, given = plain.groups()
        usual = day_offset(day, zone)  # also refuses a day that is in no calendar
        if offset := given or usual:
            return f"{day}T{clock}{seconds or ':00'}{offset}"
    moment = datetime.fromisoformat(_iso(value))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return (moment.astimezone(UTC) if _has_seconds(moment) else moment).isoformat()


@lru_cache(maxsize=10_000)  # the days of 27 years
def day_offset(day: str, zone: ZoneInfo) -> str:
    """The zone's offset all through a day; "" if it changes on that day, or has seconds.

    Raises:
        ValueError: If there is no such day.
    """
    begin = datetime.fromisoformat(day).replace(tzinfo=zone)
    end = begin.replace(hour=23, minute=59)
    is_steady = begin.utcoffset() == end.utcoffset() and not _has_seconds(begin)
    return begin.isoformat()[19:] if is_steady else ""


def _has_seconds(moment: datetime) -> bool:
    """Whether the offset has seconds: local mean time before 1895 does, RFC 3339 does not."""
    return bool((moment.utcoffset() or timedelta()) % timedelta(minutes=1))


def as_utc(value: object, zone: ZoneInfo) -> str | None:
    """The moment that `as_moment` makes, in UTC."""
    moment = as_moment(value, zone)
    return moment and datetime.fromisoformat(moment).astimezone(UTC).isoformat()
