"""What all streams share: partitions, pages, and the records that changed."""

from __future__ import annotations

import logging
import typing as t
from abc import abstractmethod

from typing_extensions import override

from tap_cube.account.columns import with_required_keys
from tap_cube.account.model import ACCOUNT
from tap_cube.paging.first_pages import keys_of
from tap_cube.records.codec import decode_row
from tap_cube.records.decoder import MAX_KEY_LENGTH, UNPARSED, RecordBlock
from tap_cube.records.rows import Row
from tap_cube.singer.progress import unparsed_report
from tap_cube.singer.selection import with_names
from tap_cube.singer.stream import EncodedStream
from tap_cube.streams.anonymised import AnonymisedRows
from tap_cube.streams.bookmarks import Bookmarks
from tap_cube.streams.changes import Changes, rows_and_keys
from tap_cube.streams.full_load import FullLoad
from tap_cube.streams.overrides import record_decoder
from tap_cube.streams.partition_index import PartitionIndex
from tap_cube.streams.partitions import PartitionReader
from tap_cube.streams.survey import surveyed

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib import Catalog

    from tap_cube.account.columns import StreamColumns
    from tap_cube.account.endpoint import Endpoint
    from tap_cube.account.model import Account, Partition, Resource
    from tap_cube.records.decoder import Column, RecordDecoder
    from tap_cube.records.page import Page
    from tap_cube.streams.cursors import Cursor
    from tap_cube.streams.spec import CubeTap, StreamSpec

R = t.TypeVar("R", bound=Row)
_UNDATED = "%s: rows have no modification date here; every run is a full load"


