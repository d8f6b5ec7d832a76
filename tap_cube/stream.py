"""What the streams share: partitions, pages, columns, and columns that appear meanwhile."""

from __future__ import annotations

import logging
import time
import typing as t
from functools import partial
from itertools import dropwhile, islice

from singer_sdk import metrics
from singer_sdk.helpers._catalog import get_selected_schema  # what the SDK's own mapper is given
from singer_sdk.helpers._util import utc_now
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import RemoveRecordTransform, SameRecordTransform
from singer_sdk.streams import Stream
from typing_extensions import override

from tap_cube.batches import batch_files
from tap_cube.columns import all_loadable, loadable, titled
from tap_cube.completeness import CompleteReader
from tap_cube.custom_fields import SCHEMAS
from tap_cube.errors import ForbiddenError, NotFoundError
from tap_cube.heads import CustomerHead, Head
from tap_cube.paging import PageReader
from tap_cube.progress import Pace, Progress, Tally
from tap_cube.records import UNPARSED, EncodedRecords, RecordDecoder
from tap_cube.rows import decode_row
from tap_cube.schemas import UNPARSED_SCHEMA, with_property
from tap_cube.sources import ACCOUNT
from tap_cube.writer import encode, record_messages

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig
    from singer_sdk.helpers.types import Context, Record

    from tap_cube.generations import Endpoint
    from tap_cube.pages import Page
    from tap_cube.records import Column
    from tap_cube.sources import Source
    from tap_cube.tap import TapCube


