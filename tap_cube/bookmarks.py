"""Streams that go on where the run before ended."""

from __future__ import annotations

import typing as t
from datetime import date, datetime

from typing_extensions import override

from tap_cube.errors import CubeError
from tap_cube.stream import CubeStream

if t.TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record


class BookmarkedStream(CubeStream):
    """Bookmarks that move only when everything up to them was written."""

    @property
    def is_incremental(self) -> bool:
        """Whether bookmarks count."""
        return self.replication_method == "INCREMENTAL"

    def today(self) -> date:
        """The day the run began, where Cube's days are counted."""
        return self.began().date()

    def began(self) -> datetime:
        """The moment the run began, on the account's clock."""
        return datetime.fromtimestamp(self._tap.initialized_at / 1000, self.settings.timezone)

    def bookmark(self, context: Context | None) -> str | None:
        """The bookmark of a partition: a date, perhaps with a time.

        One that lies ahead, as another tap may have left it, does not count: it would hide
        every change until then.

        Raises:
            CubeError: If it is no date.
        """
        state = self.get_context_state(context)
        if not self.is_incremental or state.get("replication_key") != self.replication_key:
            return None
        value = str(state["replication_key_value"])
        try:
            day = date.fromisoformat(value[:10])
            datetime.fromisoformat(value)
        except ValueError:
            msg = (
                f"{self.name}: the state holds a bookmark that is no date. "
                "Clear or mend the state, then run again."
            )
            raise CubeError(msg) from None
        if day > self.today():
            self.logger.warning("A bookmark lies in the future; nothing is left out by it")
            return None
        return value

    def move_bookmark(self, context: Context | None, value: str) -> None:
        """Remember in the state that everything up to here was written; never backwards."""
        if self.selected and self.is_incremental:
            value = max(value, self.bookmark(context) or "")
            state = self.get_context_state(context)
            state |= {"replication_key": self.replication_key, "replication_key_value": value}

    @override
    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        """Leave bookmarks alone while rows come, since they come in no order."""
