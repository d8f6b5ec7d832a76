"""Rows of JSON text to typed records."""

from __future__ import annotations

import typing as t
from collections import Counter
from functools import partial

import msgspec

from tap_cube.records.codec import decode_row, encode
from tap_cube.records.compiled import CompiledDecoder, matches_type
from tap_cube.records.values import converter

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from msgspec import Struct
    from singer_sdk.helpers.types import Context

    from tap_cube.records.page import Page
    from tap_cube.records.values import Convert

UNPARSED = "unparsed_values"
"""Column for values that do not fit their type."""

_DECODE_ERRORS = (msgspec.DecodeError, RecursionError)

Column: t.TypeAlias = "tuple[str, Mapping[str, t.Any]] | None"
"""Name and JSON Schema of a column; None if it is skipped."""


class RecordBlock(dict[str, t.Any]):
    """Records of one page as JSON text.

    The SDK handles the block as one record that has the values of the partition's context.

    Args:
        lines: Text of the records, each followed by a line break.
        number: Count of the records.
        context: The partition's context.
    """

    __slots__ = ("lines", "number")

    def __init__(self, lines: bytes, number: int, context: Context | None) -> None:
        super().__init__(context or {})
        self.lines = lines
        self.number = number


class RecordDecoder:
    """Decodes the rows of one stream and partition into records.

    There are two paths to the same record. The compiled path takes whole pages; it is made for
    the keys seen so far, see `CompiledDecoder`. The slow path takes single rows with any keys.

    Args:
        zone: Zone of times that have none (T38).
        column: Returns name and JSON Schema of a key's column, None to skip the key. It is
            called once per key.
        constants: Values that the tap adds to every record, by column.
        added: Columns that the tap adds after the constants, with a value per row.
        in_utc: Whether times are written in UTC instead of with their offset.

    Attributes:
        moment: Converts a time of a row to the time of a record.
        unparsed: How many values of each column did not fit its type.
    """

    def __init__(
        self,
        zone: ZoneInfo,
        column: Callable[[str], Column],
        constants: Mapping[str, object] | None = None,
        added: Sequence[str] = (),
        *,
        in_utc: bool = False,
    ) -> None:
        self._converter = partial(converter, zone=zone, in_utc=in_utc)
        self.moment = self._converter({"format": "date-time"})
        self._column = column
        self._constants = dict(constants or {})
        self._added = added
        self._columns: dict[str, tuple[str, Convert] | None] = {}
        self._mistyped: set[str] = set()
        self._compiled: CompiledDecoder | None = None
        self._can_compile = True
        self.unparsed: Counter[str] = Counter()

    def lines(self, page: Page, indexes: Sequence[int], added: Sequence[Sequence[object]]) -> bytes:
        """Decode some rows of a page into the JSON text of their records.

        Args:
            page: The page.
            indexes: Indexes of the rows in the page.
            added: For each added column, one value per row.

        Returns:
            The records in the order of the rows, each followed by a line break.
        """
        try:
            if self._compiled:
                return self._finish(self._compiled, self._compiled.of_page(page, indexes), added)
        except _DECODE_ERRORS:
            pass  # a row has a new key, or a value of another type
        return b"".join(
            self._line(page.raw_rows[index], [values[number] for values in added])
            for number, index in enumerate(indexes)
        )

    def decode(self, row: Mapping[str, t.Any], *added: object) -> dict[str, t.Any]:
        """Make the record of one decoded row, on the slow path.

        Values that do not fit their type become null, and are kept in the column `UNPARSED`.

        Args:
            row: The row.
            added: The value of each added column.
        """
        record: dict[str, t.Any] = {}
        unparsed = {}
        for key, value in row.items():
            if key not in self._columns:
                column = self._column(key)
                self._columns[key] = column and (column[0], self._converter(column[1]))
            known = self._columns[key]
            if known is None:
                continue
            name, convert = known
            try:
                record[name] = None if value is None else convert(value)
            except (ValueError, ArithmeticError):
                record[name] = None
                unparsed[name] = value
        own = self._constants | dict(zip(self._added, added, strict=True))
        if UNPARSED in record:  # Cube sends a key of this name
            own[UNPARSED] = record[UNPARSED]
        names = (column[0] for column in self._columns.values() if column)
        ordered = {name: record[name] for name in names if name in record and name not in own}
        if unparsed:
            self.unparsed.update(unparsed.keys())
            if self._column(UNPARSED):
                names = (column[0] for column in self._columns.values() if column)
                own[UNPARSED] = {name: unparsed[name] for name in names if name in unparsed}
        return ordered | own

    def _finish(
        self, compiled: CompiledDecoder, rows: list[Struct], added: Sequence[Sequence[object]]
    ) -> bytes:
        if unparsed := compiled.finish(rows, added):
            for values in unparsed.values():
                self.unparsed.update(values.keys())
            if self._column(UNPARSED):
                compiled.set_unparsed(rows, unparsed)
        return compiled.lines(rows)

    def _line(self, row: bytes, added: Sequence[object]) -> bytes:
        """Text of one row's record. If the slow path finds new keys or types, compile anew."""
        try:
            if self._compiled:
                own = [[value] for value in added]
                return self._finish(self._compiled, self._compiled.of_rows([row]), own)
        except _DECODE_ERRORS:
            pass
        content = decode_row(row)
        record = self.decode(content, *added)
        if self._can_compile and self._is_outdated_by(content):
            try:
                self._compiled = CompiledDecoder(
                    self._columns, self._mistyped, self._constants, self._added, UNPARSED
                )
            except ValueError:
                self._compiled, self._can_compile = None, False
        return encode(record) + b"\n"

    def _is_outdated_by(self, content: Mapping[str, t.Any]) -> bool:
        """Whether a row has new keys or JSON types; its types are noted for the next decoder."""
        mistyped = {
            key
            for key, value in content.items()
            if (column := self._columns[key]) and not matches_type(value, column[1])
        }
        has_new_keys = self._compiled is None or not self._compiled.keys >= content.keys()
        has_new_types = not mistyped <= self._mistyped
        self._mistyped |= mistyped
        return has_new_keys or has_new_types
