"""What the demo prints."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

from cube_sandbox.demo_tables import SCHEMA, Tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def print_text(text: str) -> None:
    """Print a paragraph."""
    indent = "   "
    filled = textwrap.fill(text, 100, initial_indent=indent, subsequent_indent=indent)
    sys.stdout.write(f"\n{filled}\n")


def print_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table with numbers aligned right and text aligned left."""
    content = list(rows)
    widths = [max(map(len, map(str, column))) for column in zip(head, *content, strict=True)]
    sys.stdout.write("\n")
    for line in (head, *content):
        cells = (
            f"{cell!s:{'>' if isinstance(value, int) else '<'}{width}}"
            for cell, value, width in zip(line, content[0], widths, strict=True)
        )
        sys.stdout.write(f"   {'  '.join(cells)}".rstrip() + "\n")


def print_columns(name: str, tables: Tables) -> None:
    """Print the columns of a table by type, and the labels of custom fields."""
    print_text(f"Columns of {SCHEMA}.{name} by their type in PostgreSQL:")
    sys.stdout.write("\n")
    by_type = tables.columns_by_type(name)
    width = max(map(len, by_type)) + 2
    for kind, columns in sorted(by_type.items()):
        sys.stdout.write(
            textwrap.fill(
                ", ".join(columns),
                100,
                initial_indent=f"   {kind:<{width}}",
                subsequent_indent=" " * (3 + width),
            )
            + "\n"
        )
    print_text(f"Labels of crm__custom_info__ columns, from {SCHEMA}.custom_fields:")
    print_table(("column", "source", "name"), tables.custom_field_names(4))
