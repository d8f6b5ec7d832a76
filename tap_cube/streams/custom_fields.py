"""Definitions of custom fields (rows C4 and H2), so that columns can be looked up."""

from __future__ import annotations

import typing as t

from singer_sdk import typing as th
from typing_extensions import override

from tap_cube import generations
from tap_cube.custom_fields import definition_id
from tap_cube.rows import decode_row
from tap_cube.schemas import keyed, properties_of
from tap_cube.stream import CubeStream

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.helpers.types import Context, Record

    from tap_cube.records import RecordDecoder
    from tap_cube.sources import Source, Subjects
    from tap_cube.tap import TapCube

CONTEXT_FIELDS = {
    "source": th.StringType(),
    "assignment_id": th.IntegerType(),
    "data_owner_id": th.IntegerType(),
    "crm_type": th.StringType(),
}


class CustomFieldsStream(CubeStream):
    """The definitions of every assignment and CRM that shows them.

    Args:
        tap: The tap.
        subjects: The assignments and the CRMs.
    """

    name = "custom_fields"
    primary_keys = ("source", "id")

    def __init__(self, tap: TapCube, *subjects: Subjects) -> None:
        """Take every source whose definitions answered."""
        super().__init__(
            tap,
            endpoints={name: at for found in subjects for name, at in found.definitions.items()},
            sources=[s for found in subjects for s in found.sources if s.name in found.definitions],
            properties=keyed(
                properties_of({**CONTEXT_FIELDS, **generations.DEFINITION_FIELDS}),
                self.primary_keys,
            ),
        )

    @override
    def records(
        self, source: Source, context: Context | None, decoder: RecordDecoder
    ) -> Iterator[Record]:
        # As in `read_definitions`: of two with one id the last stays, and none goes without.
        del context
        usable = {}
        for page, places in self.read(source):
            for place in places:
                definition = decode_row(page.rows[place])
                number = definition_id(definition)
                if number is not None:
                    usable[number] = {**definition, "id": number}
        for definition in usable.values():
            yield decoder.decode(definition)

    @override
    def partition_of(self, source: Source) -> dict[str, t.Any]:
        return {"source": source.name, **source.context}

    @override
    def columns_of(self, source: Source) -> dict[str, t.Any]:
        return self.partition_of(source)
