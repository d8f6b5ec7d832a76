"""The full load of a stream: its version, and whether the target may delete what it did not bring.

ACTIVATE_VERSION deletes every row of a table that was not emitted since the version began. So it
comes after the last record, and only if nothing says that the account has rows that did not come.
"""

from __future__ import annotations

import logging
import typing as t
from datetime import UTC, datetime
from functools import cached_property

from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE

from tap_cube.account.model import ACCOUNT
from tap_cube.logs import listed
from tap_cube.singer.versions import DETAILS, LOADED, TableVersion

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_cube.account.model import Resource
    from tap_cube.singer.stream import EncodedStream
    from tap_cube.streams.partition_index import PartitionIndex
    from tap_cube.streams.spec import CubeTap

_LATER = "The next run that reads everything deletes them."
_ACCEPT = "If that is right, run once with --full-refresh, or without a state."


class FullLoad:
    """The full load of one stream, maybe over several runs.

    Args:
        stream: The stream.
        tap: The tap, with its settings and its state.
        resource: What the stream reads.
        index: Its partitions.
        parent: The full load of the customers that the stream shows in detail. Marks in their
            state say which details came.

    Attributes:
        stream: The stream.
        details: The full loads of its details.
    """

    def __init__(
        self,
        stream: EncodedStream,
        tap: CubeTap,
        resource: Resource,
        index: PartitionIndex,
        parent: FullLoad | None = None,
    ) -> None:
        self.stream, self._tap, self._resource, self._index = stream, tap, resource, index
        self._parent = parent
        self._owner = parent.stream if parent else stream
        self._mark = DETAILS if parent else LOADED
        self.details: list[FullLoad] = []
        if parent:
            parent.details.append(self)

    @cached_property
    def version(self) -> TableVersion:
        """The version of the stream's rows, decided once by the state and written into it."""
        is_full = self.stream.replication_method == REPLICATION_FULL_TABLE
        state = self._owner.stream_state
        return TableVersion.of_state(
            self.stream.stream_state,
            [state, *state.get("partitions", ())],
            self._mark,
            now=self._now,
            start=self._start,
            is_full=self._parent.version.is_new if self._parent else is_full,
        )

    def begin(self) -> None:
        """Write into the state which version the run has, and what it may leave unread."""
        if not self.version.is_new:
            return
        # A full refresh knows none of earlier runs. If it breaks off, or cannot read one of
        # these, later runs know that the target may have rows of it.
        for partition in (*self._index.partitions, *self._resource.skipped):
            context = self._index.context_of(partition)
            self._owner.get_context_state(context).setdefault(LOADED, 0)

    @property
    def selected_details(self) -> list[FullLoad]:
        """The full loads of details that are selected."""
        return [each for each in self.details if each.stream.selected]

    def end(self) -> None:
        """Let the target delete older rows if the load is complete, and log that, or why not."""
        stream = self.stream
        if not (stream.selected and self.version.is_due):
            return
        unread, unexpected = "".join(self._unread()), " ".join(self._unexpected())
        if unread or unexpected:
            # What could not be read has its own warning. Definitions and campaigns show no people.
            is_urgent = unexpected or self.version.is_overdue(self._now)
            level = logging.WARNING if is_urgent and self._owner.replication_key else logging.INFO
            msg = "%s: rows that have gone from the account stay in the target. %s%s"
            stream.logger.log(level, msg, stream.name, unread, unexpected)
            return
        if self._tap.settings.emit_activate_version_messages:
            stream.declare()  # maybe this run has no record of the stream
            stream.write_activate_version(self.version.number)
            level = logging.INFO if self._owner.replication_key else logging.DEBUG
            msg = "Full load of '%s' complete; the target deletes rows last read before %s"
            began = datetime.fromtimestamp(self.version.number, UTC)
            stream.logger.log(level, msg, stream.name, f"{began:%Y-%m-%d %H:%M:%S} UTC")
        self.version.activate()
        self._tap.state_writer.write_state(stream.tap_state)

    @property
    def _now(self) -> int:
        """Seconds since 1970 when the run began."""
        return self._tap.initialized_at // 1000

    @property
    def _start(self) -> str:
        """First day to read; "" for everything, as in streams without days."""
        day = self._tap.settings.start_date
        return day.isoformat() if day and self._owner.replication_key else ""

    def _unread(self) -> Iterator[str]:
        """Sentences about what this run could not read and the next one may."""
        if unread := [*self._resource.unread, *self._not_loaded()]:
            yield f"Not read: {listed(unread)}. {_LATER} "
        elif not (self.stream.is_complete and self._owner.is_complete):
            yield f"Not everything could be read. {_LATER} "

    def _unexpected(self) -> Iterator[str]:
        """Sentences about what is not as it was, and may be meant so."""
        unknown = self._index.gone(self._owner.stream_state.get("partitions", ()))
        if gone := [name for name in unknown if name not in self._resource.unread]:
            yield f"Earlier runs read {listed(gone)}, which this run does not know. {_ACCEPT}"
        if self.version.is_narrower:
            yield f"'start_date' is not what it was when the table was loaded. {_ACCEPT}"

    def _not_loaded(self) -> Iterator[str]:
        """Names of the partitions that were not read to their end under this version."""
        if not self._owner.replication_key:
            return  # every run reads all of them
        for partition in self._index.partitions or (ACCOUNT,):
            state = self._owner.get_context_state(self._index.context_of(partition) or None)
            if state.get(self._mark) != self.version.number:
                yield partition.name or "the account"
