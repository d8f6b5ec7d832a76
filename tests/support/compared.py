"""Tables compared: the rows of a target with those of the account, in any order."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tests.support.held import Row

    Rows: TypeAlias = Counter[frozenset[tuple[str, object]]]


def counted(table: Iterable[Row], left_out: Collection[str | None] = (None,)) -> Rows:
    """The rows in any order, without values that stand for none."""
    return Counter(
        frozenset(cell for cell in row.items() if cell[1] not in left_out) for row in table
    )


def differences(found: Rows, expected: Rows) -> list[str]:
    """The cells that differ, of each row that only one side has."""
    extra, missing = (list(rows.elements()) for rows in (found - expected, expected - found))
    told = [f"missing: {set(row)}" for row in missing[len(extra) :]]
    for row in extra:
        alike = min(missing, key=lambda other: len(other - row), default=frozenset())
        told.append(f"{set(row - alike)} instead of {set(alike - row)}")
    return told
