"""Rows without an id: how many people were anonymised, and whether a full load is due."""

from __future__ import annotations

import logging
import typing as t
from datetime import datetime

from tap_cube.singer.versions import LOADED, MONTH

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.helpers.types import Context

    from tap_cube.singer.stream import EncodedStream
    from tap_cube.streams.changes import Changes
    from tap_cube.streams.full_load import FullLoad
    from tap_cube.streams.spec import CubeTap

_LAST = "without_id"
"""Number of these rows when the partition was last read."""

_LOWEST = "without_id_loaded"
"""The lowest number since the last full load of the partition, that load included."""

_MAX_NUMBER = 2**31 - 1


class AnonymisedRows:
    """Counts the rows of a stream that carry no id, and compares the numbers of its runs.

    Cube empties a customer who is anonymised, the id too (T40). The row then comes under another
    key, and the warehouse keeps the one under the old key until the next full load. The numbers of
    each partition are in the state, so those of a partition that is not read stay as they are.

    Args:
        stream: The stream, whose state holds the numbers.
        tap: The tap, with the time when the run began.
        load: The full load of the stream.
    """

    def __init__(self, stream: EncodedStream, tap: CubeTap, load: FullLoad) -> None:
        self._stream, self._tap, self._load = stream, tap, load
        self._change: int | None = None

    def record(self, context: Context | None, changes: Changes) -> None:
        """Remember the number of a partition before it counts as loaded.

        Args:
            context: The partition's context.
            changes: The partition, read to its end.
        """
        state, number = self._stream.get_context_state(context), changes.without_id
        is_full = state.get(LOADED) != self._load.version.number
        # A list may be shown empty by mistake for a moment.
        is_sure = is_full or changes.has_rows
        if number is None or not (is_sure and self._stream.selected):
            return
        last, lowest = _number(state, _LAST), _number(state, _LOWEST)
        if last is not None:
            self._change = (self._change or 0) + number - last
        state[_LAST] = number
        # Rows without an id that go must not hide others that come later.
        state[_LOWEST] = number if is_full or lowest is None else min(number, lowest)

    def report(self) -> str:
        """Log how many rows lost their id since the last full load: a warning after a month.

        Returns:
            The number of all rows without an id, and how it changed, for the end of the summary;
            "" if there is none.
        """
        own = self._stream.stream_state
        parts = [
            part for part in own.get("partitions") or [own] if _number(part, _LAST) is not None
        ]
        total = sum(_number(part, _LAST) or 0 for part in parts)
        grown = [part for part in parts if _growth(part)]
        if grown:
            self._log_due(
                sum(map(_growth, grown)),
                min(_number(part, LOADED) or self._load.version.number for part in grown),
            )
        change = _comparison(self._change)
        return f", {total} rows without an id (anonymised){change}" if parts else ""

    def _log_due(self, rows: int, version: int) -> None:
        zone = self._tap.settings.timezone
        loaded = datetime.fromtimestamp(version, zone)
        now = datetime.fromtimestamp(self._tap.initialized_at / 1000, zone)
        level, until = logging.INFO, "until the next full load."
        if (now - loaded).total_seconds() > MONTH:
            level = logging.WARNING
            until = (
                "until the next one, and the GDPR gives one month to erase them. "
                "Run a full load now (docs/erasure.md)."
            )
        msg = (
            "%s: %d rows lost their id since the full load of %s (anonymised). "
            "The target keeps these people under their old keys %s"
        )
        self._stream.logger.log(level, msg, self._stream.name, rows, loaded.date(), until)


def _number(part: Mapping[str, t.Any], name: str) -> int | None:
    """A number in the state; None if it is damaged or not there."""
    value = part.get(name)
    return value if type(value) is int and 0 <= value <= _MAX_NUMBER else None


def _growth(part: Mapping[str, t.Any]) -> int:
    last, lowest = _number(part, _LAST), _number(part, _LOWEST)
    return 0 if last is None or lowest is None else max(0, last - lowest)


def _comparison(change: int | None) -> str:
    if change is None:
        return ""
    amount = f"{abs(change)} {'more than' if change > 0 else 'fewer than'}"
    return f", {amount if change else 'as many as'} in the last run"
