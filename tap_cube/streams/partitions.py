"""Reading the partitions of one stream: pages to a certain end, with progress, despite failures."""

from __future__ import annotations

import time
import typing as t
from contextlib import contextmanager

from singer_sdk import metrics

from tap_cube.account.model import ACCOUNT
from tap_cube.errors import (
    CubeError,
    ForbiddenError,
    IncompleteReadError,
    NotFoundError,
    RunError,
    StreamError,
)
from tap_cube.paging.complete import CompleteReader
from tap_cube.paging.pages import PageReader
from tap_cube.records.page import END, Page
from tap_cube.singer.progress import Progress
from tap_cube.singer.stats import Result

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tap_cube.account.model import Partition, Resource
    from tap_cube.paging.pages import Request
    from tap_cube.records.rows import Row
    from tap_cube.singer.stream import EncodedStream
    from tap_cube.streams.spec import CubeTap


MAX_FAILURES: t.Final = 3
"""Partitions of a stream that may fail in a row before the next ones are tried only once.

A dead endpoint costs minutes of retries for each partition, and there may be hundreds.
"""


class PartitionReader:
    """Reads the pages of a stream's partitions.

    Args:
        stream: The stream.
        tap: The tap, with its client and its threads.
        resource: The partitions.
        row_type: What is decoded of every row.
        targets_after: Returns the first pages of the partitions after one.

    Attributes:
        is_complete: Whether all lists of the partition were complete so far.
        is_empty: Whether they had no rows; None if none was requested.
    """

    def __init__(
        self,
        stream: EncodedStream,
        tap: CubeTap,
        resource: Resource,
        row_type: type[Row],
        targets_after: Callable[[Partition], Iterable[Request]],
    ) -> None:
        self._targets_after = targets_after
        self.is_complete = True
        self.is_empty: bool | None = None
        self._stream, self._failures = stream, tap.failures
        self._requests = tap.client.requests[stream.name]
        self._name, self._logger = stream.name, stream.logger
        self._may_be_incomplete = tap.settings.on_incomplete_read == "warn"
        self._failed_in_a_row, self._has_asked = 0, False
        self._failed: dict[str, CubeError] = {}
        self._progress = Progress(stream.name, tap.logger, len(stream.partitions or ()))
        self._pages = PageReader(
            stream.name,
            tap.client,
            tap.pool,
            row_type=row_type,
            may_be_list=resource.is_list,
            on_wait=stream.writer.flush,
            kept=tap.first_pages,
        )

    @property
    def lookahead(self) -> int:
        """Requests that may be in flight ahead of the current one."""
        return self._pages.lookahead

    def first_page(self, partition: Partition, target: str) -> Page:
        """Get the first page of a partition, and begin to fetch those of the next partitions."""
        self._has_asked, self.is_empty = True, self.is_empty is not False
        if error := self._failed.pop(target, None):
            raise error
        return self._pages.first_page((partition.name, target), self._targets_after(partition))

    def look(self, partition: Partition, target: str) -> Page:
        """Get a first page, maybe without its rows, before they are read, and keep it.

        If that fails, the page is empty, and the error is kept until the rows are read.

        Raises:
            RunError: If no other partition could be read either.
        """
        try:
            page = self._pages.look((partition.name, target), self._targets_after(partition))
        except RunError:
            raise
        except CubeError as error:
            self._failed[target] = error
            self._failed_in_a_row += not self._is_skipped(partition, error)
            return END
        else:
            self._failed_in_a_row = 0
            return page
        finally:
            self._pages.may_retry = self._failed_in_a_row < MAX_FAILURES

    def end_survey(self) -> None:
        """Count failures anew: those of `look` count when the rows are read."""
        self._failed_in_a_row = 0
        self._pages.may_retry = True

    def pages(
        self, partition: Partition, target: str, first: Page
    ) -> Iterator[tuple[Page, Sequence[int]]]:
        """Yield the pages that follow each other from a first one, and places of rows in them."""
        self._progress.expect(first.count)
        stats = self._stream.stats.of(partition.name)
        subject = f"{self._name} of {partition.name}" if partition.name else self._name
        with self._pages.pages((partition.name, target), first, self._logger) as pages:
            reader = CompleteReader(
                pages,
                subject=subject,
                logger=self._logger,
                may_be_incomplete=self._may_be_incomplete,
            )
            try:
                for page, places in reader:
                    self.is_empty = bool(self.is_empty and not page.rows)
                    self._progress.advance(len(places))
                    stats.read += len(places)
                    yield page, places
            finally:
                stats.add(reader.counted, reader.passes)
            self.is_complete &= reader.is_complete
            self._stream.is_complete &= reader.is_complete

    @contextmanager
    def stream(self, *, is_last: bool) -> Iterator[None]:
        """While the stream syncs: if its map or its catalog fails, the other streams go on.

        Args:
            is_last: Whether to report the failure here. The parent reports that of a child.

        Raises:
            StreamError: If it is not reported here, and for ``--test``.
        """
        try:
            yield
        except StreamError as error:
            if not is_last or self._stream.ABORT_AT_RECORD_COUNT:
                raise
            self._stream.is_complete = False
            self._fail(error)
            self._stream.writer.flush()

    def _fail(self, error: CubeError) -> None:
        self._failures.append(str(error))
        self._stream.stats.failures += 1

    @contextmanager
    def partition(self, partition: Partition, path: str, *, is_new: bool) -> Iterator[None]:
        """Read one partition. If that fails, remember why, and let the stream go on.

        Args:
            partition: The partition.
            path: Path of its rows, for the metrics.
            is_new: Whether no run has read it. An empty list is asked for twice then.

        Raises:
            RunError: If no other partition could be read either.
            StreamError: If no other partition of this stream could be.
            CubeError: For ``--test``, which ends at the first failure.
        """
        self._has_asked, self.is_complete, self.is_empty = False, True, None
        stats, result = self._stream.stats.of(partition.name), Result.FAILED
        stats.begin()
        self._pages.doubts_empty = is_new and "campaign__id" not in partition.context  # often empty
        try:
            with self._measured(partition, path):
                yield
        except (RunError, StreamError):
            raise
        except CubeError as error:
            self._stream.is_complete = False
            if self._is_skipped(partition, error):
                result = Result.SKIPPED
                self._logger.warning("%s is skipped. %s", partition.name, error)
                return
            if self._stream.ABORT_AT_RECORD_COUNT:
                raise
            # A list that is not certain to be whole says nothing about the endpoint.
            self._failed_in_a_row += not isinstance(error, IncompleteReadError)
            self._fail(error)
            self._logger.warning("%s The run goes on, and will end with an error.", error)
        else:
            # Nor does a partition without news, which needs no request.
            if self._has_asked:
                self._failed_in_a_row = 0
            result = Result.COMPLETE if self.is_complete else Result.INCOMPLETE
        finally:
            stats.end(result)
            self._pages.may_retry = self._failed_in_a_row < MAX_FAILURES
            self._progress.end()
            self._stream.writer.flush()

    @contextmanager
    def _measured(self, partition: Partition, path: str) -> Iterator[None]:
        """Count the requests and seconds of a partition."""
        before, began = self._requests.total(), time.monotonic()
        with metrics.http_request_counter(self._name, path) as counter:
            counter.with_context(dict(partition.context))
            try:
                yield
            finally:
                counter.increment(self._requests.total() - before)
                self._stream.stats.seconds += time.monotonic() - began

    def _is_skipped(self, partition: Partition, error: CubeError) -> bool:
        """Whether the credential may not see a partition that nobody asked for by name."""
        is_required = partition is ACCOUNT or partition.named_by
        return isinstance(error, ForbiddenError | NotFoundError) and not is_required
