"""A decoder compiled from a stream's columns: rows of JSON text -> typed records."""

from __future__ import annotations

import typing as t
from collections import Counter
from functools import partial

import msgspec

from tap_cube.records.codec import decode_row, encode
from tap_cube.records.compiled import CompiledDecoder, is_checked
from tap_cube.records.values import converter

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from msgspec import Struct
    from singer_sdk.helpers.types import Context

    from tap_cube.records.page import Page
    from tap_cube.records.values import Convert

UNPARSED = "unparsed_values"
"""Column that keeps values which do not fit their type."""

_MISFITS = (msgspec.DecodeError, RecursionError)

Column: t.TypeAlias = "tuple[str, Mapping[str, t.Any]] | None"


class RecordBlock(dict[str, t.Any]):
    """Records of a page as JSON text; to the SDK one record that has the context's values.

    Attributes:
        lines: Their text, each followed by a line break.
        number: How many they are.
    """

    __slots__ = ("lines", "number")

    def __init__(self, lines: bytes, number: int, context: Context | None) -> None:
        """Hold the text, and the values that partitions are made of."""
        super().__init__(context or {})
        self.lines = lines
        self.number = number


class RecordDecoder:
    """Turns rows into records of one stream and source.

    There are two ways to the same record. The fast one is compiled for the keys that rows were
    seen to have, and takes whole pages, see `CompiledDecoder`. A row that does not fit it takes the
    careful way, alone.

    Args:
        zone: Zone of times without one (T38).
        column: Tells the column of a key and its JSON Schema; None for one to leave out. Asked
            once a key.
        constants: Values that the tap adds to every record, by column.
        added: Columns that the tap adds after them, with a value for each row.
        in_utc: Whether times are written in UTC.

    Attributes:
        moment: Makes a time of the source one of a record.
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
        """Know no column yet."""
        self._converter = partial(converter, zone=zone, in_utc=in_utc)
        self.moment = self._converter({"format": "date-time"})
        self._column = column
        self._constants = dict(constants or {})
        self._added = added
        self._columns: dict[str, tuple[str, Convert] | None] = {}
        self._loose: set[str] = set()
        self._fast: CompiledDecoder | None = None
        self._may_be_fast = True
        self.unparsed: Counter[str] = Counter()

    def lines(self, page: Page, places: Sequence[int], added: Sequence[Sequence[object]]) -> bytes:
        """JSON text of the records of some rows of a page, each followed by a line break.

        Args:
            page: The page.
            places: Which of its rows.
            added: The values of each added column, one a row.
        """
        try:
            if self._fast:
                return self._finished(self._fast, self._fast.of_page(page, places), added)
        except _MISFITS:
            pass  # one of them has a new key, or a value that no decoder takes
        return b"".join(
            self._line(page.raw_rows[place], [values[number] for values in added])
            for number, place in enumerate(places)
        )

    def decode(self, row: Mapping[str, t.Any], *added: object) -> dict[str, t.Any]:
        """Type one decoded row, carefully; what does not fit stands in `UNPARSED`."""
        record: dict[str, t.Any] = {}
        unparsed = {}
        for key, value in row.items():
            if key not in self._columns:
                column = self._column(key)
                self._columns[key] = column and (column[0], self._converter(column[1]))
            compiled = self._columns[key]
            if compiled is None:
                continue
            name, convert = compiled
            try:
                record[name] = None if value is None else convert(value)
            except (ValueError, ArithmeticError):
                record[name] = None
                unparsed[name] = value
        own = self._constants | dict(zip(self._added, added, strict=True))
        if UNPARSED in record:  # Cube has a key of this name
            own[UNPARSED] = record[UNPARSED]
        names = (column[0] for column in self._columns.values() if column)
        ordered = {name: record[name] for name in names if name in record and name not in own}
        if unparsed:
            self.unparsed.update(unparsed.keys())
            if self._column(UNPARSED):
                names = (column[0] for column in self._columns.values() if column)
                own[UNPARSED] = {name: unparsed[name] for name in names if name in unparsed}
        return ordered | own

    def _finished(
        self, fast: CompiledDecoder, rows: list[Struct], added: Sequence[Sequence[object]]
    ) -> bytes:
        if unparsed := fast.finish(rows, added):
            for values in unparsed.values():
                self.unparsed.update(values.keys())
            if self._column(UNPARSED):
                fast.keep(rows, unparsed)
        return fast.lines(rows)

    def _line(self, row: bytes, added: Sequence[object]) -> bytes:
        """Text of one row's record, by the careful way if it must be: the fast one learns of it."""
        try:
            if self._fast:
                own = [[value] for value in added]
                return self._finished(self._fast, self._fast.of_rows([row]), own)
        except _MISFITS:
            pass
        content = decode_row(row)
        record = self.decode(content, *added)
        if self._may_be_fast and self._has_learned(content):
            try:
                self._fast = CompiledDecoder(
                    self._columns, self._loose, self._constants, self._added, UNPARSED
                )
            except ValueError:
                self._fast, self._may_be_fast = None, False
        return encode(record) + b"\n"

    def _has_learned(self, content: Mapping[str, t.Any]) -> bool:
        """Whether the row has new keys, or other JSON types than its columns had so far."""
        loose = {
            key
            for key, value in content.items()
            if (column := self._columns[key]) and not is_checked(value, column[1])
        }
        news = self._fast is None or not self._fast.keys >= content.keys() or loose - self._loose
        self._loose |= loose
        return bool(news)
