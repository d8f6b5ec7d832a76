"""The demo's queries on the warehouse."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from psycopg import sql

from cube_sandbox.clock import OSLO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    import psycopg

LOOKBACK_DAYS = 2
"""The tap's default for `lookback_days`."""

SCHEMA = "tap_cube"
"""The schema of the tables that `target-postgres` writes."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """How the bookmarks of a table are found.

    Attributes:
        partition: Columns that identify a partition, which has its own bookmark.
        column: The column whose greatest value is the bookmark.
    """

    partition: tuple[str, ...]
    column: str


CUSTOMERS: Mapping[str, Bookmark] = MappingProxyType(
    {
        "assignment_customers": Bookmark(("assignment_id",), "updated"),
        "data_owner_customers": Bookmark(("data_owner_id", "crm_type"), "updated"),
    }
)
"""The tables of customers."""

BOOKMARKS: Mapping[str, Bookmark] = MappingProxyType(
    {
        **CUSTOMERS,
        "callflow_customers": Bookmark(("campaign__id",), "callflow__last_change__when"),
    }
)
"""The tables whose rows are written again if they are not much older than the bookmark."""

EVENTS = ("callflow_customers", "call_outcomes", "product_registrations")
"""The tables of call states, outcomes and registrations."""

KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **{name: (*bookmark.partition, "customer_id") for name, bookmark in CUSTOMERS.items()},
        "callflow_customers": ("callflow_key",),
        "call_outcomes": ("call_outcome_key",),
        "product_registrations": ("product_registration_key",),
    }
)
"""The key of each table that is loaded incrementally."""


@dataclass(frozen=True, slots=True)
class Customer:
    """Five of the columns of a customer, as text."""

    COLUMNS: ClassVar = (
        "customer_id",
        "crm__standard_info__name",
        "crm__standard_info__email",
        "updated",
        "crm__custom_info__17",
    )
    """Their names, in the order of the attributes."""

    customer_id: str
    name: str
    email: str
    updated: str
    custom: str

    @property
    def cells(self) -> tuple[str, ...]:
        """The values in order."""
        return astuple(self)


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of the tap. A row's key is written as `9/1007` or `2/B2B/1007`."""

    connection: psycopg.Connection

    def counts(self) -> dict[str, int]:
        """Count the rows of every table of the account, all but the record of the runs."""
        names = self._rows(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = {schema}",
            schema=sql.Literal(SCHEMA),
        )
        return {
            name: self._rows("SELECT count(*) FROM {table}", table=_table(name))[0][0]
            for (name,) in sorted(names)
            if name != "run_log"
        }

    def label(self, source: str, number: int) -> str:
        """Return the label of a custom field.

        Args:
            source: The CRM or assignment that has it, such as `data_owners/1/B2C`.
            number: Its id there.
        """
        rows = self._rows(
            "SELECT key FROM {table} WHERE source = {source} AND id = {number}",
            table=_table("custom_fields"),
            source=sql.Literal(source),
            number=sql.Literal(number),
        )
        return str(rows[0][0]) if rows else ""

    def customers(self, name: str) -> dict[str, Customer]:
        """Map the keys of a table of customers to some of their columns."""
        rows = self._rows(
            "SELECT concat_ws('/', {key}), {columns} FROM {table}",
            key=_columns(*KEYS[name]),
            columns=_columns(*Customer.COLUMNS),
            table=_table(name),
        )
        return {key: Customer(*map(_shown, values)) for key, *values in rows}

    def campaigns(self) -> list[tuple[int, str, int, int, int]]:
        """Count call states, outcomes and registrations of each campaign, with its id and name."""
        rows = self._rows(
            """
            SELECT
              campaign__id,
              campaign__name,
              (SELECT count(*) FROM {callflow_customers} WHERE campaign__id = c.campaign__id),
              (SELECT count(*) FROM {call_outcomes} WHERE campaign__id = c.campaign__id),
              (SELECT count(*) FROM {product_registrations} WHERE campaign__id = c.campaign__id)
            FROM {campaigns} AS c ORDER BY campaign__id
            """,
            **{name: _table(name) for name in ("campaigns", *EVENTS)},
        )
        return [(number, name, *others) for number, name, *others in rows]

    def last_batch(self) -> datetime:
        """Return the time when the last row was written."""
        moment: datetime = max(
            self._rows("SELECT max(_sdc_batched_at) FROM {table}", table=_table(name))[0][0]
            for name in KEYS
        )
        return moment

    def keys(self, name: str) -> set[str]:
        """Return the keys of all rows."""
        return self._keys(name, sql.SQL("true"))

    def written_since(self, name: str, moment: datetime) -> set[str]:
        """Return the keys of the rows written after a moment."""
        return self._keys(name, sql.SQL("_sdc_batched_at > {}").format(moment))

    def reported_by(self, name: str, agent: str) -> set[str]:
        """Return the keys of the outcomes or registrations of an agent."""
        column = sql.Identifier("call_outcome__report_as__submitted_by")
        return self._keys(name, sql.SQL("{} = {}").format(column, agent))

    def rows_to_reload(self, name: str, since: date) -> set[str]:
        """Return the keys of the unchanged rows that the next load writes again.

        Args:
            name: A table of `KEYS`.
            since: The first day of outcomes and registrations that is read again.
        """
        if name in BOOKMARKS:
            newest = sql.SQL(
                "{column} >= (SELECT max({column}) - {days} * interval '1 day' FROM {table} AS t "
                "WHERE ({partition}) = ({own}))"
            )
            partition = BOOKMARKS[name].partition
            condition = newest.format(
                column=_columns(BOOKMARKS[name].column),
                days=LOOKBACK_DAYS,
                table=_table(name),
                partition=_columns(*partition),
                own=sql.SQL(", ").join(sql.Identifier(name, column) for column in partition),
            )
            # The tap does not read an archived campaign again.
            not_archived = (
                "campaign__id IN "
                "(SELECT campaign__id FROM {campaigns} WHERE campaign__archived_date IS NULL)"
            )
            if name not in CUSTOMERS:
                is_open = sql.SQL(not_archived).format(campaigns=_table("campaigns"))
                condition = sql.SQL(" AND ").join([condition, is_open])
            return self._keys(name, condition)
        day = "(submitted_at AT TIME ZONE 'UTC' AT TIME ZONE {zone})::date >= {since}"
        return self._keys(name, sql.SQL(day).format(zone=str(OSLO), since=since))

    def _keys(self, name: str, condition: sql.Composable) -> set[str]:
        rows = self._rows(
            "SELECT concat_ws('/', {key}) FROM {table} WHERE {condition}",
            key=_columns(*KEYS[name]),
            table=_table(name),
            condition=condition,
        )
        return {key for (key,) in rows}

    def _rows(self, query: str, **parts: sql.Composable) -> list[tuple[Any, ...]]:
        composed = sql.SQL(query).format(**parts)
        return self.connection.execute(composed).fetchall()


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def _table(name: str) -> sql.Identifier:
    return sql.Identifier(SCHEMA, name)


def _columns(*names: str) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))
