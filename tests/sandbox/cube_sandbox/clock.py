"""The account's clock: local Norwegian time, in the formats of the events (T37, T38)."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

OSLO = ZoneInfo("Europe/Oslo")


def localized(when: datetime) -> datetime:
    """Interpret a time without zone as local time."""
    return when.replace(tzinfo=OSLO) if when.tzinfo is None else when


def day_bounds(first: date, last: date) -> tuple[datetime, datetime]:
    """Return the first and the last moment of a range of local days."""
    return (
        datetime.combine(first, time.min, tzinfo=OSLO),
        datetime.combine(last, time.max, tzinfo=OSLO),
    )


def format_minute(when: datetime) -> str:
    """Format as `2020-02-12 10:27`. One hour in autumn is ambiguous."""
    return when.astimezone(OSLO).isoformat(" ", "minutes")[:16]


def format_timestamp(when: datetime) -> str:
    """Format as `2020-02-12T10:27:06.477+0100`, without a colon in the offset."""
    text = when.astimezone(OSLO).isoformat("T", "milliseconds")
    return f"{text[:-3]}{text[-2:]}"