class CubeStream(Stream):
    """A resource of the account, read page by page.

    Args:
        tap: The tap, with its client and settings.
        endpoints: Where to read each source, by its name.
        sources: The partitions; without any the resource is read as a whole.
        properties: JSON Schema of each column.
        may_be_list: Whether answers may be bare lists, which have no pages (T13).
    """

    _tap: TapCube

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # records leave the decoder typed

    added_columns: Sequence[str] = ()  # beside Cube's own and the source's
    head_kind: t.ClassVar[type[Head]] = CustomerHead  # what is looked at in every row

    def __init__(
        self,
        tap: TapCube,
        *,
        endpoints: Mapping[str, Endpoint],
        sources: Sequence[Source] = (),
        properties: Mapping[str, Mapping[str, t.Any]],
        may_be_list: bool = True,
    ) -> None:
        """Ask nothing yet."""
        self.settings, self.client = tap.settings, tap.client
        self._endpoints, self._sources = endpoints, sources
        self._extracted_at = b"null"
        self._is_ahead = self._has_news = False
        self._pace, self.tally = Pace(len(sources)), Tally()
        self._progress, self.reading = Progress(self.name, tap.logger, len(sources)), 0
        self._reader = PageReader(
            self.name,
            tap.client,
            tap.workers,
            kind=self.head_kind,
            known=[source.name for source in sources or [ACCOUNT] if source.is_seen],
            may_be_list=may_be_list,
            on_wait=tap.message_writer.flush,
        )
        super().__init__(tap, schema={"type": "object", "properties": all_loadable(properties)})

    @property
    @override
    def partitions(self) -> list[dict[str, t.Any]] | None:
        return [self.partition_of(source) for source in self._sources] or None

    @override  # the SDK calls every error unhandled; it is told once, by the command line
    def log(self, message: str, *args: object, level: int = logging.INFO, **kwargs: t.Any) -> None:
        if level < logging.ERROR:
            super().log(message, *args, level=level, **kwargs)

    def partition_of(self, source: Source) -> dict[str, t.Any]:
        """Context of a source's partition, as it stands in state."""
        return dict(source.context)

    def columns_of(self, source: Source) -> Mapping[str, t.Any]:
        """What each record of a source has, by column."""
        return source.columns

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        source = self._source_of(context)
        decoder = RecordDecoder(
            self.settings.timezone,
            partial(self.column, source=source),
            self.columns_of(source),
            self.added_columns,
            in_utc=bool(self.get_batch_config(self.config)),
        )
        self.write_state()  # what the sources before have finished
        before, began = self.client.requests[self.name], time.monotonic()
        path = self._endpoints[source.name].path
        with metrics.http_request_counter(self.name, endpoint=path) as counter:
            counter.with_context(dict(source.context))
            try:
                for record in self.records(source, context, decoder):
                    self.tally.rows += record.number if isinstance(record, EncodedRecords) else 1
                    yield record
            except (ForbiddenError, NotFoundError) as error:
                if source is ACCOUNT or source.setting:
                    raise
                self.logger.warning("%s is left out. %s", source.name, error)
            finally:
                self._progress.end()
                self._tap.message_writer.flush()
            counter.increment(self.client.requests[self.name] - before)
        self.tally.seconds += time.monotonic() - began
        self.tally.unparsed += decoder.unparsed.total()
        if counts := ", ".join(f"{name} {n}" for name, n in sorted(decoder.unparsed.items())):
            msg = "Values that do not fit the type of their column stand in '%s': %s"
            self.logger.warning(msg, UNPARSED, counts)

    def write_state(self) -> None:
        """Write the state, if records were written since and no file of them is open."""
        is_whole = not self.get_batch_config(self.config)
        if self._is_ahead and is_whole and self._pace.is_due():
            self._is_ahead = False
            self._write_state_message()

    def records(
        self, source: Source, context: Context | None, decoder: RecordDecoder
    ) -> Iterator[Record]:
        """Yield the records of one partition."""
        del context
        for page, places in self.read(source):
            rows = (page.rows[place] for place in places)
            yield from (decoder.decode(self.prepare(decode_row(row))) for row in rows)

    def prepare(self, row: Record) -> Record:
        """Mend what a resource is known to send in its own way."""
        return row

    def target_of(self, source: Source) -> str | None:
        """Path and query of the first page of a source; None if nothing is asked of it."""
        return self._endpoints[source.name].target(source.context)

    def read(self, source: Source) -> Iterator[tuple[Page, Sequence[int]]]:
        """Yield all pages of one partition, certain to be complete, and places of rows in them."""
        if target := self.target_of(source):
            yield from self.pages(source, target, self.first_page(source, target))

    def first_page(self, source: Source, target: str) -> Page:
        """The first page of a source, while those of the sources after it are fetched ahead."""
        after = dropwhile(lambda other: other is not source, self._sources)
        ahead = ((o.name, at) for o in islice(after, 1, None) if (at := self.target_of(o)))
        return self._reader.first_page((source.name, target), ahead)

    def pages(
        self, source: Source, target: str, first: Page
    ) -> Iterator[tuple[Page, Sequence[int]]]:
        """Yield the pages that follow each other from a first one, and places of rows in them."""
        self._progress.expect(first.count)
        subject = f"{self.name} of {source.name}" if source.name else self.name
        with self._reader.pages((source.name, target), first, self.logger) as pages:
            reader = CompleteReader(pages, subject=subject, logger=self.logger)
            for page, places in reader:
                self.reading = reader.reading
                self._extracted_at = encode(utc_now())
                if not reader.reading:
                    self._progress.advance(len(places))
                yield page, places

    def _source_of(self, context: Context | None) -> Source:
        return next(
            (s for s in self._sources if self.partition_of(s) == dict(context or {})), ACCOUNT
        )

    def column(self, key: str, source: Source) -> Column:
        """Column of a key that Cube sends; a key nobody knew becomes one (drift)."""
        del source
        return self.known_column(key)

    def known_column(self, name: str, schema: Mapping[str, t.Any] = SCHEMAS["string"]) -> Column:
        """A column and its schema by the effective catalog; None if it is not selected."""
        name, schema = loadable(name), titled(name, schema)
        if name not in self.effective_schema["properties"]:
            self._add_property(name, UNPARSED_SCHEMA if name == UNPARSED else schema)
        if not self.mask["properties", name]:
            return None
        return name, self.effective_schema["properties"][name]

    @property
    def is_plain(self) -> bool:
        """Whether records go out as they leave the decoder, with nothing for the SDK to do."""
        first, *others = self.stream_maps
        is_same = type(first) is SameRecordTransform and not first.flattening_enabled
        return is_same and not others and not self.has_selected_descendents

    @override
    def log_sync_costs(self) -> None:
        super().log_sync_costs()
        if self.selected:
            requests, retries = self.client.requests[self.name], self.client.retries[self.name]
            self.logger.info("%s: %s", self.name, self.tally.summary(requests, retries))

    @override
    def compare_start_date(self, value: str, start_date_value: str) -> str:
        return max(value, str(self.settings.start_date or ""))

    @override
    def get_batch_config(self, config: Mapping[str, t.Any]) -> BatchConfig | None:
        # The SDK would send one file under several names, or one of a stream that is removed.
        first, *others = self.stream_maps
        is_one = not others and type(first) is not RemoveRecordTransform
        return super().get_batch_config(config) if is_one else None

    @override
    def get_batches(
        self, batch_config: BatchConfig, context: Context | None = None
    ) -> Iterator[tuple[BaseBatchFileEncoding, list[str]]]:
        records = self._sync_records(context, write_messages=False)
        lines = (line for record in records for line in self._lines_of(record))
        for manifest in batch_files(batch_config, f"{self.tap_name}--{self.name}", lines):
            self._tell_news()
            yield batch_config.encoding, manifest

    def _lines_of(self, record: Record) -> Sequence[bytes]:
        """JSON text of a record, as the stream maps leave it."""
        if isinstance(record, EncodedRecords):
            return record.lines[:-1].split(b"\n")
        return [encode(m.record) for m in self._generate_record_messages(record)]

    @override
    def get_record_counter(self, **options: t.Any) -> metrics.Counter:
        self._record_counter = super().get_record_counter(**options)
        return self._record_counter

    def records_of(
        self,
        page: Page,
        places: Sequence[int],
        added: Sequence[Sequence[object]],
        decoder: RecordDecoder,
        context: Context | None,
    ) -> Iterator[Record]:
        """Yield the records of some rows of a page, in one piece if nobody looks at single ones."""
        if not self.is_plain:
            for number, place in enumerate(places):
                own = [values[number] for values in added]
                yield decoder.decode(decode_row(page.rows[place]), *own)
        elif places:
            self._record_counter.increment(len(places) - 1)  # the SDK counts one
            yield EncodedRecords(decoder.lines(page, places, added), len(places), context)

    @override
    def _write_record_message(self, record: Record) -> None:
        self._is_ahead = True
        self._tell_news()
        if not isinstance(record, EncodedRecords):
            super()._write_record_message(record)
            return
        about = self._stream_version, self._extracted_at
        self._tap.message_writer.write_line(record_messages(self.name, record.lines, *about))
        self.state_manager.is_flushed = False

    def _tell_news(self) -> None:
        """Declare what came after discovery, before the first record that has it."""
        if self._has_news:
            self._has_news = False
            self._write_schema_message()

    def _add_property(self, name: str, schema: Mapping[str, t.Any]) -> None:
        """Take a property in that came after discovery."""
        self._schema = with_property(self.schema, name, schema)
        if self._input_schema is not None:
            self._input_schema = with_property(self._input_schema, name, schema)
        selected = get_selected_schema(self.name, self.effective_schema, self.mask)
        self._tap.mapper.register_raw_stream_schema(self.name, selected, self.primary_keys)
        self._stream_maps = None
        self._has_news = True
