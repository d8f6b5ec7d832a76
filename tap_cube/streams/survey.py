"""The survey: which columns a stream has, by the first pages of all its partitions.

Some targets lose rows when a second SCHEMA follows. So the first one declares every key of these
pages; only a key that none of them shows needs another.
"""

from __future__ import annotations

import time
import typing as t
from contextlib import contextmanager

from singer_sdk import metrics

from tap_cube.singer.progress import INTERVAL

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from tap_cube.account.columns import StreamColumns
    from tap_cube.account.model import Partition
    from tap_cube.singer.stream import EncodedStream
    from tap_cube.streams.partitions import PartitionReader
    from tap_cube.streams.spec import CubeTap


class Reading(t.Protocol):
    """What a survey asks of a stream."""

    tap: CubeTap
    columns: StreamColumns
    reader: PartitionReader

    def first_keys(self, partition: Partition) -> Iterable[str]:
        """Keys of the rows on the first page of a partition."""

    def column(self, key: str, partition: Partition) -> object:
        """Declare the column of a key."""


@contextmanager
def surveyed(stream: EncodedStream, partitions: Sequence[Partition]) -> Iterator[None]:
    """Survey a stream, and keep the first pages until the block ends.

    Args:
        stream: The stream; it is `Reading`, and so are its child streams.
        partitions: The partitions, in the order of the columns; none if there is nothing to do.
    """
    reading = t.cast("Reading", stream)
    if not partitions:
        yield
        return
    try:
        _survey(stream, reading, partitions)
        reading.reader.end_survey()
        yield
    finally:
        reading.tap.first_pages.forget(stream.name)


def _survey(stream: EncodedStream, reading: Reading, partitions: Sequence[Partition]) -> None:
    """Declare the columns of all keys on the first pages, also in the child streams."""
    client, began = reading.tap.client, time.monotonic()
    logged, before = began, client.requests[stream.name].total()
    # Campaigns of one CRM have the same columns, and there may be thousands.
    known: dict[tuple[str, ...], dict[str, Partition]] = {}
    for number, partition in enumerate(partitions):
        now = time.monotonic()
        if now - logged >= INTERVAL:
            logged = now
            msg = "%s: first pages of %d of %d partitions read, for the columns"
            stream.logger.info(msg, stream.name, number, len(partitions))
        alike = known.setdefault(partition.defined_by, {})
        for key in reading.first_keys(partition):
            alike.setdefault(key, partition)
    _declare(stream, known.values())
    if requests := client.requests[stream.name].total() - before:
        with metrics.http_request_counter(stream.name, "first pages") as counter:
            counter.increment(requests)
    stream.stats.seconds += time.monotonic() - began


def _declare(stream: EncodedStream, keys: Collection[Mapping[str, Partition]]) -> None:
    """Declare the columns of keys, each of which came first in a partition."""
    streams = [t.cast("Reading", each) for each in (stream, *stream.child_streams) if each.selected]
    for each in streams:
        each.columns.names.add({key for some in keys for key in some})
        for some in keys:
            for key, partition in some.items():
                each.column(key, partition)
