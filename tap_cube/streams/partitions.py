"""Reading the partitions of one stream: pages to a certain end, with progress."""

from __future__ import annotations

import typing as t

from tap_cube.paging.complete import CompleteReader
from tap_cube.paging.pages import PageReader
from tap_cube.singer.progress import Progress

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_cube.account.model import Partition, Resource
    from tap_cube.paging.pages import Request
    from tap_cube.records.page import Page
    from tap_cube.records.rows import Row
    from tap_cube.singer.stream import EncodedStream
    from tap_cube.streams.spec import CubeTap


class PartitionReader:
    """Reads the pages of a stream's partitions.

    Args:
        stream: The stream.
        tap: The tap, with its client and its threads.
        resource: The partitions.
        row_type: What is decoded of every row.

    Attributes:
        is_complete: Whether all rows were read, once the pages are through.
    """

    def __init__(
        self, stream: EncodedStream, tap: CubeTap, resource: Resource, row_type: type[Row]
    ) -> None:
        self.is_complete = True
        self._name, self._logger = stream.name, stream.logger
        self._may_be_incomplete = tap.settings.on_incomplete_read == "warn"
        self._progress = Progress(stream.name, tap.logger, len(stream.partitions or ()))
        self._pages = PageReader(
            stream.name,
            tap.client,
            tap.pool,
            row_type=row_type,
            known=[partition.name for partition in resource.partitions if partition.answered],
            may_be_list=resource.is_list,
            on_wait=stream.writer.flush,
        )

    @property
    def lookahead(self) -> int:
        """Requests that may be in flight ahead of the current one."""
        return self._pages.lookahead

    def first_page(self, partition: Partition, target: str, ahead: Iterable[Request]) -> Page:
        """Get the first page of a partition, and begin to fetch those needed next."""
        return self._pages.first_page((partition.name, target), ahead)

    def pages(
        self, partition: Partition, target: str, first: Page
    ) -> Iterator[tuple[Page, Sequence[int]]]:
        """Yield the pages that follow each other from a first one, and places of rows in them."""
        self._progress.expect(first.count)
        subject = f"{self._name} of {partition.name}" if partition.name else self._name
        with self._pages.pages((partition.name, target), first, self._logger) as pages:
            reader = CompleteReader(
                pages,
                subject=subject,
                logger=self._logger,
                may_be_incomplete=self._may_be_incomplete,
            )
            for page, places in reader:
                self._progress.advance(len(places))
                yield page, places
            self.is_complete = reader.is_complete

    def end_partition(self) -> None:
        """Report that a partition is through."""
        self._progress.end()
