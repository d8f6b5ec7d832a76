"""Bookmarks of a stream's partitions: read with suspicion, and moved when all rows were written."""

from __future__ import annotations

import re
import typing as t
from datetime import UTC, datetime, timedelta

from tap_cube.errors import StateError
from tap_cube.singer.versions import DETAILS, EMPTIED, LOADED

if t.TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, tzinfo

    from singer_sdk.helpers.types import Context
    from singer_sdk.streams import Stream

    from tap_cube.records.page import Page
    from tap_cube.streams.full_load import FullLoad
    from tap_cube.streams.spec import CubeTap

CLOCK_MARGIN = timedelta(minutes=10)
"""How far the runner's clock may be ahead of an account that does not tell its own time.

A machine that sets its clock by the network is wrong by less than a second, one that does not by
some seconds a day. Protocols that compare clocks, such as Kerberos, allow 5 minutes.
"""

_FUTURE = timedelta(days=1)
"""How far a bookmark may be ahead of the account's clock: clocks and zones differ."""

_EMPTY = "empty"
"""Mark of a partition that had ended and had no rows in the last run."""

_SPELLING = re.compile(
    r"([0-9]{4}-?[0-9]{2}-?[0-9]{2}|[0-9]{4}-?W[0-9]{2}-?[0-9])"
    r"(?:[T ]([0-9]{2}[0-9:]{0,6}(?:[.,][0-9]+)?) ?(Z|[+-][0-9]{2}[0-9:]{0,6})?)?"
)


def parse_bookmark(value: object, zone: tzinfo) -> datetime:
    """Parse a bookmark in any spelling of ISO 8601 that names a day.

    Args:
        value: A text such as ``2026-01-31``, ``2026-W05-6`` or ``20260131T100000Z``, or the
            number 20260131.
        zone: Zone of times that have none, and of the result.

    Returns:
        The moment; the beginning of the day if the bookmark has no time.

    Raises:
        ValueError: If the value is anything else.
    """
    text = str(value).strip().upper() if type(value) in {str, int} else ""
    if not (match := _SPELLING.fullmatch(text)):
        msg = "not a date"
        raise ValueError(msg)
    day, clock, offset = match.groups(default="")
    moment = datetime.fromisoformat(f"{day}T{clock}{offset}" if clock else day)
    # The ends of the calendar leave no room for offsets and a lookback.
    if not 1000 <= moment.year < 9999:
        moment = moment.replace(year=1000 if moment.year < 1000 else 9998, month=1, day=1)
    return moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)


def check_bookmarks(state: Mapping[str, t.Any], stream: str, key: str | None) -> None:
    """Check the bookmarks of a stream before the first request.

    Args:
        state: The state of the tap, of the right shape.
        stream: Name of the stream.
        key: Its replication key; only bookmarks of this key count.

    Raises:
        StateError: If one is not a date. The message names the partition.
    """
    own = state["bookmarks"].get(stream, {})
    for part in (own, *own.get("partitions", [])):
        value = part.get("replication_key_value")
        if value is None or key is None or part.get("replication_key") != key:
            continue
        try:
            parse_bookmark(value, UTC)
        except ValueError:
            where = _where(part.get("context"))
            msg = (
                f"{stream}: the state holds a bookmark that is not a date"
                f"{where and f', for {where}'}. Write it as YYYY-MM-DD, or remove it so that "
                "everything is read again."
            )
            raise StateError(msg) from None


def _where(context: Context | None) -> str:
    return ", ".join(f"{name} {value}" for name, value in (context or {}).items())


