"""The columns of a record that are the tap's own, in the types that the catalog gives them."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from types import MappingProxyType

from tap_cube.errors import StreamError
from tap_cube.records.codec import encode
from tap_cube.records.values import readable

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_cube.records.values import Convert

Unfit: t.TypeAlias = "Mapping[int, Mapping[str, object]]"
"""Values that do not fit the type of their column, by row and column."""


def unparsed_text(values: Mapping[str, object]) -> str:
    """JSON text of values that do not fit their columns.

    Args:
        values: The values as Cube sent them, by column.
    """
    return encode(readable(values)).decode()


class OwnColumns:
    """Constants of a partition, and columns with a value per row.

    Args:
        constants: Values of every record, by column.
        added: Columns with a value per row, in their order; None for one that is skipped.
        overrides: Conversions of the columns to which the catalog gives another type.
        keys: What is wrong if a value does not fit its column, for each column of the primary key.

    Attributes:
        constants: The values of every record, in their types.
        unfit: Values of constants that do not fit, by column.
        added: As given.
    """

    def __init__(
        self,
        constants: Mapping[str, object],
        added: Sequence[str | None],
        overrides: Mapping[str, Convert] = MappingProxyType({}),
        keys: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.added = added
        self.unfit: dict[str, object] = {}
        self._overrides, self._keys = overrides, keys
        self._sent: dict[tuple[str, object], object] = {}
        self.constants = {
            name: self._fitted(name, value, self.unfit) for name, value in constants.items()
        }
        self._overridden = [
            (place, name) for place, name in enumerate(added) if name and name in overrides
        ]

    def fitted(
        self, added: Sequence[Sequence[object]], rows: int
    ) -> tuple[Sequence[Sequence[object]], Unfit]:
        """Values of the added columns in their types, and those that do not fit.

        Args:
            added: For each added column, one value per row.
            rows: Number of the rows.
        """
        unfit: defaultdict[int, dict[str, object]] = defaultdict(dict)
        if self.unfit:
            unfit.update((row, dict(self.unfit)) for row in range(rows))
        if not self._overridden:
            return added, unfit
        columns = [*added]
        for place, name in self._overridden:
            values = enumerate(added[place])
            columns[place] = [self._fitted(name, value, unfit[row]) for row, value in values]
        return columns, {row: values for row, values in unfit.items() if values}

    def check_keys(self, unparsed: Iterable[str]) -> None:
        """Check the keys among the columns in which a value of Cube's does not fit.

        Raises:
            StreamError: If one of them is a column of the primary key.
        """
        for name in unparsed:
            if name in self._keys and name not in self.constants and name not in self.added:
                raise StreamError(self._keys[name])

    def sent(self, name: str, value: object) -> object:
        """The key that became this value in the type of its column."""
        return self._sent.get((name, value), value)

    def _fitted(self, name: str, value: object, unfit: dict[str, object]) -> object:
        """The value in the type of its column; if it does not fit, None, and it is kept.

        Raises:
            StreamError: If a value of the primary key does not fit, or becomes that of another
                row: 007 and 7 are two customers, but one number.
        """
        if value is None or name not in self._overrides:
            return value
        try:
            converted = self._overrides[name](value)
        except (ValueError, ArithmeticError):
            converted = None
            unfit[name] = value
        if name in self._keys and (name in unfit or self._is_taken(name, converted, value)):
            raise StreamError(self._keys[name])
        return converted

    def _is_taken(self, name: str, key: object, sent: object) -> bool:
        return self._sent.setdefault((name, key), sent) != sent
