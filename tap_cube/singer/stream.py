"""Streams that write blocks of encoded records; overrides private methods of the SDK."""

from __future__ import annotations

import logging
import typing as t
from functools import cached_property

from singer_sdk.helpers._catalog import get_selected_schema  # as the SDK does for its mapper
from singer_sdk.helpers._util import utc_now
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.streams import Stream
from typing_extensions import override

from tap_cube.records.codec import decode_row, encode
from tap_cube.records.decoder import RecordBlock, RecordDecoder
from tap_cube.singer.batches import batch_files
from tap_cube.singer.maps import register, with_known_bookmark
from tap_cube.singer.messages import BufferedWriter, batch_row, batch_rows, record_messages
from tap_cube.singer.partition_state import IndexedState
from tap_cube.singer.progress import StateThrottle
from tap_cube.singer.selection import ColumnSelection, DeclaredColumns
from tap_cube.singer.stats import StreamStats

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from singer_sdk import Tap, metrics
    from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.mapper import StreamMap
    from singer_sdk.singerlib import Catalog, SelectionMask

    from tap_cube.records.page import Page


class EncodedStream(Stream):
    """A stream that writes records in blocks and declares new columns during the sync.

    Args:
        tap: The tap; its message writer is a `BufferedWriter`.
        name: Name of the stream.
        primary_keys: Columns of the primary key.
        properties: JSON Schema of each column.
        partitions: Number of the stream's partitions in the state.

    Attributes:
        writer: Writes the stream's messages.
        stats: Totals of this run.
        is_complete: Whether nothing was skipped, failed or uncertain in this run.
        selection: The columns that are emitted.
    """

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # the decoder returns typed records

    writes_state: t.ClassVar[bool] = True
    """Whether the stream writes STATE messages."""

    declares_early = True
    """Whether the schema comes before the first row is read."""

    def __init__(
        self,
        tap: Tap,
        *,
        name: str,
        primary_keys: Sequence[str],
        properties: Mapping[str, Mapping[str, t.Any]],
        partitions: int,
    ) -> None:
        self.selection = ColumnSelection(properties, keys=primary_keys)
        super().__init__(tap, {"properties": self.selection.properties, "type": "object"}, name)
        self.primary_keys = [*primary_keys]
        self.writer = t.cast("BufferedWriter", tap.message_writer)
        self.stats = StreamStats()
        self.is_complete = True
        self._state_throttle = StateThrottle(partitions)
        self._record_counter = self.get_record_counter()
        self._extracted_at, self._has_unsaved_records = b"null", False
        self._declared, self._mapped = DeclaredColumns(), 0

    @override  # the SDK logs errors that the command line reports
    def log(self, message: str, *args: object, level: int = logging.INFO, **kwargs: t.Any) -> None:
        if level < logging.ERROR:
            super().log(message, *args, level=level, **kwargs)

    @cached_property
    @override
    def state_manager(self) -> IndexedState:
        return IndexedState.of(self)

    @property
    def is_plain(self) -> bool:
        """Whether records are written as decoded: no map, child stream or partial column."""
        first, *others = self.stream_maps
        is_same = type(first) is SameRecordTransform and not first.flattening_enabled
        is_changed = others or self.selection.has_partial_columns or self.has_selected_descendents
        return is_same and not is_changed

    def records_of(
        self,
        page: Page,
        places: Sequence[int],
        added: Sequence[Sequence[object]],
        decoder: RecordDecoder,
        context: Context | None,
    ) -> Iterator[Record]:
        """Yield the records of some rows of a page, as one `RecordBlock` if the stream is plain.

        Args:
            page: The page.
            places: Indexes of the rows.
            added: For each added column, the values of these rows.
            decoder: Turns rows into records.
            context: The partition's context.
        """
        if not self.is_plain:
            # All of them before the first, so that the schema is written once for new columns.
            yield from [
                decoder.decode(decode_row(page.raw_rows[place]), *(each[row] for each in added))
                for row, place in enumerate(places)
            ]
        elif places:
            self._extracted_at = encode(utc_now())
            self._record_counter.increment(len(places) - 1)  # the SDK counts the block as one
            yield RecordBlock(decoder.lines(page, places, added), len(places), context)

    def write_state(self) -> None:
        """Write the state if records were written since the last time and no batch file is open."""
        is_batched = bool(self.get_batch_config(self.config))
        if self._has_unsaved_records and not is_batched and self._state_throttle.is_due():
            self._has_unsaved_records = False
            self._write_state_message()

    def sync_children(self, context: Context) -> None:
        """Sync the child streams of a partition."""
        self._sync_children(dict(context))

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        found = self.schema["properties"]
        super().apply_catalog(catalog)
        if entry := catalog.get_stream(self.name):
            automatic = [*self.primary_keys, *filter(None, [self.replication_key])]
            self.selection = ColumnSelection.of_catalog(entry, found, self.primary_keys, automatic)

    @property
    @override
    def effective_schema(self) -> dict[str, t.Any]:
        return {**super().effective_schema, "properties": self.selection.properties}

    @property
    @override
    def mask(self) -> SelectionMask:
        return self.selection.mask_of(super().mask)

    @property
    @override
    def stream_maps(self) -> list[StreamMap]:
        if self._mapped != len(self.selection.properties):
            self.map_columns()
        return super().stream_maps

    def map_columns(self) -> None:
        """Apply the stream maps to the selected columns.

        The SDK would refuse the map of a deselected stream, which has no column. Here such a stream
        keeps all its columns, so its map may stay in the config.
        """
        self._mapped = len(self.selection.properties)
        schema = self.effective_schema
        if self.selected:
            schema = get_selected_schema(self.name, schema, self.mask)
        register(self._tap.mapper, self.name, schema, self.primary_keys)
        self._stream_maps = None

    @override
    def get_batch_config(self, config: Mapping[str, t.Any]) -> BatchConfig | None:
        # With batches, the SDK ignores stream maps that copy or remove the stream.
        first, *others = self.stream_maps
        is_single = not others and type(first) is not RemoveRecordTransform
        return super().get_batch_config(config) if is_single else None

    @override
    def get_batches(
        self, batch_config: BatchConfig, context: Context | None = None
    ) -> Iterator[tuple[BaseBatchFileEncoding, list[str]]]:
        records = self._sync_records(context, write_messages=False)
        lines = (line for record in records for line in self.json_lines(record))
        for manifest in batch_files(batch_config, self.name, self.tap_state, lines):
            self._write_schema_message()
            yield batch_config.encoding, manifest

    def json_lines(self, record: Record) -> Sequence[bytes]:
        """JSON text of a record or a block of records for a file, after stream maps.

        The rows carry what the target takes from RECORD messages otherwise. It would take rows
        without a version for older than any other.
        """
        if isinstance(record, RecordBlock):
            lines = batch_rows(record.lines, self._stream_version, self._extracted_at)
            return lines[:-1].split(b"\n")
        return [batch_row(message) for message in self._generate_record_messages(record)]

    @override
    def get_record_counter(self, **options: t.Any) -> metrics.Counter:
        self._record_counter = super().get_record_counter(**options)
        return self._record_counter

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """Return None: cursors cap the bookmarks; the SDK's cap does not apply to partitions."""

    @override
    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        """Do nothing: rows are not sorted, so bookmarks move after the last one."""

    @property
    @override  # the SDK would write them before the first record, and targets delete the others
    def emit_activate_version_messages(self) -> bool:
        return False

    def use_version(self, version: int) -> None:
        """Write this version into all records that follow."""
        self._stream_version = version

    def write_activate_version(self, version: int) -> None:
        """Let the target delete the rows of earlier versions."""
        self._write_activate_version_message(version)

    @override
    def _write_state_message(self) -> None:
        if self.writes_state:
            super()._write_state_message()

    @override
    def _write_record_message(self, record: Record) -> None:
        self._has_unsaved_records = True
        self.declare()
        if not isinstance(record, RecordBlock):
            super()._write_record_message(record)
            return
        version, extracted_at = self._stream_version, self._extracted_at
        self.writer.write_line(record_messages(self.name, record.lines, version, extracted_at))
        self.state_manager.is_flushed = False

    def declare(self) -> None:
        """Write the schema: once, and again before the first record that has new columns."""
        if grown := self._declared.grow(self.stream_maps, len(self.selection.properties)):
            for message in self._generate_schema_messages():
                if message.stream in grown:
                    self._tap.write_message(with_known_bookmark(message))

    @override
    def _write_schema_message(self) -> None:
        if self.declares_early:
            self.declare()
