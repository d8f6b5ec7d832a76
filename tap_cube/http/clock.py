"""The account's own clock, by the Date headers of its responses."""

from __future__ import annotations

import time
import typing as t
from datetime import timedelta

from tap_cube.http.headers import date_of

if t.TYPE_CHECKING:
    from datetime import datetime


class AccountClock:
    """The account's time. Threads may share it.

    A cache sends a page with the date of its making. So of several dates the most advanced counts.
    """

    def __init__(self) -> None:
        self._origin: datetime | None = None  # what the clock showed at 0 of `time.monotonic`

    def update(self, header: str | None) -> datetime | None:
        """Set the clock by the Date header of a response that has just come; return its time."""
        date = date_of(header)
        if date is not None:
            origin = date - timedelta(seconds=time.monotonic())
            self._origin = max(self._origin or origin, origin)
        return date

    def now(self) -> datetime | None:
        """The account's time; None if no response had a date."""
        return self._origin and self._origin + timedelta(seconds=time.monotonic())