class CubeStream(EncodedStream, t.Generic[R]):
    """A resource of the account, read page by page, one partition after the other.

    Without a cursor every row is emitted. With one, all pages are read as well, since the API has
    no filter on changes (T22), but rows older than the bookmark are skipped before they are
    decoded.

    Args:
        tap: The tap, with its client and settings.
        spec: The stream's line in the registry.
        resource: The partitions, and where their rows are.
        columns: The columns of its records.

    Attributes:
        bookmarks: Where each partition resumes.
        decoder: Decodes the rows of the partition that is read.
        full_load: Its version, and whether it is complete.
        reader: Reads the pages of the partitions.
    """

    row_type: t.ClassVar[type[Row]] = Row
    """What is decoded of every row."""

    added_columns: Sequence[str] = ()
    """Columns that the tap adds to Cube's own, with a value for each row."""

    cursor: Cursor | None = None
    decoder: RecordDecoder

    def __init__(
        self, tap: CubeTap, spec: StreamSpec, resource: Resource, columns: StreamColumns
    ) -> None:
        self.tap, self.settings, self.client = tap, tap.settings, tap.client
        self.resource, self.columns, self._has_reported_full = resource, columns, False
        self._partitions = () if resource.partitions == (ACCOUNT,) else resource.partitions
        self._index = PartitionIndex(self._partitions, self.context_of)
        number, keys = len(self._partitions), spec.primary_keys
        properties = with_required_keys(columns.properties, keys)
        super().__init__(
            tap, name=spec.name, primary_keys=keys, properties=properties, partitions=number
        )
        self.full_load = self.make_full_load()
        self.bookmarks = Bookmarks.of_run(self, tap, self.full_load)
        self._anonymised = AnonymisedRows(self, tap, self.full_load)
        self.reader = PartitionReader(self, tap, resource, self.row_type, self.targets_after)

    @classmethod
    @abstractmethod
    def of_account(
        cls, tap: CubeTap, spec: StreamSpec, account: Account, streams: Mapping[str, t.Any]
    ) -> t.Self | None:
        """Make the stream of a `StreamType`."""

    @override
    def apply_catalog(self, catalog: Catalog) -> None:
        found = self.columns.properties
        super().apply_catalog(with_names(catalog, self.name, self.columns.renamed, found))

    @property
    @override
    def partitions(self) -> list[dict[str, t.Any]] | None:
        return [self.context_of(partition) for partition in self._partitions] or None

    def make_full_load(self) -> FullLoad:
        """Make the full load of the stream."""
        return FullLoad(self, self.tap, self.resource, self._index)

    def context_of(self, partition: Partition) -> dict[str, t.Any]:
        """Context of a partition in the state."""
        return dict(partition.context)

    def endpoint_of(self, partition: Partition) -> Endpoint:
        """Where the rows of a partition are."""
        del partition
        return self.resource.endpoint

    def columns_of(self, partition: Partition) -> Mapping[str, t.Any]:
        """Values that every record of a partition has, by column."""
        return partition.columns

    def column(self, key: str, partition: Partition) -> Column:
        """Column of a key that Cube sends; a new key becomes a column (drift)."""
        name, schema = self.columns.column_of(key, partition.defined_by)
        column = self.selection.column(name, schema, self.mask, can_add=len(key) <= MAX_KEY_LENGTH)
        if column and self.columns.names.remember(key):
            self.tap.memory.write(self.tap.state)
        return column

    def own_column(self, name: str) -> str | None:
        """A column that the tap adds; None if neither the target nor a child stream gets it."""
        is_kept = self.selection.column(name, {}, self.mask, can_add=False)
        return name if is_kept or not self.selected else None

    def added_values(
        self, partition: Partition, rows: Sequence[R], keys: Sequence[str]
    ) -> Sequence[Sequence[object]]:
        """For each of `added_columns`, the values of rows with these keys."""
        del partition, rows, keys
        return ()

    def prepare(self, row: Record) -> Record:
        """Correct values that the resource is known to send in its own way."""
        return row

    def after_page(self, context: Context | None) -> None:
        """Run after the records of each page were written."""

    def end_partition(self, partition: Partition, context: Context | None) -> None:
        """Run after all records of a partition were written, in streams that have bookmarks."""
        del partition
        self.bookmarks.end(context, is_empty=self.reader.is_empty)

    @override  # type: ignore[misc]  # "final", but nothing else spans records and batches
    def sync(self, context: Context | None = None) -> None:
        """Sync the stream. If its map or its catalog fails, the other streams go on.

        Raises:
            StreamError: For ``--test``, and for a child, whose parent fails.
        """
        partitions = () if context else self._partitions or (ACCOUNT,)
        self.use_version(self.full_load.version.number)
        with self.reader.stream(is_last=not context), surveyed(self, partitions):
            super().sync(context)  # children come with their parent
        for load in () if context else (self.full_load, *self.full_load.selected_details):
            load.end()

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        partition = self._index.of(context)
        is_kept, is_new = bool(self.own_column(UNPARSED)), self.bookmarks.is_new(context)
        decoder = self.decoder = record_decoder(self, partition)
        stats = self.stats.of(partition.name)
        self.write_state()  # what the partitions before have finished
        with self.reader.partition(partition, self.endpoint_of(partition).path, is_new=is_new):
            for record in self.records(partition, context, decoder):
                stats.emitted += record.number if isinstance(record, RecordBlock) else 1
                yield record
            if self.replication_key and self.reader.is_complete:
                self.end_partition(partition, context)
        stats.unparsed += decoder.unparsed.total()
        if decoder.unparsed:
            self.logger.warning(unparsed_report(decoder.unparsed, is_kept=is_kept))

    def records(
        self, partition: Partition, context: Context | None, decoder: RecordDecoder
    ) -> Iterator[Record]:
        """Yield the records of one partition: all of them, or those that changed."""
        if self.cursor:
            yield from self._changed_records(self.cursor, partition, context, decoder)
            return
        for page, places in self.read(partition):
            yield from [
                decoder.decode(self.prepare(decode_row(page.raw_rows[place]))) for place in places
            ]

    def target_of(self, partition: Partition) -> str | None:
        """Path and query of the first page of a partition; None if there is nothing new in it."""
        if self.cursor and partition.ended and self._changes(self.cursor, partition).are_complete:
            return None
        return self.endpoint_of(partition).target(partition.context)

    def read(self, partition: Partition) -> Iterator[tuple[Page, Sequence[int]]]:
        """Yield all pages of one partition, certain to be complete, and places of rows in them."""
        if target := self.target_of(partition):
            first = self.reader.first_page(partition, target)
            yield from self.reader.pages(partition, target, first)

    def first_keys(self, partition: Partition) -> Iterable[str]:
        """Keys of the rows on the first page of a partition, before the rows are read."""
        target = self.target_of(partition)
        return keys_of(self.reader.look(partition, target)) if target else ()

    def targets_after(self, partition: Partition) -> Iterator[tuple[str, str]]:
        """Name and target of each partition after this one."""
        after = self._index.after(self.context_of(partition))
        return ((other.name, at) for other in after if (at := self.target_of(other)))

    def _changed_records(
        self, cursor: Cursor, partition: Partition, context: Context | None, decoder: RecordDecoder
    ) -> Iterator[Record]:
        """Yield the records that changed since the bookmark, then move it."""
        changes = self._changes(cursor, partition)
        for page, places in self.read(partition):
            kept = changes.places(page, places)
            added = self.added_values(partition, *rows_and_keys(page, kept))
            yield from self.records_of(page, kept, added, decoder, context)
            self.after_page(context)
        if self.reader.is_complete:
            self._anonymised.record(context, changes)
            changes.move_bookmark()
        stats = self.stats.of(partition.name)
        stats.unchanged, stats.anonymised = changes.unchanged, changes.without_id
        level = logging.DEBUG if "campaign__id" in partition.context else logging.INFO
        self.logger.log(level, changes.report(partition.name or self.name))
        if changes.emitted and not changes.has_dates and not self._has_reported_full:
            self._has_reported_full = True
            self.logger.info(_UNDATED, self.name)

    def _changes(self, cursor: Cursor, partition: Partition) -> Changes:
        context = self.context_of(partition) or None
        return Changes(cursor, self.bookmarks, context, partition.ended, self.settings)

    @override  # for the log only; `Bookmarks` compare dates
    def compare_start_date(self, value: str, start_date_value: str) -> str:
        return value

    @override
    def log_sync_costs(self) -> None:
        super().log_sync_costs()
        if self.selected:
            sent, repeated = self.client.requests[self.name], self.client.retries[self.name]
            summary = self.stats.summary(sent.total(), repeated.total()) + self._anonymised.report()
            line = "%s: %s, at most %d requests at once by now"
            self.logger.info(line, self.name, summary, self.client.limit.width)
