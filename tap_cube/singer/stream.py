"""Streams whose records leave as JSON text, many at once; all that leans on the SDK's own parts."""

from __future__ import annotations

import logging
import typing as t

from singer_sdk.helpers._catalog import get_selected_schema  # what the SDK's own mapper is given
from singer_sdk.helpers._util import utc_now
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.streams import Stream
from typing_extensions import override

from tap_cube.records.codec import decode_row, encode
from tap_cube.records.decoder import RecordBlock, RecordDecoder
from tap_cube.singer.batches import batch_files
from tap_cube.singer.messages import BufferedWriter, record_messages
from tap_cube.singer.progress import StateThrottle, StreamStats

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from singer_sdk import Tap, metrics
    from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig
    from singer_sdk.helpers.types import Context, Record

    from tap_cube.records.decoder import Column
    from tap_cube.records.page import Page


class EncodedStream(Stream):
    """A stream that writes records in blocks, and declares columns that come after discovery.

    Args:
        tap: The tap; its message writer is a `BufferedWriter`.
        name: Name of the stream.
        primary_keys: Columns of the primary key.
        properties: JSON Schema of each column.
        partitions: How many partitions the stream has in the state.

    Attributes:
        writer: Where messages go.
        stats: What the stream did in this run.
    """

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # records leave the decoder typed

    writes_state: t.ClassVar[bool] = True
    """Whether it writes STATE messages of its own."""

    writes_batches: t.ClassVar[bool] = True
    """Whether BATCH messages are worth while."""

    def __init__(
        self,
        tap: Tap,
        *,
        name: str,
        primary_keys: Sequence[str],
        properties: Mapping[str, Mapping[str, t.Any]],
        partitions: int,
    ) -> None:
        """Write nothing yet."""
        super().__init__(tap, schema={"type": "object", "properties": dict(properties)}, name=name)
        self.primary_keys = primary_keys
        self.writer = t.cast("BufferedWriter", tap.message_writer)
        self.stats = StreamStats()
        self._state_throttle = StateThrottle(partitions)
        self._extracted_at = b"null"
        self._is_ahead = self._has_news = False

    @override  # the SDK calls every error unhandled; the command line reports it once
    def log(self, message: str, *args: object, level: int = logging.INFO, **kwargs: t.Any) -> None:
        if level < logging.ERROR:
            super().log(message, *args, level=level, **kwargs)

    @property
    def is_plain(self) -> bool:
        """Whether records go out as they leave the decoder, with nothing for the SDK to do."""
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
        """Yield the records of some rows of a page, in one piece if nobody looks at single ones.

        Args:
            page: The page.
            places: Which of its rows.
            added: Values of the added columns, for each of these rows.
            decoder: Makes records of rows.
            context: The partition's context.
        """
        if not self.is_plain:
            for place, own in zip(places, added, strict=True):
                yield decoder.decode(decode_row(page.raw_rows[place]), *own)
        elif places:
            self._extracted_at = encode(utc_now())
            self._record_counter.increment(len(places) - 1)  # the SDK counts one
            columns = list(zip(*added, strict=True))
            yield RecordBlock(decoder.lines(page, places, columns), len(places), context)

    def write_state(self) -> None:
        """Write the state, if records were written since and no file of them is open."""
        is_whole = not self.get_batch_config(self.config)
        if self._is_ahead and is_whole and self._state_throttle.is_due():
            self._is_ahead = False
            self._write_state_message()

    def sync_children(self, context: Context) -> None:
        """Have the child streams read what belongs to a partition's records."""
        self._sync_children(dict(context))

    def known_column(self, name: str, schema: Mapping[str, t.Any]) -> Column:
        """A column and its schema by the effective catalog; None if it is not selected.

        Args:
            name: Name of the column.
            schema: Its JSON Schema if nobody knew the column before (drift).
        """
        if name not in self.effective_schema["properties"]:
            self._add_property(name, schema)
        if not self.mask["properties", name]:
            return None
        return name, self.effective_schema["properties"][name]

    @override
    def get_batch_config(self, config: Mapping[str, t.Any]) -> BatchConfig | None:
        # The SDK would send one file under several names, or one of a stream that is removed.
        first, *others = self.stream_maps
        is_one = not others and type(first) is not RemoveRecordTransform
        return super().get_batch_config(config) if is_one and self.writes_batches else None

    @override
    def get_batches(
        self, batch_config: BatchConfig, context: Context | None = None
    ) -> Iterator[tuple[BaseBatchFileEncoding, list[str]]]:
        records = self._sync_records(context, write_messages=False)
        lines = (line for record in records for line in self._lines_of(record))
        for manifest in batch_files(batch_config, f"{self.tap_name}--{self.name}", lines):
            self._declare_new_columns()
            yield batch_config.encoding, manifest

    def _lines_of(self, record: Record) -> Sequence[bytes]:
        """JSON text of a record, as the stream maps leave it."""
        if isinstance(record, RecordBlock):
            return record.lines[:-1].split(b"\n")
        return [encode(m.record) for m in self._generate_record_messages(record)]

    @override
    def get_record_counter(self, **options: t.Any) -> metrics.Counter:
        self._record_counter = super().get_record_counter(**options)
        return self._record_counter

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """Set none: cursors cap the bookmarks, and the SDK's cap never reaches partitions."""

    @override
    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        """Leave bookmarks alone while rows come, since they come in no order."""

    @override
    def _write_state_message(self) -> None:
        if self.writes_state:
            super()._write_state_message()

    @override
    def _write_record_message(self, record: Record) -> None:
        self._is_ahead = True
        self._declare_new_columns()
        if not isinstance(record, RecordBlock):
            super()._write_record_message(record)
            return
        about = self._stream_version, self._extracted_at
        self.writer.write_line(record_messages(self.name, record.lines, *about))
        self.state_manager.is_flushed = False

    def _declare_new_columns(self) -> None:
        """Send the schema with columns that came after discovery, before their first record."""
        if self._has_news:
            self._has_news = False
            self._write_schema_message()

    def _add_property(self, name: str, schema: Mapping[str, t.Any]) -> None:
        self._schema = _with_property(self.schema, name, schema)
        if self._input_schema is not None:
            self._input_schema = _with_property(self._input_schema, name, schema)
        selected = get_selected_schema(self.name, self.effective_schema, self.mask)
        self._tap.mapper.register_raw_stream_schema(self.name, selected, self.primary_keys)
        self._stream_maps = None
        self._has_news = True


def _with_property(
    schema: Mapping[str, t.Any], name: str, added: Mapping[str, t.Any]
) -> dict[str, t.Any]:
    return {**schema, "properties": {**schema["properties"], name: dict(added)}}