class Bookmarks:
    """The bookmarks of one stream.

    Args:
        stream: The stream, whose state holds them.
        load: Its full load. Bookmarks of another version do not count.
        began: The account's time when the run began, by its own clock if it tells it.
        runner: The same by the runner's clock.
        zone: The account's zone.

    Attributes:
        last_day: The last day to request: that of the later clock, since either may be far behind.
    """

    def __init__(
        self, stream: Stream, load: FullLoad, began: datetime, runner: datetime, zone: tzinfo
    ) -> None:
        self._stream, self._load = stream, load
        self._began = began
        self._zone = zone
        self.last_day = max(began, runner).date()
        self._ignored: set[str] = set()

    @classmethod
    def of_run(cls, stream: Stream, tap: CubeTap, load: FullLoad) -> t.Self:
        """Make the bookmarks of a stream in the run that has just begun."""
        zone = tap.settings.timezone
        runner = datetime.fromtimestamp(tap.initialized_at / 1000, zone)
        began = (tap.client.clock.now() or runner - CLOCK_MARGIN).astimezone(zone)
        return cls(stream, load, began, runner, zone)

    def parse(self, value: object) -> datetime:
        """Parse a bookmark.

        Raises:
            ValueError: If it is not a date.
        """
        return parse_bookmark(value, self._zone)

    @property
    def today(self) -> date:
        """The account's day when the run began."""
        return self._began.date()

    @property
    def _versions_of_details(self) -> list[int]:
        return [each.version.number for each in self._load.selected_details]

    @property
    def _is_incremental(self) -> bool:
        return self._stream.replication_method == "INCREMENTAL"

    def get(self, context: Context | None) -> datetime | None:
        """The moment up to which a partition was read, in the account's zone; None to read it all.

        A bookmark in the future does not hide changes: by a day it counts as now, since clocks and
        zones differ. By more, as another tap may have left it, it does not count.
        """
        state = self._stream.get_context_state(context)
        moment = self._moment(state, context)
        # Customers that were read without details are read again when those are selected.
        lacks_details = any(state.get(DETAILS) != number for number in self._versions_of_details)
        return None if moment is None or lacks_details else min(moment, self._began)

    def move(self, context: Context | None, value: str) -> None:
        """Remember in the state that everything up to here was written; never backwards.

        Args:
            context: The partition's context.
            value: The new bookmark.
        """
        if not (self._stream.selected and self._is_incremental):
            return
        state = self._stream.get_context_state(context)
        before, moment = self._moment(state, context), self.parse(value)
        # Local times would repeat an hour in autumn.
        if before is None or before.timestamp() <= moment.timestamp():
            state["replication_key"] = self._stream.replication_key
            state["replication_key_value"] = value
            state[LOADED] = self._load.version.number

    def end(
        self, context: Context | None, *, is_empty: bool | None, has_details: bool = False
    ) -> None:
        """Remember in the state that a partition was read to its end under the present version.

        A list may be shown empty by mistake for a moment. So one that had rows in the last full
        load must be empty in two runs.

        Args:
            context: The partition's context.
            is_empty: Whether it had no rows; None if it was not requested.
            has_details: Whether details of all its customers that were emitted came, too.
        """
        state, number = self._stream.get_context_state(context), self._load.version.number
        details = self._versions_of_details
        is_full = state.get(LOADED) != number or any(state.get(DETAILS) != own for own in details)
        if is_empty and is_full:
            emptied = state.get(EMPTIED, 0)
            # The full load of an earlier run did not come to it, so it may have had rows.
            is_left = LOADED in state and not (emptied or self._load.version.is_new)
            had_rows = is_left or emptied < max(state.get(LOADED, 0), state.get(DETAILS) or 0)
            state[EMPTIED] = max([number, *details])
            if had_rows:
                return
        elif EMPTIED in state and is_empty is False:
            state[EMPTIED] = 0  # a later list without rows is a new one
        if self._stream.selected:
            state[LOADED] = number
        numbers = details if has_details else ()
        if numbers or DETAILS in state:
            state[DETAILS] = max(numbers, default=0)

    def is_new(self, context: Context | None) -> bool:
        """Whether no run has read a partition to its end."""
        state = self._stream.get_context_state(context)
        return not state.get(LOADED) and state.get("replication_key_value") is None

    def may_close(self, context: Context | None, *, is_empty: bool) -> bool:
        """Whether a partition that has ended is complete, so that no run need read it again.

        A list may be shown empty by mistake for a moment. So an empty one is read once more by the
        next run.
        """
        state = self._stream.get_context_state(context)
        was_empty = bool(state.pop(_EMPTY, False))
        if is_empty and not was_empty:
            state[_EMPTY] = True
        return was_empty or not is_empty

    def limit(self, first: Page) -> datetime:
        """The local time that a bookmark must not pass: when its reading began, by the account.

        The account's clock counts, not the runner's: a change that it dates to 10:03 may come
        when the runner's clock shows 10:08. The page was dated between request and response, so
        the request was no earlier than the date less the time in between.

        Args:
            first: The first page that was requested.
        """
        if first.date is None:
            return self._began
        asked = first.date - timedelta(seconds=first.came - first.asked)
        return asked.astimezone(self._zone)

    def _moment(self, state: dict[str, t.Any], context: Context | None) -> datetime | None:
        """The bookmark in a partition's state; None without one, or if it is in the future."""
        value, key = state.get("replication_key_value"), self._stream.replication_key
        if value is None or not self._is_incremental or state.get("replication_key") != key:
            return None
        if state.get(LOADED) != self._load.version.number:
            return None
        moment = self.parse(value)
        if moment <= self._began + _FUTURE:
            return moment
        where = _where(context)
        if where not in self._ignored:
            self._ignored.add(where)
            msg = "%s: A bookmark is in the future; ignoring it, so everything is read%s"
            self._stream.logger.warning(msg, self._stream.name, where and f" ({where})")
        return None
