"""Bookmarks of a stream's partitions: read with suspicion, and moved when all rows were written."""

from __future__ import annotations

import typing as t
from datetime import date, datetime

from tap_cube.errors import RunError

if t.TYPE_CHECKING:
    from singer_sdk.helpers.types import Context
    from singer_sdk.streams import Stream


class Bookmarks:
    """The bookmarks of one stream.

    Args:
        stream: The stream, whose state holds them.
        began: Local time when the run began.
    """

    def __init__(self, stream: Stream, began: datetime) -> None:
        self._stream = stream
        self._today = began.date()

    @property
    def _is_incremental(self) -> bool:
        return self._stream.replication_method == "INCREMENTAL"

    def get(self, context: Context | None) -> str | None:
        """The bookmark of a partition: a date, perhaps with a time.

        One in the future, as another tap may have left it, does not count: it would hide every
        change until then.

        Raises:
            RunError: If it is not a date.
        """
        state, key = self._stream.get_context_state(context), self._stream.replication_key
        if not self._is_incremental or state.get("replication_key") != key:
            return None
        value = str(state["replication_key_value"])
        try:
            day = date.fromisoformat(value[:10])
            datetime.fromisoformat(value)
        except ValueError:
            msg = (
                f"{self._stream.name}: the state holds a bookmark that is not a date. "
                "Fix or clear the state, then run again."
            )
            raise RunError(msg) from None
        if day > self._today:
            self._stream.logger.warning("A bookmark is in the future; ignoring it")
            return None
        return value

    def move(self, context: Context | None, value: str) -> None:
        """Remember in the state that everything up to here was written; never backwards."""
        if self._stream.selected and self._is_incremental:
            key = self._stream.replication_key
            state = self._stream.get_context_state(context)
            state |= {
                "replication_key": key,
                "replication_key_value": max(value, self.get(context) or ""),
            }
