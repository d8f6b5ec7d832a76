"""The account's clock: local Norwegian time, in the spellings of the events (T37, T38)."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

OSLO = ZoneInfo("Europe/Oslo")


def moment(when: datetime) -> datetime:
    """Take a time without zone as a local one."""
    return when.replace(tzinfo=OSLO) if when.tzinfo is None else when


def days(first: date, last: date) -> tuple[datetime, datetime]:
    """Give the first and the last moment of some local days."""
    return (
        datetime.combine(first, time.min, tzinfo=OSLO),
        datetime.combine(last, time.max, tzinfo=OSLO),
    )


def minute(when: datetime) -> str:
    """Spell `2020-02-12 10:27`, ambiguous for an hour of each autumn."""
    return when.astimezone(OSLO).isoformat(" ", "minutes")[:16]


def timestamp(when: datetime) -> str:
    """Spell `2020-02-12T10:27:06.477+0100`, without colon in the offset."""
    spelled = when.astimezone(OSLO).isoformat("T", "milliseconds")
    return f"{spelled[:-3]}{spelled[-2:]}"
