"""Definitions of custom fields (rows C4 and H2), so that columns can be looked up."""

from __future__ import annotations

import typing as t

from singer_sdk import typing as th
from typing_extensions import override

from tap_cube.account import generations
from tap_cube.account.columns import StreamColumns
from tap_cube.account.custom_fields import definition_id
from tap_cube.account.model import Resource
from tap_cube.records.codec import decode_row
from tap_cube.records.rows import Row
from tap_cube.streams.base import CubeStream

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk.helpers.types import Context, Record

    from tap_cube.account.endpoint import Endpoint
    from tap_cube.account.generations import JSONType
    from tap_cube.account.model import Account, Partition
    from tap_cube.records.decoder import RecordDecoder
    from tap_cube.streams.spec import CubeTap, StreamSpec

CONTEXT_FIELDS: Mapping[str, JSONType] = {
    "source": th.StringType(),
    "assignment_id": th.IntegerType(),
    "data_owner_id": th.IntegerType(),
    "crm_type": th.StringType(),
}


class CustomFieldsStream(CubeStream[Row]):
    """The definitions of every assignment and CRM that shows them."""

    @override
    @classmethod
    def of_account(
        cls, tap: CubeTap, spec: StreamSpec, account: Account, streams: Mapping[str, t.Any]
    ) -> t.Self | None:
        del streams
        defining = [found for found in account.resources.values() if found.definitions]
        if not defining:
            return None
        resource = Resource(
            tuple(s for found in defining for s in found.partitions if s.name in found.definitions),
            spec.endpoints[0],
            is_list=True,
            definitions={name: at for found in defining for name, at in found.definitions.items()},
        )
        columns = StreamColumns({**CONTEXT_FIELDS, **generations.DEFINITION_FIELDS})
        return cls(tap, spec, resource, columns)

    @override
    def endpoint_of(self, partition: Partition) -> Endpoint:
        return self.resource.definitions[partition.name]

    @override
    def records(
        self, partition: Partition, context: Context | None, decoder: RecordDecoder
    ) -> Iterator[Record]:
        # As in `read_definitions`: of two with one id the last stays, and none goes without.
        del context
        usable = {}
        for page, places in self.read(partition):
            for place in places:
                definition = decode_row(page.raw_rows[place])
                number = definition_id(definition)
                if number is not None:
                    usable[number] = {**definition, "id": number}
        for definition in usable.values():
            yield decoder.decode(definition)

    @override
    def context_of(self, partition: Partition) -> dict[str, t.Any]:
        return {"source": partition.name, **partition.context}

    @override
    def columns_of(self, partition: Partition) -> dict[str, t.Any]:
        return self.context_of(partition)
