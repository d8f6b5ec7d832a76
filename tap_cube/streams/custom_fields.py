"""Definitions of custom fields (rows C4 and H2), and the columns that hold their values."""

from __future__ import annotations

import typing as t

from singer_sdk import typing as th
from typing_extensions import override

from tap_cube.account import generations
from tap_cube.account.columns import StreamColumns
from tap_cube.account.custom_fields import label_columns
from tap_cube.account.model import Resource
from tap_cube.account.names import plain_name
from tap_cube.records.ids import by_id
from tap_cube.records.rows import Row
from tap_cube.streams.base import CubeStream

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from singer_sdk.helpers.types import Context, Record

    from tap_cube.account.endpoint import Endpoint
    from tap_cube.account.generations import JSONType
    from tap_cube.account.model import Account, Definitions, Partition
    from tap_cube.records.decoder import RecordDecoder
    from tap_cube.streams.spec import CubeTap, StreamSpec

CONTEXT_FIELDS: Mapping[str, JSONType] = {
    "source": th.StringType(),
    "assignment_id": th.IntegerType(),
    "data_owner_id": th.IntegerType(),
    "crm_type": th.StringType(),
}


class CustomFieldsStream(CubeStream[Row]):
    """The definitions of every assignment and CRM that shows them, as discovery has read them.

    The columns of other streams come from the same definitions, so they are requested once.
    """

    added_columns = ("column_name", "readable_name")
    definitions: Mapping[str, Definitions]
    readable: Mapping[tuple[str, int], str]

    @override
    @classmethod
    def of_account(
        cls, tap: CubeTap, spec: StreamSpec, account: Account, streams: Mapping[str, t.Any]
    ) -> t.Self | None:
        del streams
        if not account.definitions:
            return None
        partitions = tuple(found.partition for found in account.definitions)
        unread = account.unread[spec.name]
        resource = Resource(partitions, spec.endpoints[0], is_list=True, unread=unread)
        names = account.naming.of(spec.name)
        own = {**CONTEXT_FIELDS, **dict.fromkeys(cls.added_columns, th.StringType())}
        columns = StreamColumns(spec.name, own, generations.DEFINITION_FIELDS, names)
        names.add({key for found in account.definitions for row in found.rows for key in row})
        stream = cls(tap, spec, resource, columns)
        stream.readable = label_columns(account.fields)
        stream.definitions = {found.partition.name: found for found in account.definitions}
        stream.stats.lists |= {found.partition.name: found.stats for found in account.definitions}
        return stream

    @override
    def endpoint_of(self, partition: Partition) -> Endpoint:
        return self.definitions[partition.name].endpoint

    @override
    def first_keys(self, partition: Partition) -> Iterable[str]:
        return dict.fromkeys(key for row in self.definitions[partition.name].rows for key in row)

    @override
    def records(
        self, partition: Partition, context: Context | None, decoder: RecordDecoder
    ) -> Iterator[Record]:
        del context
        definitions = by_id(self.definitions[partition.name].rows, "id").values()
        absent, names = dict.fromkeys(generations.DEFINITION_FIELDS), self._names(partition)
        yield from [
            decoder.decode(absent | definition, *names)
            for definition, names in zip(definitions, names, strict=True)
        ]

    def _names(self, partition: Partition) -> Iterator[tuple[str | None, str]]:
        """Yield the column of each field in the customers' table, and its readable name.

        Both are the tap's own decision, which no query could repeat (docs/columns.md).
        """
        is_old = "assignment_id" in partition.context
        name = "assignment_customers" if is_old else "data_owner_customers"
        customers = t.cast("CubeStream[Row] | None", self.tap.streams.get(name))
        for field in self.definitions[partition.name].fields:
            column = customers.columns.column_of_field(field) if customers else None
            yield column, plain_name(self.readable[partition.name, field.id])

    @override
    def context_of(self, partition: Partition) -> dict[str, t.Any]:
        return {"source": partition.name, **partition.context}

    @override
    def columns_of(self, partition: Partition) -> dict[str, t.Any]:
        return dict.fromkeys(CONTEXT_FIELDS) | self.context_of(partition)
