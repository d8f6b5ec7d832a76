"""What the demonstration asks the warehouse."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import psycopg

SCHEMA = "tap_cube"
"""Where `target-postgres` puts the tables of the tap."""

CUSTOMERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "assignment_customers": ("assignment_id",),
        "data_owner_customers": ("data_owner_id", "crm_type"),
    }
)
"""The tables of customers, and what has a bookmark of its own in them."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of the tap. A row's key is written as `9/1007` or `2/B2B/1007`."""

    connection: psycopg.Connection

    def counts(self) -> dict[str, int]:
        """Count the rows of every table."""
        names = self._rows(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = {schema}",
            schema=sql.Literal(SCHEMA),
        )
        return {
            name: self._rows("SELECT count(*) FROM {table}", table=_table(name))[0][0]
            for (name,) in sorted(names)
        }

    def columns_by_type(self, name: str) -> dict[str, list[str]]:
        """List the columns of a table by their types, without those of the target."""
        rows = self._rows(
            "SELECT data_type, column_name FROM information_schema.columns "
            "WHERE table_schema = {schema} AND table_name = {name} "
            "AND NOT starts_with(column_name, '_sdc') ORDER BY ordinal_position",
            schema=sql.Literal(SCHEMA),
            name=sql.Literal(name),
        )
        found = defaultdict(list)
        for kind, column in rows:
            found[kind].append(column)
        return dict(found)

    def custom_field_names(self, number: int) -> list[tuple[str, str, str]]:
        """Show how some columns are called in the account."""
        return [
            (f"crm__custom_info__{id_}", source, key)
            for id_, source, key in self._rows(
                "SELECT id, source, key FROM {table} ORDER BY source, id LIMIT {number}",
                table=_table("custom_fields"),
                number=sql.Literal(number),
            )
        ]

    def last_batch(self) -> datetime:
        """Say when the last row was written."""
        moment: datetime = max(
            self._rows("SELECT max(_sdc_batched_at) FROM {table}", table=_table(name))[0][0]
            for name in CUSTOMERS
        )
        return moment

    def written_since(self, name: str, moment: datetime) -> set[str]:
        """Return the keys of the rows written after a moment."""
        return self._keys(name, sql.SQL("_sdc_batched_at > {}").format(moment))

    def bookmark_day(self, name: str) -> set[str]:
        """Return the keys of the rows of each bookmark's own day: the newest of the source."""
        newest = sql.SQL(
            "({source}, updated) IN (SELECT {source}, max(updated) FROM {table} GROUP BY {source})"
        )
        source = _columns(*CUSTOMERS[name])
        return self._keys(name, newest.format(source=source, table=_table(name)))

    def emails(self, name: str) -> dict[str, str]:
        """Map the keys of a table to e-mail addresses."""
        rows = self._rows(
            "SELECT concat_ws('/', {key}), crm__standard_info__email FROM {table}",
            key=_columns(*CUSTOMERS[name], "customer_id"),
            table=_table(name),
        )
        return dict(rows)

    def _keys(self, name: str, condition: sql.Composed) -> set[str]:
        rows = self._rows(
            "SELECT concat_ws('/', {key}) FROM {table} WHERE {condition}",
            key=_columns(*CUSTOMERS[name], "customer_id"),
            table=_table(name),
            condition=condition,
        )
        return {key for (key,) in rows}

    def _rows(self, query: str, **parts: sql.Composable) -> list[tuple[Any, ...]]:
        composed = sql.SQL(query).format(**parts)
        return self.connection.execute(composed).fetchall()


def _table(name: str) -> sql.Identifier:
    return sql.Identifier(SCHEMA, name)


def _columns(*names: str) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))
