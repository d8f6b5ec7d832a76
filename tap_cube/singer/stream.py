"""Streams that write blocks of encoded records; overrides private methods of the SDK."""

from __future__ import annotations

import logging
import typing as t

from singer_sdk.helpers._catalog import get_selected_schema  # as the SDK does for its mapper
from singer_sdk.helpers._util import utc_now
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.streams import Stream
from typing_extensions import override

from tap_cube.records.codec import decode_row, encode
from tap_cube.records.decoder import RecordBlock, RecordDecoder
from tap_cube.singer.batches import batch_files
from tap_cube.singer.maps import register
from tap_cube.singer.messages import BufferedWriter, record_messages
from tap_cube.singer.progress import StateThrottle, StreamStats

if t.TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from singer_sdk import Tap, metrics
    from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib import Catalog, RecordMessage

    from tap_cube.records.decoder import Column
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
        is_complete: Whether nothing was skipped or failed in this run.
    """

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # the decoder returns typed records

    writes_state: t.ClassVar[bool] = True
    """Whether the stream writes STATE messages."""

    writes_batches: t.ClassVar[bool] = True
    """Whether the stream may write BATCH messages."""

    def __init__(
        self,
        tap: Tap,
        *,
        name: str,
        primary_keys: Sequence[str],
        properties: Mapping[str, Mapping[str, t.Any]],
        partitions: int,
    ) -> None:
        super().__init__(tap, schema={"type": "object", "properties": dict(properties)}, name=name)
        self.primary_keys = primary_keys
        self.writer = t.cast("BufferedWriter", tap.message_writer)
        self.stats = StreamStats()
        self.is_complete = True
        self._state_throttle = StateThrottle(partitions)
        self._extracted_at = b"null"
        self._has_unsaved_records = self._has_new_columns = False

    @override  # the SDK logs errors that the command line reports
    def log(self, message: str, *args: object, level: int = logging.INFO, **kwargs: t.Any) -> None:
        if level < logging.ERROR:
            super().log(message, *args, level=level, **kwargs)

    @property
    def is_plain(self) -> bool:
        """Whether records are written as decoded, without a stream map or child stream."""
        first, *others = self.stream_maps
        is_same = type(first) is SameRecordTransform and not first.flattening_enabled
        return is_same and not others and not self.has_selected_descendents

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
            added: Values of the added columns, a sequence for each of these rows.
            decoder: Turns rows into records.
            context: The partition's context.
        """
        if not self.is_plain:
            for place, own in zip(places, added, strict=True):
                yield decoder.decode(decode_row(page.raw_rows[place]), *own)
        elif places:
            self._extracted_at = encode(utc_now())
            self._record_counter.increment(len(places) - 1)  # the SDK counts the block as one
            columns = list(zip(*added, strict=True))
            yield RecordBlock(decoder.lines(page, places, columns), len(places), context)

    def write_state(self) -> None:
        """Write the state if records were written since the last time and no batch file is open."""
        is_batched = bool(self.get_batch_config(self.config))
        if self._has_unsaved_records and not is_batched and self._state_throttle.is_due():
            self._has_unsaved_records = False
            self._write_state_message()

    def sync_children(self, context: Context) -> None:
        """Sync the child streams of a partition."""
        self._sync_children(dict(context))

    def declares(self, name: str) -> bool:
        """Whether a column is in the effective catalog."""
        return name in self.effective_schema["properties"]

    def known_column(self, name: str, schema: Mapping[str, t.Any]) -> Column:
        """Return a column and its schema in the effective catalog; None if it is not selected.

        Args:
            name: Name of the column.
            schema: JSON Schema of the column if it is new (drift); it is then added to the stream.
        """
        if not self.declares(name):
            self._add_property(name, schema)
        if not self.mask["properties", name]:
            return None
        return name, self.effective_schema["properties"][name]

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        super().apply_catalog(catalog)
        if self.name not in catalog:
            return
        keys = (*self.primary_keys, *filter(None, [self.replication_key]))
        for name in dict.fromkeys(keys) if self.selected else ():
            if not self.declares(name):
                self._add_property(name, self.schema["properties"][name])
        self._has_new_columns = False  # the first SCHEMA message is still to come

    @override
    def get_batch_config(self, config: Mapping[str, t.Any]) -> BatchConfig | None:
        # With batches, the SDK ignores stream maps that copy or remove the stream.
        first, *others = self.stream_maps
        is_single = not others and type(first) is not RemoveRecordTransform
        return super().get_batch_config(config) if is_single and self.writes_batches else None

    @override
    def get_batches(
        self, batch_config: BatchConfig, context: Context | None = None
    ) -> Iterator[tuple[BaseBatchFileEncoding, list[str]]]:
        records = self._sync_records(context, write_messages=False)
        lines = (line for record in records for line in self._json_lines(record))
        for manifest in batch_files(batch_config, f"{self.tap_name}--{self.name}", lines):
            self._declare_new_columns()
            yield batch_config.encoding, manifest

    def _json_lines(self, record: Record) -> Sequence[bytes]:
        """JSON text of a record or a block of records, after stream maps."""
        if isinstance(record, RecordBlock):
            return record.lines[:-1].split(b"\n")
        return [encode(m.record) for m in self._generate_record_messages(record)]

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

    @override
    def _write_activate_version_message(self, full_table_version: int) -> None:
        """Do nothing: `sync` calls it before the first record. Targets delete older versions."""

    @override
    def finalize_state_progress_markers(self, state: dict[str, t.Any] | None = None) -> None:
        if self._stream_version and self.is_complete:
            super()._write_activate_version_message(self._stream_version)
        super().finalize_state_progress_markers(state)

    @override
    def _write_state_message(self) -> None:
        if self.writes_state:
            super()._write_state_message()

    @override
    def _write_record_message(self, record: Record) -> None:
        self._has_unsaved_records = True
        self._declare_new_columns()
        if not isinstance(record, RecordBlock):
            super()._write_record_message(record)
            return
        messages = record_messages(
            self.name, record.lines, self._stream_version, self._extracted_at
        )
        self.writer.write_line(messages)
        self.state_manager.is_flushed = False

    @override
    def _generate_record_messages(self, record: Record) -> Generator[RecordMessage, None, None]:
        # The SDK adds the partition's context, of which a catalog may lack a column.
        own = {name: value for name, value in record.items() if self.declares(name)}
        yield from super()._generate_record_messages(own)

    def _declare_new_columns(self) -> None:
        """Write the schema again if columns are new, before the first record that has them."""
        if self._has_new_columns:
            self._has_new_columns = False
            self._write_schema_message()

    def _add_property(self, name: str, schema: Mapping[str, t.Any]) -> None:
        self._schema = _with_property(self.schema, name, schema)
        if self._input_schema is not None:
            self._input_schema = _with_property(self._input_schema, name, schema)
        selected = get_selected_schema(self.name, self.effective_schema, self.mask)
        register(self._tap.mapper, self.name, selected, self.primary_keys)
        self._stream_maps = None
        self._has_new_columns = True


def _with_property(
    schema: Mapping[str, t.Any], name: str, added: Mapping[str, t.Any]
) -> dict[str, t.Any]:
    return {**schema, "properties": {**schema["properties"], name: dict(added)}}
