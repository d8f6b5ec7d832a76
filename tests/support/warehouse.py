"""The warehouse that a load ends in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.rows import dict_row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cube_sandbox.postgres import Postgres


PLACEHOLDER = "postgresql+psycopg://USER:PASSWORD@HOST:5432/DATABASE"
"""The address in the documents."""

TABLES = (
    "assignment_customers",
    "call_outcomes",
    "callflow_customers",
    "campaigns",
    "custom_fields",
    "data_owner_customers",
    "product_registrations",
    "run_log",
)
"""Every table that a load makes by default, which is all but those of single customers."""


@dataclass(frozen=True, slots=True)
class Warehouse:
    """An empty database of one test, and questions to it."""

    database: Postgres

    @property
    def url(self) -> str:
        """The address as libpq reads it."""
        return self.database.url

    @property
    def sqlalchemy_url(self) -> str:
        """The address as `target-postgres` reads it."""
        return self.database.sqlalchemy_url

    @property
    def utc_url(self) -> str:
        """The same with sessions in UTC, as README advises."""
        return f"{self.sqlalchemy_url}?options=-c%20TimeZone%3DUTC"

    def put_into(self, text: str) -> str:
        """A document's text with the warehouse's address."""
        assert PLACEHOLDER in text
        return text.replace(PLACEHOLDER, self.sqlalchemy_url)

    def rows(
        self, query: str, params: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """The rows that a query answers, each by the names of its columns."""
        with self.database.connect() as connection, connection.cursor(row_factory=dict_row) as rows:
            return rows.execute(query.encode(), params).fetchall()

    def columns(self, schema: str, table: str) -> dict[str, str]:
        """PostgreSQL's type of each column, in the table's order; empty without such a table."""
        found = self.rows(
            """
            SELECT column_name, data_type FROM information_schema.columns
            WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position
            """,
            [schema, table],
        )
        return {row["column_name"]: row["data_type"] for row in found}

    def table(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table, named as `schema.table`."""
        query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(*table.split(".")))
        return self.rows(query.as_string())

    def count(self, table: str) -> int:
        """The number of rows in a table, named as `schema.table`."""
        query = sql.SQL("SELECT count(*) AS rows FROM {}").format(sql.Identifier(*table.split(".")))
        rows: int = self.rows(query.as_string())[0]["rows"]
        return rows
