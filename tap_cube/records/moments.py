"""Days and times as Cube writes them (T37), and as records have them: times in UTC.

Only spellings that can be read in one way are accepted: ISO 8601, extended or basic, and
DD.MM.YYYY. Anything else is left unparsed.
"""

from __future__ import annotations

import re
import typing as t
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

_HOUR, _SIXTY = "(?:[01][0-9]|2[0-3])", "[0-5][0-9]"
_FRACTION = "(?:[.,][0-9]{1,6}0*)?"  # a datetime has microseconds, and would cut off more
_OFFSET = f"[Zz]|[+-]{_HOUR}(?::?{_SIXTY})?"
_CLOCK = f"{_HOUR}:{_SIXTY}(?::{_SIXTY}{_FRACTION})?"
_BASIC_CLOCK = f"{_HOUR}{_SIXTY}(?:{_SIXTY}{_FRACTION})?"
_DOTTED_CLOCK = rf"{_HOUR}\.{_SIXTY}(?:\.{_SIXTY})?"
_SPELLINGS = [
    re.compile(f"({day})(?:{time})?")
    for day, time in (
        ("[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-W[0-9]{2}-[1-7]", f"[Tt ]({_CLOCK})({_OFFSET})?"),
        ("[0-9]{8}|[0-9]{4}W[0-9]{2}[1-7]", f"[Tt]({_BASIC_CLOCK})({_OFFSET})?"),
        (r"[0-9]{2}\.[0-9]{2}\.[0-9]{4}", f" ({_CLOCK}|{_DOTTED_CLOCK})()"),
    )
]
_NORWEGIAN_DAY = re.compile(r"([0-9]{2})\.([0-9]{2})\.([0-9]{4})")


def as_day(value: object) -> str | None:
    """Convert a day to YYYY-MM-DD; an empty text to None.

    Raises:
        ValueError: If the value is not a day, or has a time.
    """
    if value == "":
        return None
    day, clock, _ = _parts(value)
    if clock:
        raise ValueError
    return date.fromisoformat(day).isoformat()


def as_moment(value: object, zone: ZoneInfo) -> str | None:
    """Convert a time to RFC 3339 in UTC; an empty text to None.

    Args:
        value: A text in one of the accepted spellings. A day alone is its midnight.
        zone: Zone of a time that has none (T38). Of an hour that comes twice in autumn, the first
            is taken.

    Returns:
        Such as ``2024-05-17T08:00:00+00:00``, with six digits of a fraction that is not zero.

    Raises:
        ValueError: If the value is not a time.
        OverflowError: If it is outside the years 1 to 9999 in UTC.
    """
    if value == "":
        return None
    if isinstance(value, str) and (match := _COMMON.fullmatch(f'\n"{value}"'.encode())):
        text = common_times(zone)(match)
        if text != match[0]:
            return text[2:-1].decode()
    return parse_moment(value, zone).isoformat()


def parse_moment(value: object, zone: ZoneInfo) -> datetime:
    """Parse a time like `as_moment`; not an empty text."""
    day, clock, offset = _parts(value)
    moment = datetime.fromisoformat(f"{day}T{clock or '00:00'}{offset}")
    return (moment if offset else moment.replace(tzinfo=zone)).astimezone(UTC)


def _parts(value: object) -> tuple[str, str, str]:
    """Day, time of day and offset, as `datetime.fromisoformat` takes them; "" for a missing one."""
    text = value.strip() if isinstance(value, str) else ""
    for spelling in _SPELLINGS:
        if match := spelling.fullmatch(text):
            day, clock, offset = match.groups("")
            if norwegian := _NORWEGIAN_DAY.fullmatch(day):
                day = "-".join(reversed(norwegian.groups()))
                clock = clock if ":" in clock else clock.replace(".", ":")
            return day, clock, offset.upper()
    raise ValueError


_COMMON = re.compile(
    rb'\n"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]((?:[01][0-9]|2[0-3]))(:[0-5][0-9])'
    rb"(?:(:[0-5][0-9])(\.[0-9]{1,6})?)?"
    rb'(?!\+00:00)(Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])?"(?=\n|\Z)'
)
"""Nearly all times, as JSON text after a line break; not those that are in UTC already."""

_MAX_DAYS = 2**13
_HOURS = [b"%02d" % hour for hour in range(24)]


class _Days(dict[tuple[bytes, bytes], dict[bytes, bytes]]):
    """The hours of a day in UTC, by the day and the offset sent; 20 MB at most."""

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__()
        self._zone = zone

    def __missing__(self, key: tuple[bytes, bytes]) -> dict[bytes, bytes]:
        if len(self) >= _MAX_DAYS:
            self.clear()
        self[key] = hours = self._hours(*(part.decode() for part in key))
        return hours

    def _hours(self, day: str, offset: str) -> dict[bytes, bytes]:
        """JSON text in UTC, up to the hour, for each hour; empty if minutes are others there."""
        try:
            begin = datetime.fromisoformat(f"{day}T00:00{offset}")
            begin = begin if offset else begin.replace(tzinfo=self._zone)
            shift = begin.utcoffset() or timedelta()
            is_constant = shift == begin.replace(hour=23, minute=59, second=59).utcoffset()
            days = [begin.date() + timedelta(days=number) for number in (-1, 0, 1)]
        except (ValueError, OverflowError):
            return {}
        if not is_constant or shift % timedelta(hours=1):
            return {}
        names = [b'\n"%bT' % each.isoformat().encode() for each in days]
        in_utc = [name + hour for name in names for hour in _HOURS]
        first = 24 - shift // timedelta(hours=1)
        return dict(zip(_HOURS, in_utc[first : first + 24], strict=True))


@cache
def common_times(zone: ZoneInfo) -> Callable[[re.Match[bytes]], bytes]:
    """Make a function that converts what `_COMMON` matches, like `as_moment`.

    Args:
        zone: Zone of times that have none.
    """
    days = _Days(zone)

    def in_utc(match: re.Match[bytes]) -> bytes:
        day, hour, minute, second, fraction, offset = match.groups(b"")
        if not (begin := days[day, offset].get(hour)):
            return match[0]
        if fraction:
            fraction = fraction.ljust(7, b"0") if fraction.strip(b".0") else b""
        return b'%b%b%b%b+00:00"' % (begin, minute, second or b":00", fraction)

    return in_utc


def common_times_in_utc(zone: ZoneInfo) -> Callable[[bytes], tuple[bytes, int]]:
    """Make a function that converts the common times of a column at once, like `as_moment`.

    It takes JSON texts, each after a line break, and leaves all that is not a common time. It
    returns the texts and the number of common times.

    Args:
        zone: Zone of times that have none.
    """
    return partial(_COMMON.subn, common_times(zone))
