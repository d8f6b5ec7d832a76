"""Single customers (rows S2, C3, S6), requested one by one."""

from __future__ import annotations

import re
import typing as t
from collections import Counter
from contextlib import closing
from functools import partial

from typing_extensions import override

from tap_cube.errors import CubeError, NotFoundError
from tap_cube.http.exchange import RequestLabel
from tap_cube.http.prefetch import Prefetcher
from tap_cube.records.codec import decode_row
from tap_cube.records.ids import whole_id
from tap_cube.records.page import decode_object
from tap_cube.records.rows import CustomerRow, decode_as
from tap_cube.singer.stats import Result
from tap_cube.streams.base import CubeStream
from tap_cube.streams.full_load import FullLoad

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context, Record

    from tap_cube.account.endpoint import Endpoint
    from tap_cube.account.model import Account, Partition
    from tap_cube.records.decoder import RecordDecoder
    from tap_cube.streams.customers import CustomersStream
    from tap_cube.streams.spec import CubeTap, StreamSpec

PROBES = 5
"""Customers without an answer before the account counts as one that shows no single customers."""

_BLOCK_BYTES = 2**20
"""Bytes of customers that are emitted together."""

_IN_PATHS = re.compile(r"[0-9]+")


class CustomerDetailsStream(CubeStream[CustomerRow]):
    """Each customer that the parent stream emits, as the account shows it alone (T42).

    Costs a request a customer, so it is deselected by default. The parent has it synced after
    each page. When it was just selected, the parent emits all customers once; a mark beside the
    bookmark says that they came. A deselected parent, whose bookmark stays where it is, lets all
    customers come each time.

    Args:
        tap: The tap.
        spec: The stream's line in the registry.
        parent: The stream of the customers, whose partitions and columns it has.
    """

    selected_by_default = False
    state_partitioning_keys = ()
    added_columns = ("customer_id", "updated")
    writes_state = False  # the parent's bookmark covers these records too

    def __init__(self, tap: CubeTap, spec: StreamSpec, parent: CustomersStream) -> None:
        self._parent = parent
        self._endpoints = tap.memory.expected(spec.name, spec.endpoints).endpoints
        self._chosen: Endpoint | None = None
        self._answered: set[str] = set()
        self._misses: Counter[str] = Counter()
        super().__init__(tap, spec, parent.resource, parent.columns)
        self.parent_stream_type = type(parent)
        parent.child_streams.append(self)

    @override
    @classmethod
    def of_account(
        cls, tap: CubeTap, spec: StreamSpec, account: Account, streams: Mapping[str, t.Any]
    ) -> t.Self | None:
        if not (resource := account.resources.get(spec.parent)):
            return None
        if resource.endpoint.payload == "legacy":
            tap.logger.info("No address for single customers; stream '%s' is skipped", spec.name)
            return None
        return cls(tap, spec, streams[spec.parent])

    @override  # type: ignore[misc]  # "final", as in `CubeStream`
    def sync(self, context: Context | None = None) -> None:
        self.declares_early = False  # the first customers may show more columns
        super().sync(context)
        self.declare()  # if it had no record

    @override
    def make_full_load(self) -> FullLoad:
        return FullLoad(self, self.tap, self.resource, self._index, self._parent.full_load)

    @override
    def get_batch_config(self, config: Mapping[str, t.Any]) -> None:
        """Return None: a file for the customers of each page would be many small ones."""

    @override
    def endpoint_of(self, partition: Partition) -> Endpoint:
        return self._chosen or self._endpoints[0]

    @override
    def target_of(self, partition: Partition) -> None:
        """Return None: each customer has an address of its own."""

    @override
    def records(
        self, partition: Partition, context: Context | None, decoder: RecordDecoder
    ) -> Iterator[Record]:
        if partition.name in self._parent.refused:
            return
        try:
            yield from _in_blocks(self._details(partition, decoder))
        except CubeError:
            # The customers go on. They all come again, with their details, when these answer.
            self._parent.refused.add(partition.name)
            raise

    def _details(
        self, partition: Partition, decoder: RecordDecoder
    ) -> Iterator[tuple[Record, int]]:
        """Yield the record of each customer, and its size in bytes."""
        expected = list(dict.fromkeys(self._parent.emitted_ids))
        missing = fitting = [key for key in expected if _IN_PATHS.fullmatch(key)]
        stats = self.stats.of(partition.name)
        stats.add(len(fitting), passes=1)
        is_full = self._parent.bookmarks.get(self._parent.context_of(partition)) is None
        # A full load deletes details that do not come, and one 404 may be a mistake of a moment.
        for _ in range(1 + is_full):
            asked, missing = missing, []
            for customer_id, row in self._rows(partition, asked):
                if row is not None:
                    stats.read += 1
                    self._answered.add(partition.name)
                    self._parent.unanswered.discard(partition.name)
                    day = decode_as(row, CustomerRow).updated_on
                    yield decoder.decode(decode_row(row), customer_id, day), len(row)
                    continue
                missing.append(customer_id)
                if partition.name in self._answered:
                    continue
                self._parent.unanswered.add(partition.name)
                self._misses[partition.name] += 1
                if self._misses[partition.name] >= PROBES:
                    self._skip(partition)
                    return
        if skipped := len(expected) - len(fitting):
            self.logger.info("%s: %d ids fit no path and are skipped", partition.name, skipped)
        if missing:
            msg = "%s: %d customers have gone meanwhile"
            self.logger.info(msg, partition.name, len(missing))

    def _skip(self, partition: Partition) -> None:
        """Request no more customers of a partition in this run.

        Raises:
            CubeError: If no partition before it has shown any.
        """
        msg = f"{self.name} of {partition.name}: the account shows no single customers (HTTP 404)."
        if not self._chosen:
            msg = f"{msg} Deselect the stream."
            raise CubeError(msg)
        self._parent.refused.add(partition.name)
        self.stats.of(partition.name).end(Result.SKIPPED)
        self.logger.warning("%s They are skipped.", msg)

    def _rows(
        self, partition: Partition, customer_ids: Sequence[str]
    ) -> Iterator[tuple[str, bytes | None]]:
        """Request customers, several at once when it is known where; None for one that is gone."""
        fetched = Prefetcher(partial(self._single, partition), self.tap.pool, self.writer.flush)
        with closing(fetched):
            for place, customer_id in enumerate(customer_ids, start=1):
                ahead = customer_ids[place : place + self.reader.lookahead] if self._chosen else ()
                yield customer_id, fetched.take(customer_id, ahead)

    def _single(self, partition: Partition, customer_id: str) -> bytes | None:
        subject = RequestLabel(self.name, partition.name, None)
        for endpoint in [self._chosen] if self._chosen else self._endpoints:
            target = endpoint.target({**partition.context, "customer_id": customer_id})
            try:
                row = self.client.get(target, subject, decode_object).content
            except NotFoundError:
                continue
            self._chosen = endpoint
            self.stream_state["endpoint"] = endpoint.row
            return row if _is_of(row, customer_id, partition) else None
        return None


def _is_of(row: bytes, customer_id: str, partition: Partition) -> bool:
    """Whether a row is of this customer, and says nothing of another assignment or CRM.

    If no customer was imported under an id, it may be another's internal id (T41), or the account
    may take 007 for 7. A row without an id may be anything.
    """
    content, places = decode_row(row), partition.context.items()
    is_here = all(_is_same(content.get(name), own) for name, own in places)
    return is_here and decode_as(row, CustomerRow).customer_id == customer_id


def _is_same(sent: object, own: object) -> bool:
    return sent in (None, "", own) or own in (whole_id(sent), str(sent).upper())


def _in_blocks(records: Iterator[tuple[Record, int]]) -> Iterator[Record]:
    """Yield records some at a time, so that one SCHEMA declares the new columns of them all."""
    block: list[Record] = []
    size = 0
    try:
        for record, own in records:
            block.append(record)
            size += own
            if size >= _BLOCK_BYTES:
                full, block, size = block, [], 0
                yield from full
    except CubeError:
        yield from block
        raise
    yield from block
