"""Days and times as Cube writes them (T37), and as records have them: times in UTC.

Only spellings that can be read in one way are accepted: ISO 8601, extended or basic, and
DD.MM.YYYY. Anything else is left unparsed.
"""

from __future__ import annotations

import re
import typing as t
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

if t.TYPE_CHECKING:
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

_COMMON = re.compile(
    f"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})[T ]({_HOUR})(:{_SIXTY})"
    rf"(?:(:{_SIXTY})(\.[0-9]{{1,6}})?)?(Z|[+-]{_HOUR}:?{_SIXTY})?"
)
"""Nearly all times: their minutes and seconds are the same in UTC."""


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
    if isinstance(value, str) and (match := _COMMON.fullmatch(value)):
        day, hour, minute, second, fraction, offset = match.groups("")
        if begin := _hour_in_utc(day, hour, offset, zone):
            digits = fraction.ljust(7, "0") if fraction.strip(".0") else ""
            return f"{begin}{minute}{second or ':00'}{digits}+00:00"
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


@lru_cache(2**16)  # 65,536 hours with calls, or 8 MB
def _hour_in_utc(day: str, hour: str, offset: str, zone: ZoneInfo) -> str:
    """Day and hour in UTC of an hour; "" if its minutes are others there, or not all alike."""
    begin = datetime.fromisoformat(f"{day}T{hour}:00{offset}")
    begin = begin if offset else begin.replace(tzinfo=zone)
    end = begin + timedelta(minutes=59, seconds=59)
    try:
        in_utc = begin.astimezone(UTC)
    except OverflowError:  # later minutes of this hour may be in year 1
        return ""
    is_even = begin.utcoffset() == end.utcoffset() and not (in_utc.minute or in_utc.second)
    return in_utc.isoformat()[:13] if is_even else ""
