"""Customers of assignments (rows S1, S7, S8) and of CRMs (rows C2, S5)."""

from __future__ import annotations

import typing as t

from singer_sdk import typing as th
from typing_extensions import override

from tap_cube.account import generations
from tap_cube.account.columns import CustomColumns, StreamColumns
from tap_cube.logs import listed
from tap_cube.records.rows import CustomerRow, days_of_change
from tap_cube.streams.base import CubeStream
from tap_cube.streams.cursors import DayCursor

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context, Record

    from tap_cube.account.generations import JSONType
    from tap_cube.account.model import Account, Partition
    from tap_cube.streams.spec import CubeTap, StreamSpec

_ID_TYPES: Mapping[str, JSONType] = {
    "assignment_id": th.IntegerType(),
    "data_owner_id": th.IntegerType(),
    "crm_type": th.StringType(),
    "customer_id": th.StringType(),
}


class CustomersStream(CubeStream[CustomerRow]):
    """Customers, incremental by the day of their last change.

    An assignment is the older name of a CRM; a CRM is a data owner and a CRM type. The ids of
    either are the first columns of the primary key.

    Attributes:
        emitted_ids: Ids of the customers that the present page emitted, for the details.
        refused: Names of the partitions whose details cannot be read in this run.
        unanswered: Names of those of whose customers none was found alone.
    """

    replication_key = "updated"
    added_columns = ("customer_id", "updated")
    row_type = CustomerRow
    cursor = DayCursor()
    emitted_ids: list[str]
    refused: set[str]
    unanswered: set[str]

    @override
    @classmethod
    def of_account(
        cls, tap: CubeTap, spec: StreamSpec, account: Account, streams: Mapping[str, t.Any]
    ) -> t.Self | None:
        del streams
        if not (resource := account.resources.get(spec.name)):
            return None
        family = generations.family_of(resource.keys, resource.endpoint)
        by_label = family is not generations.STANDARD_FIELDS
        custom = CustomColumns(
            account.fields_of(resource.endpoint), account.label_names, by_label=by_label
        )
        if wide := [f"{name} (read as {kind})" for name, kind in custom.contradictions]:
            msg = "%s: CRMs disagree about the types of these columns: %s"
            tap.logger.info(msg, spec.name, listed(wide))
        own = {**{name: _ID_TYPES[name] for name in spec.primary_keys}, "updated": th.DateType()}
        names = account.naming.of(spec.name)
        columns = StreamColumns(spec.name, own, family, names, custom, keys=resource.keys)
        stream = cls(tap, spec, resource, columns)
        stream.emitted_ids, stream.refused, stream.unanswered = [], set(), set()
        return stream

    @override
    def added_values(
        self, partition: Partition, rows: Sequence[CustomerRow], keys: Sequence[str]
    ) -> Sequence[Sequence[object]]:
        return keys, days_of_change(rows)

    @override
    def generate_child_contexts(
        self, record: Record, context: Context | None
    ) -> Iterator[Context | None]:
        # Details are requested when their page is through, several at once.
        if self.has_selected_descendents and self.stream_maps[0].get_filter_result(record):
            key = self.decoder.own.sent("customer_id", record["customer_id"])
            self.emitted_ids.append(str(key))
        yield from ()

    @override
    def after_page(self, context: Context | None) -> None:
        try:
            if self.emitted_ids:
                self.sync_children(context or {})
        finally:
            self.emitted_ids.clear()

    @override
    def end_partition(self, partition: Partition, context: Context | None) -> None:
        is_full = self.bookmarks.get(context) is None
        lacking = self.refused | self.unanswered if is_full else self.refused
        has_details = partition.name not in lacking
        self.bookmarks.end(context, is_empty=self.reader.is_empty, has_details=has_details)
