"""Days and times as Cube writes them (T37), and as records have them: times in UTC.

Only spellings that can be read in one way are accepted: ISO 8601, extended or basic, and
DD.MM.YYYY. Anything else is left unparsed.
"""

from __future__ import annotations

import re
import typing as t
from datetime import UTC, date, datetime, timedelta
from functools import cache

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping
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
    common = _common(f'"{value}"'.encode(), zone) if isinstance(value, str) else None
    return common[1:-1].decode() if common else parse_moment(value, zone).isoformat()


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
    rb'"([0-9]{4}-[0-9]{2}-[0-9]{2})([T ](?:[01][0-9]|2[0-3]))(:[0-5][0-9])'
    rb"(?:(:[0-5][0-9])(\.[0-9]{1,6})?)?"
    rb'(Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])?"'
)
"""Nearly all times, as JSON text."""

_DAY_AND_OFFSET = re.compile(
    rb'"([0-9]{4}-[0-9]{2}-[0-9]{2})(Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])?"?'
)
_DAY, _HOUR_AT, _CLOCK_AT = slice(11), slice(11, 14), slice(14, 20)
_OFFSET_AT = slice(20, None)
"""Parts of the JSON text of a time: ``"2024-05-17``, ``T10``, ``:00:00`` and ``+02:00"``."""

_MAX_DAYS = 2**14
_HOURS = [b"%02d" % hour for hour in range(24)]
_Places: t.TypeAlias = "dict[bytes, tuple[int, bytes]]"
_Day: t.TypeAlias = "tuple[list[bytes], _Places]"


@cache
def _places(shift: int) -> _Places:
    """Each hour of a day in UTC: number of the day (0 is the day before), and hour."""
    places = {}
    for number, hour in enumerate(_HOURS):
        days, hours = divmod(number - shift, 24)
        places[b"T" + hour] = places[b" " + hour] = days + 1, _HOURS[hours]
    return places


@cache
def _clocks() -> Mapping[bytes, bytes]:
    """The end of a time in UTC, by the minute and the second sent, or by a minute and a quote."""
    sixty = [b":%02d" % number for number in range(60)]
    clocks = {minute + second: minute + second + b'+00:00"' for minute in sixty for second in sixty}
    clocks |= {minute + b'"': minute + b':00+00:00"' for minute in sixty}
    return clocks | {b"": b""}  # of the values in `_NO_DAYS`


_NO_DAYS: Mapping[bytes, _Day] = {
    text: ([value], {b"": (0, b"")})
    for text, value in ((b"null", b"null"), (b'""', b"null"), (b"", b""))
}
"""Values that are not times but common: a null, an empty text (T33), and a key that is missing."""


class _Days(dict[bytes, _Day]):
    """Days in UTC, by the JSON text of a time without its time of day; 10 MB at most.

    Each has the JSON text of the day before, the day itself and the next one, and its hours. A day
    whose minutes are others in UTC, or whose offset changes, has no hours.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__(_NO_DAYS)
        self._zone = zone

    def __missing__(self, key: bytes) -> _Day:
        if not (match := _DAY_AND_OFFSET.fullmatch(key)):
            raise KeyError
        if len(self) >= _MAX_DAYS:
            self.clear()
            self.update(_NO_DAYS)
        self[key] = found = self._in_utc(*(part.decode() for part in match.groups(b"")))
        return found

    def _in_utc(self, day: str, offset: str) -> _Day:
        try:
            begin = datetime.fromisoformat(f"{day}T00:00{offset}")
            begin = begin if offset else begin.replace(tzinfo=self._zone)
            shift = begin.utcoffset() or timedelta()
            is_constant = shift == begin.replace(hour=23, minute=59, second=59).utcoffset()
            days = [begin.date() + timedelta(days=number) for number in (-1, 0, 1)]
        except (ValueError, OverflowError):
            return [], {}
        if not is_constant or shift % timedelta(hours=1):
            return [], {}
        names = [b'"%bT' % each.isoformat().encode() for each in days]
        return names, _places(shift // timedelta(hours=1))


_days = cache(_Days)


def _common(text: bytes, zone: ZoneInfo) -> bytes | None:
    """Convert the JSON text of a time; None if it is no common one, or its day has no hours."""
    if not (match := _COMMON.fullmatch(text)):
        return None
    day, hour, minute, second, fraction, offset = match.groups(b"")
    days, places = _days(zone)[b'"%b%b"' % (day, offset)]
    if hour not in places:
        return None
    number, begin = places[hour]
    digits = fraction.ljust(7, b"0") if fraction.strip(b".0") else b""
    return days[number] + begin + minute + (second or b":00") + digits + b'+00:00"'


def common_times_in_utc(zone: ZoneInfo) -> Callable[[list[bytes]], tuple[list[bytes], bool]]:
    """Make a function that converts the times of a column at once, like `as_moment`.

    It takes JSON texts, "" where there is none. It returns them with the common times converted,
    and whether all of them were common times, empty or null.

    Args:
        zone: Zone of times that have none.
    """
    days, clocks = _days(zone), _clocks()

    def convert(texts: list[bytes]) -> tuple[list[bytes], bool]:
        # No two times have the same parts: a closing quote is in the clock or in the offset.
        try:
            return [
                names[number] + hour + clocks[text[_CLOCK_AT]]
                for text in texts
                for names, hours in [days[text[_DAY] + text[_OFFSET_AT]]]
                for number, hour in [hours[text[_HOUR_AT]]]
            ], True
        except KeyError:  # one is in another spelling, or no time
            return [_common(text, zone) or text for text in texts], False

    return convert
