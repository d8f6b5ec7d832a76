"""docs/values.md: its statements for PostgreSQL, and tables of earlier versions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tests.support.documented import fenced

if TYPE_CHECKING:
    from tests.support.warehouse import Warehouse

PAGE = "docs/values.md"
OLD = """
    CREATE SCHEMA tap_cube;
    CREATE TABLE tap_cube.call_outcomes
        (submitted_at timestamp, unparsed_values jsonb, _sdc_batched_at timestamp);
    CREATE TABLE tap_cube.campaigns (unparsed_values jsonb);
    CREATE VIEW tap_cube.report AS SELECT submitted_at FROM tap_cube.call_outcomes;
    INSERT INTO tap_cube.call_outcomes VALUES
        ('2024-05-17 10:00', 'null', '2024-05-18 03:00'),
        ('2024-01-17 10:00', '{"crm__custom_info__93": "soon"}', NULL),
        (NULL, NULL, NULL);
"""
"""What an earlier version left in a database whose time zone is Europe/Oslo."""


def test_tables_of_an_earlier_version_become_those_of_this_one(warehouse: Warehouse) -> None:
    """Unparsed values are text, JSON's null is SQL's, and times are in UTC but the target's own."""
    execute(warehouse, OLD)
    for statement in fenced(PAGE, "sql", "Tables of earlier versions"):
        execute(warehouse, statement)
    assert warehouse.columns("tap_cube", "call_outcomes")["unparsed_values"] == "text"
    assert warehouse.columns("tap_cube", "campaigns")["unparsed_values"] == "text"
    rows = {tuple(row.values()) for row in warehouse.table("tap_cube.call_outcomes")}
    assert rows == {
        (datetime(2024, 5, 17, 8), None, datetime(2024, 5, 18, 3)),  # noqa: DTZ001 - no zone in the column
        (datetime(2024, 1, 17, 9), '{"crm__custom_info__93": "soon"}', None),  # noqa: DTZ001 - likewise
        (None, None, None),
    }


def test_unparsed_values_with_nul_are_read_as_json(warehouse: Warehouse) -> None:
    """The page's expression removes NUL, and no backslash before the letters u0000."""
    (expression,) = fenced(PAGE, "sql", "Values that do not fit")
    text = r'{"a": "1\u0000\u00002", "b": "\\u0000", "c": "\\\u0000"}'
    (row,) = warehouse.rows(
        f"SELECT {expression} AS read FROM (VALUES (%s)) AS t (unparsed_values)",  # noqa: S608 - our own page
        [text],
    )
    assert row["read"] == {"a": "12", "b": r"\u0000", "c": "\\"}


def execute(warehouse: Warehouse, statements: str) -> None:
    """Run statements that return nothing."""
    with warehouse.database.connect() as connection:
        connection.execute(statements.encode())
