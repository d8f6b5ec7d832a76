"""Single customers (rows S2, C3, S6), asked for one by one."""

from __future__ import annotations

import logging
import re
import typing as t
from contextlib import closing
from functools import partial

from typing_extensions import override

from tap_cube import generations
from tap_cube.client import Subject
from tap_cube.errors import CubeError, ForbiddenError, NotFoundError
from tap_cube.heads import CustomerHead, decode_head
from tap_cube.pages import decode_object
from tap_cube.prefetch import Prefetcher
from tap_cube.rows import decode_row
from tap_cube.stream import CubeStream
from tap_cube.streams.customers import AssignmentCustomersStream, DataOwnerCustomersStream

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from singer_sdk.helpers._batch import BatchConfig
    from singer_sdk.helpers.types import Context, Record

    from tap_cube.generations import Endpoint
    from tap_cube.records import Column, RecordDecoder
    from tap_cube.sources import Source, Subjects
    from tap_cube.streams.customers import CustomersStream
    from tap_cube.tap import TapCube

PROBES = 5
"""Customers to ask for in vain before the account counts as one that shows none alone."""

_IN_PATHS = re.compile(r"[0-9]+")


class CustomerDetailsStream(CubeStream):
    """Each customer that the parent stream emits, as the account shows it alone (T42).

    Costs a request a customer, so it is deselected by default. The parent calls it once a page,
    so a deselected parent, whose bookmark stays where it is, lets all customers come each time.

    Args:
        tap: The tap.
        subjects: The assignments or the CRMs.
        parent: The stream of their customers.
    """

    selected_by_default = False
    state_partitioning_keys = ()
    added_columns = ("customer_id", "updated")
    singles: t.ClassVar[tuple[Endpoint, ...]]

    # Deletes of what an incremental parent left out would be wrong.
    emit_activate_version_messages = False

    def __init__(self, tap: TapCube, subjects: Subjects, parent: CustomersStream) -> None:
        """Have the columns of the parent."""
        self._parent = parent
        self._expected: Sequence[str] = ()
        self._chosen: Endpoint | None = None
        self._refused: set[str] = set()
        self._vain = 0
        super().__init__(
            tap,
            endpoints={source.name: self.singles[0] for source in subjects.sources},
            sources=subjects.sources,
            properties=parent.schema["properties"],
        )

    def expect(self, customer_ids: Iterable[str]) -> None:
        """Say which customers to ask for next time."""
        self._expected = list(dict.fromkeys(customer_ids))
        # At DEBUG it tells addresses, which hold customers' ids here.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

    @override
    def records(
        self, source: Source, context: Context | None, decoder: RecordDecoder
    ) -> Iterator[Record]:
        if source.name in self._refused:
            return
        fitting = [key for key in self._expected if _IN_PATHS.fullmatch(key)]
        missing = 0
        for customer_id, row in self._rows(source, fitting):
            if row is not None:
                day = decode_head(row, CustomerHead).day
                yield decoder.decode(decode_row(row), customer_id, day)
                continue
            missing += 1
            self._vain += not self._chosen
            if self._vain == PROBES:
                msg = (
                    f"{self.name} of {source.name}: the account shows no single customers "
                    f"(HTTP 404 for {PROBES}). Deselect the stream."
                )
                raise CubeError(msg)
        if skipped := len(self._expected) - len(fitting):
            self.logger.info("%s: %d ids fit no path and are skipped", source.name, skipped)
        if missing:
            self.logger.info("%s: %d customers have gone meanwhile", source.name, missing)

    def _rows(
        self, source: Source, customer_ids: Sequence[str]
    ) -> Iterator[tuple[str, bytes | None]]:
        """Ask for customers, a few at once when it is known where; None for one that is gone."""
        fetch = partial(self._single, source)
        fetched = Prefetcher(fetch, self._tap.workers, self._tap.message_writer.flush)
        with closing(fetched):
            for place, customer_id in enumerate(customer_ids, start=1):
                ahead = customer_ids[place : place + self._reader.lookahead] if self._chosen else ()
                try:
                    yield customer_id, fetched.take(customer_id, ahead)
                except ForbiddenError:
                    self._refused.add(source.name)
                    raise

    def _single(self, source: Source, customer_id: str) -> bytes | None:
        subject = Subject(self.name, source.name, None)
        for endpoint in [self._chosen] if self._chosen else self.singles:
            target = endpoint.target({**source.context, "customer_id": customer_id})
            try:
                row = self.client.get(target, subject, decode_object)
            except NotFoundError:
                continue
            self._chosen = endpoint
            # Where nobody is imported under this id, it may be the internal one of another (T41).
            found = decode_head(row, CustomerHead).key
            is_other = found is not None and found.lstrip("0") != customer_id.lstrip("0")
            return None if is_other else row
        return None

    @override
    def column(self, key: str, source: Source) -> Column:
        return self.known_column(self._parent.column_name(key, source))

    @override
    def get_batch_config(self, config: object) -> BatchConfig | None:
        # A file for the customers of each page would be many small ones.
        return None

    @override
    def _write_state_message(self) -> None:
        """Leave it to the parent, whose bookmark speaks of these records too."""


class AssignmentCustomerDetailsStream(CustomerDetailsStream):
    """Single customers of assignments."""

    name = "assignment_customer_details"
    parent_stream_type = AssignmentCustomersStream
    primary_keys = AssignmentCustomersStream.primary_keys
    singles = generations.ASSIGNMENT_CUSTOMER


class DataOwnerCustomerDetailsStream(CustomerDetailsStream):
    """Single customers of CRMs."""

    name = "data_owner_customer_details"
    parent_stream_type = DataOwnerCustomersStream
    primary_keys = DataOwnerCustomersStream.primary_keys
    singles = generations.DATA_OWNER_CUSTOMER
