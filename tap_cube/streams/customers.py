"""Customers of assignments (rows S1, S7, S8) and of CRMs (rows C2, S5)."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from datetime import date, datetime

from singer_sdk import typing as th
from typing_extensions import override

from tap_cube import generations
from tap_cube.custom_fields import SCHEMAS, property_schema, widest
from tap_cube.errors import CubeError
from tap_cube.records import UNPARSED
from tap_cube.rows import Surrogates, decode_row
from tap_cube.stream import UNPARSED_SCHEMA, CubeStream, EncodedRecord, keyed, properties_of

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk.helpers.types import Context, Record

    from tap_cube.custom_fields import CustomField
    from tap_cube.discovery import Source, Subjects
    from tap_cube.generations import JSONType
    from tap_cube.records import Column, RecordDecoder
    from tap_cube.tap import TapCube


class CustomersStream(CubeStream):
    """Customers, incremental by the day of their last change.

    The API has no filter on change (T22): all pages are read, and rows older than the bookmark
    are left out before they are decoded.

    Args:
        tap: The tap.
        subjects: The assignments or the CRMs.
        columns: Column of each custom field, by source and id.
    """

    replication_key = "updated"
    added_columns = ("customer_id", "updated")
    context_fields: t.ClassVar[Mapping[str, JSONType]]

    def __init__(
        self, tap: TapCube, subjects: Subjects, columns: Mapping[tuple[str, int], str]
    ) -> None:
        """Make the schema of the payload's fixed fields and the definitions."""
        if subjects.endpoint is None:
            msg = f"{self.name} has no endpoint"
            raise ValueError(msg)
        family = generations.family_of(subjects.keys, subjects.endpoint)
        is_plain = family is not generations.STANDARD_FIELDS
        self._columns: defaultdict[str, dict[str, str]] = defaultdict(dict)
        together = defaultdict(list)
        for field in subjects.fields:
            key = field.label if is_plain else field.key
            column = columns.get((field.source, field.id), key)
            self._columns[field.source][key] = column
            together[column].append(field)
        fixed = {**self.context_fields, "customer_id": th.StringType(), "updated": th.DateType()}
        self._tell_contradictions(tap, together)
        properties = properties_of({**fixed, **family, **self.context_fields})
        # A label may be called like a fixed field (T49), whose type then holds.
        for name, fields in together.items():
            if name:
                properties.setdefault(name, property_schema(fields))
        properties[UNPARSED] = dict(UNPARSED_SCHEMA)
        known = properties.keys() | {key for keys in self._columns.values() for key in keys}
        found = {key: dict(SCHEMAS["string"]) for key in subjects.keys if key not in known}
        super().__init__(
            tap,
            endpoints={source.name: subjects.endpoint for source in subjects.sources},
            sources=subjects.sources,
            properties=keyed({**properties, **found}, self.primary_keys),
            may_be_list=subjects.is_list,
        )

    def _tell_contradictions(self, tap: TapCube, together: Mapping[str, list[CustomField]]) -> None:
        for name, fields in together.items():
            kinds = {field.kind for field in fields}
            if len(kinds) > 1:
                tap.logger.info(
                    "%s: column '%s' is read as %s, since CRMs disagree about its type (%s)",
                    self.name, name, widest(kinds), ", ".join(sorted(kinds)),
                )  # fmt: skip

    @override
    def column(self, key: str, source: Source | None) -> Column:
        name = self._columns[source.name].get(key, key) if source else key
        return self.known_column(name)

    @override
    def records(
        self, source: Source | None, context: Context | None, decoder: RecordDecoder
    ) -> Iterator[Record]:
        start = self._start_day(context)
        surrogates = Surrogates()
        is_plain = self.is_plain
        self._highest = ""
        emitted = unchanged = dated = 0
        for rows in self.read(source):
            surrogates.begin(self.reading)
            for row, head in rows:
                day = head.day
                dated += day is not None
                if day is not None and day < start:
                    unchanged += 1
                    continue
                key = head.key or surrogates.key_of(decode_row(row))
                if key is None:
                    continue
                emitted += 1
                added = (*(context or {}).values(), key, day)
                if is_plain:
                    yield EncodedRecord(decoder.encode(row, *added), context, updated=day)
                else:
                    yield decoder.decode(decode_row(row), *added)
        self.logger.info(
            "%s: %d rows emitted, %d unchanged since %s left out",
            source.name if source else self.name, emitted, unchanged, start or "ever",
        )  # fmt: skip
        if emitted and not dated and not self._is_told_full:
            self._is_told_full = True
            self.logger.info("Customers carry no date of change here, so every run is a full one")

    _is_told_full = False
    _highest = ""

    def _start_day(self, context: Context | None) -> str:
        """The day before which unchanged rows are left out; "" for no such day."""
        start = self.settings.start_date
        days = [start.isoformat()] if start else []
        state = self.get_context_state(context)
        if self.replication_key and state.get("replication_key") == self.replication_key:
            bookmark = self._bookmark(state["replication_key_value"])
            if bookmark <= self._today():
                days.append(bookmark)
            else:
                self.logger.warning("A bookmark lies in the future; nothing is left out by it")
        return max(days, default="")

    def _bookmark(self, value: object) -> str:
        try:
            return date.fromisoformat(str(value)[:10]).isoformat()
        except ValueError:
            msg = (
                f"{self.name}: the state holds a bookmark that is no date. "
                "Clear or mend the state, then run again."
            )
            raise CubeError(msg) from None

    def _today(self) -> str:
        """The day the run began, where Cube's days are counted."""
        moment = datetime.fromtimestamp(self._tap.initialized_at / 1000, self.settings.timezone)
        return moment.date().isoformat()

    @override
    def compare_start_date(self, value: str, start_date_value: str) -> str:
        return max(value, str(self.settings.start_date or ""))

    @override
    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        # A row without a date says nothing, and a date that lies ahead must not become the
        # bookmark. (The SDK's own cap, the signpost, never reaches partitions.)
        key = self.replication_key
        if key and (day := latest_record.get(key)) and day > self._highest:
            self._highest = day
            super()._increment_stream_state({key: min(day, self._today())}, context=context)


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
