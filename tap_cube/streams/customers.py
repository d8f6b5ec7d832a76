"""Customers of assignments (rows S1, S7, S8) and of CRMs (rows C2, S5)."""

from __future__ import annotations

import typing as t

from singer_sdk import typing as th
from typing_extensions import override

from tap_cube import generations
from tap_cube.columns import CustomColumns
from tap_cube.custom_fields import SCHEMAS
from tap_cube.heads import CustomerHead
from tap_cube.incremental import IncrementalStream
from tap_cube.records import UNPARSED
from tap_cube.schemas import UNPARSED_SCHEMA, keyed, properties_of

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context, Record

    from tap_cube.generations import JSONType
    from tap_cube.records import Column
    from tap_cube.sources import Source, Subjects
    from tap_cube.streams.details import CustomerDetailsStream
    from tap_cube.tap import TapCube


class CustomersStream(IncrementalStream[CustomerHead]):
    """Customers, incremental by the day of their last change.

    Args:
        tap: The tap.
        subjects: The assignments or the CRMs.
        names: Readable column names of custom fields, by source and id.
    """

    replication_key = "updated"
    added_columns = ("customer_id", "updated")
    context_fields: t.ClassVar[Mapping[str, JSONType]]

    def __init__(
        self, tap: TapCube, subjects: Subjects, names: Mapping[tuple[str, int], str]
    ) -> None:
        """Make the schema of the payload's fixed fields and the definitions."""
        family = generations.family_of(subjects.keys, subjects.endpoint)
        by_label = family is not generations.STANDARD_FIELDS
        self._columns = CustomColumns(subjects.fields, names, by_label=by_label)
        for name, taken, kinds in self._columns.contradictions:
            tap.logger.info(
                "%s: column '%s' is read as %s, since CRMs disagree about its type (%s)",
                self.name, name, taken, ", ".join(kinds),
            )  # fmt: skip
        fixed = {**self.context_fields, "customer_id": th.StringType(), "updated": th.DateType()}
        # A label may be called like a fixed field (T49), whose type then holds.
        known = properties_of({**fixed, **family, **self.context_fields})
        properties = {**known, **self._columns.properties, **known}
        properties[UNPARSED] = dict(UNPARSED_SCHEMA)
        self._emitted: list[str] = []
        declared = properties.keys() | self._columns.keys
        found = {key: dict(SCHEMAS["string"]) for key in subjects.keys if key not in declared}
        super().__init__(
            tap,
            endpoints={source.name: subjects.endpoint for source in subjects.sources},
            sources=subjects.sources,
            properties=keyed({**properties, **found}, self.primary_keys),
            may_be_list=subjects.is_list,
        )

    @override
    def column(self, key: str, source: Source) -> Column:
        return self.known_column(self.column_name(key, source))

    def column_name(self, key: str, source: Source) -> str:
        """Name of the column that a key of a source's rows stands in."""
        return self._columns.name_of(key, source.described_by)

    @override
    def generate_child_contexts(
        self, record: Record, context: Context | None
    ) -> Iterator[Context | None]:
        # Details are asked for when their page is through, a few at once.
        if self.has_selected_descendents and self.stream_maps[0].get_filter_result(record):
            self._emitted.append(record["customer_id"])
        yield from ()

    @override
    def after_page(self, context: Context | None) -> None:
        emitted, self._emitted = self._emitted, []
        if emitted:
            for child in self.child_streams:
                t.cast("CustomerDetailsStream", child).expect(emitted)
            self._sync_children(dict(context or {}))

    @override
    def moment_of(self, head: CustomerHead) -> str | None:
        return head.day

    @override
    def added_of(self, source: Source, head: CustomerHead, key: str) -> Sequence[object]:
        return key, head.day

    @override
    def start_of(self, bookmark: str) -> str:
        return bookmark[:10]

    @override
    def bookmark_of(self, moment: str) -> str:
        return moment

    @override
    def run_began(self) -> str:
        return self.today().isoformat()


class AssignmentCustomersStream(CustomersStream):
    """Customers of each assignment, the older name of a CRM."""

    name = "assignment_customers"
    primary_keys = ("assignment_id", "customer_id")
    context_fields: t.ClassVar[Mapping[str, JSONType]] = {"assignment_id": th.IntegerType()}


class DataOwnerCustomersStream(CustomersStream):
    """Customers of each CRM: a data owner and a CRM type."""

    name = "data_owner_customers"
    primary_keys = ("data_owner_id", "crm_type", "customer_id")
    context_fields: t.ClassVar[Mapping[str, JSONType]] = {
        "data_owner_id": th.IntegerType(),
        "crm_type": th.StringType(),
    }
