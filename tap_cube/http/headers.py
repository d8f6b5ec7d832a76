"""Times in the headers of responses, which may hold any text."""

from __future__ import annotations

import math
import typing as t
from datetime import MAXYEAR, UTC, datetime
from email.utils import parsedate_to_datetime

EPOCH: t.Final = 1970
"""Year before which no clock of a computer stands."""


def date_of(value: str | None) -> datetime | None:
    """Parse an HTTP date.

    Returns:
        The moment in UTC; None if the header is missing, malformed or absurd.
    """
    try:
        moment = parsedate_to_datetime(value or "")
    except (ValueError, OverflowError):
        return None
    if not EPOCH < moment.year < MAXYEAR:  # at the ends of the calendar no sum with it would do
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def retry_after(value: str | None) -> float | None:
    """Parse a Retry-After header, which holds seconds or a date.

    urllib3's parser is not used: it takes impossible dates for long waits, and cuts every wait at
    six hours.

    Returns:
        Seconds to wait; None if the header is missing or malformed.
    """
    if value and value.strip().isdecimal():
        seconds = float(value)
        return seconds if math.isfinite(seconds) else None
    moment = date_of(value)
    return None if moment is None else max(0.0, (moment - datetime.now(UTC)).total_seconds())
