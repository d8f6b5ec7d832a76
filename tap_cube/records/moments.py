"""Days and times as Cube writes them (T37), and as records have them: times in UTC.

Only spellings that can be read in one way are accepted: ISO 8601, extended or basic, and
DD.MM.YYYY. Anything else is left unparsed.
"""

from __future__ import annotations

import re
import typing as t
from datetime import UTC, date, datetime, timedelta
from functools import cache
from struct import Struct

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

_DAY_TEXT = re.compile(rb'"([0-9]{4}-[0-9]{2}-[0-9]{2})')
_OFFSET_TEXT = re.compile(rb'(Z|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])?"?')
_FIRST_TIME = re.compile(rb'\n"[^"\n]{16,40}"')
_DAY_BYTES, _HOUR_BYTES, _CLOCK_BYTES = 11, 3, 6
"""Sizes of the parts of a JSON text, such as ``"2024-05-17``, ``T10`` and ``:30:00``."""

_TWO_DIGITS = [b"%02d" % number for number in range(60)]
_MAX_DAYS, _MAX_OFFSETS = 2**14, 2**6
_Places: t.TypeAlias = "Mapping[bytes, tuple[int, bytes]]"
_Day: t.TypeAlias = "tuple[list[bytes], _Places]"


@cache
def _places(shift: int) -> _Places:
    """Each hour of a day in UTC: number of the day (0 is the day before), and hour."""
    places = {}
    for number in range(24):
        days, hours = divmod(number - shift, 24)
        place = days + 1, _TWO_DIGITS[hours]
        places[b"T" + _TWO_DIGITS[number]] = places[b" " + _TWO_DIGITS[number]] = place
    return places


@cache
def _clocks() -> Mapping[bytes, bytes]:
    """The end of a time in UTC, by the minute and the second sent, or by a minute and a quote."""
    sixty = [b":" + digits for digits in _TWO_DIGITS]
    clocks = {minute + second: minute + second + b'+00:00"' for minute in sixty for second in sixty}
    clocks |= {minute + b'"': minute + b':00+00:00"' for minute in sixty}
    return clocks | {b" " * size: b"" for size in range(_CLOCK_BYTES + 1)}  # of `_NO_DAYS`


_NO_DAYS: Mapping[bytes, _Day] = {
    text.ljust(_DAY_BYTES): ([b"null"], {b" " * _HOUR_BYTES: (0, b"")}) for text in (b"null", b'""')
}
"""Values without a time, which are as wide as the others; an empty text is a null (T33)."""


class _Days(dict[bytes, _Day]):
    """Days in UTC, by the JSON text of the day sent. Anything else is a `KeyError`.

    Each has the JSON text of the day before, the day itself and the next one, and those of its
    hours whose minutes are the same in UTC.

    Args:
        offset: What the times have after the second, such as ``+01:00"``.
        offsets: The days of all offsets, and the zone of times without one.
    """

    def __init__(self, offset: bytes, offsets: _Offsets) -> None:
        super().__init__(_NO_DAYS)
        is_known = _OFFSET_TEXT.fullmatch(offset)
        self._offset = offset.rstrip(b'"').decode() if is_known else None
        self._all = offsets

    def __missing__(self, sent: bytes) -> _Day:
        match = _DAY_TEXT.fullmatch(sent)
        if match is None or self._offset is None:
            raise KeyError
        self._all.make_room()
        try:
            self[sent] = found = self._in_utc(match[1].decode(), self._offset)
        except (ValueError, OverflowError):
            raise KeyError from None
        return found

    def _in_utc(self, day: str, offset: str) -> _Day:
        begin = datetime.fromisoformat(f"{day}T00:00{offset}")
        begin = begin if offset else begin.replace(tzinfo=self._all.zone)
        near = [begin.date() + timedelta(days=number) for number in (-1, 0, 1)]
        names = [b'"%bT' % each.isoformat().encode() for each in near]
        if (shift := _shift(begin, 23)) is not None:
            return names, _places(shift)
        # The clocks change on this day, or are not whole hours away.
        hours: dict[bytes, tuple[int, bytes]] = {}
        for number, digits in enumerate(_TWO_DIGITS[:24]):
            if (shift := _shift(begin.replace(hour=number), number)) is not None:
                hours |= {key: _places(shift)[key] for key in (b"T" + digits, b" " + digits)}
        return names, hours


def _shift(begin: datetime, last: int) -> int | None:
    """Hours from UTC, from a time to the end of an hour; None if they are not whole or change."""
    shift = begin.utcoffset() or timedelta()
    end = begin.replace(hour=last, minute=59, second=59)
    is_whole = shift == end.utcoffset() and not shift % timedelta(hours=1)
    return shift // timedelta(hours=1) if is_whole else None


class _Offsets(dict[bytes, _Days]):
    """Days in UTC, by the offset sent; 10 MB at most."""

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__()
        self.zone = zone

    def __missing__(self, offset: bytes) -> _Days:
        self.make_room()
        self[offset] = found = _Days(offset, self)
        return found

    def make_room(self) -> None:
        if len(self) > _MAX_OFFSETS or sum(map(len, self.values())) >= _MAX_DAYS:
            self.clear()


_offsets = cache(_Offsets)


def _common(text: bytes, zone: ZoneInfo) -> bytes | None:
    """Convert the JSON text of a time; None if it is no common one, or its hour is another."""
    if not (match := _COMMON.fullmatch(text)):
        return None
    day, hour, minute, second, fraction, offset = match.groups(b"")
    try:
        days, hours = _offsets(zone)[offset + b'"'][b'"' + day]
        number, begin = hours[hour]
    except KeyError:
        return None
    digits = fraction.ljust(7, b"0") if fraction.strip(b".0") else b""
    return days[number] + begin + minute + (second or b":00") + digits + b'+00:00"'


@cache
def _layout(size: int) -> Struct:
    """The parts of a text of this size with a line break: day, hour, clock and offset."""
    rest = size - 1 - _DAY_BYTES - _HOUR_BYTES
    clock = min(rest, _CLOCK_BYTES)
    return Struct(f"x{_DAY_BYTES}s{_HOUR_BYTES}s{clock}s{rest - clock}s")


def common_times_in_utc(zone: ZoneInfo) -> Callable[[bytes, int], tuple[list[bytes], bool]]:
    """Make a function that converts the times of a column at once, like `as_moment`.

    It takes JSON texts, each after a line break, and their number. It returns them with the common
    times converted, and whether no other text is left than times in UTC and nulls.

    Args:
        zone: Zone of times that have none.
    """
    offsets, clocks = _offsets(zone), _clocks()

    def convert(texts: bytes, number: int) -> tuple[list[bytes], bool]:
        if not (first := _FIRST_TIME.search(texts)):
            return texts.split(b"\n")[1:], False
        # In most columns all times are spelled alike, so their parts are at the same places.
        size = len(first[0])
        for null in (b"\nnull", b'\n""'):
            texts = texts.replace(null, null.ljust(size))
        if len(texts) == number * size and texts[::size] == b"\n" * number:
            try:
                return [
                    days[place] + begin + clocks[clock]
                    for day, hour, clock, offset in _layout(size).iter_unpack(texts)
                    for days, hours in [offsets[offset][day]]
                    for place, begin in [hours[hour]]
                ], True
            except KeyError:
                pass  # one is no time, or one in no whole hour
        parts = (text.rstrip() for text in texts.split(b"\n")[1:])
        return [_common(text, zone) or text for text in parts], False

    return convert
