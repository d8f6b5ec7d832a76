"""Rows of JSON text to typed records."""

from __future__ import annotations

import typing as t
from collections import Counter
from functools import partial

import msgspec

from tap_cube.records.codec import decode_row, encode
from tap_cube.records.compiled import CompiledDecoder, matches_type
from tap_cube.records.own_columns import OwnColumns, unparsed_text
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

MAX_COLUMNS = 10_000
"""A stream with this many columns takes no new keys; PostgreSQL has at most 1,600 in a table."""

MAX_KEY_LENGTH = 1_000
"""Characters of a key that can become a column."""

_MAX_SKIPPED = 2_000
"""Keys without a column that a decoder remembers; rows that have others take the slow path."""

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
        column: Returns name and JSON Schema of a key's column, None to skip the key. The name
            is never `UNPARSED`. It is called once per key, but again for skipped keys that are
            long or many.
        own: The columns that the tap adds.
        unparsed: Makes the value of the column `UNPARSED`; None if records do not have it.

    Attributes:
        moment: Converts a time of a row to the time of a record.
        unparsed: How many values of each column did not fit its type.
    """

    def __init__(
        self,
        zone: ZoneInfo,
        column: Callable[[str], Column],
        own: OwnColumns | None = None,
        *,
        unparsed: Callable[[Mapping[str, object]], object] | None = unparsed_text,
    ) -> None:
        self._converter = partial(converter, zone=zone)
        self.moment = self._converter({"format": "date-time"})
        self._column = column
        self.own = own or OwnColumns({}, ())
        self._unparsed_value = unparsed
        self._columns: dict[str, tuple[str, Convert] | None] = {}
        self._order: dict[str, int] = {}
        self._skipped = 0
        self._mistyped: set[str] = set()
        self._compiled: CompiledDecoder | None = None
        self._compiled_for = (0, 0)
        self._can_compile = True
        self._slow_keys = 0
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
        added, unfit = self.own.fitted(added, len(indexes))
        try:
            if self._compiled:
                rows = self._compiled.of_page(page, indexes)
                return self._finish(self._compiled, rows, added, unfit)
        except _DECODE_ERRORS:
            pass  # a row has a new key, or a value of another type
        lines: dict[int, bytes] = {}
        fitting: dict[int, Struct] = {}
        for number, index in enumerate(indexes):
            row = page.raw_rows[index]
            if (struct := self._compiled_row(row)) is not None:
                fitting[number] = struct
                continue
            content = decode_row(row)
            own = [values[number] for values in added]
            lines[number] = encode(self._record(content, own, unfit.get(number, {})))
            if self._should_compile(content):
                lines |= self._finished_lines(fitting, added, unfit)
                fitting = {}
                self._compile()
        lines |= self._finished_lines(fitting, added, unfit)
        return b"\n".join([*(lines[number] for number in range(len(indexes))), b""])

    def decode(self, row: Mapping[str, t.Any], *added: object) -> dict[str, t.Any]:
        """Make the record of one decoded row, on the slow path.

        Values that do not fit their type become null. The column `UNPARSED` has their JSON text.

        Args:
            row: The row.
            added: The value of each added column.
        """
        columns, unfit = self.own.fitted([[value] for value in added], 1)
        return self._record(row, [value for [value] in columns], unfit.get(0, {}))

    def _record(
        self, row: Mapping[str, t.Any], added: Sequence[object], unfit: Mapping[str, object]
    ) -> dict[str, t.Any]:
        record: dict[str, t.Any] = {}
        unparsed = {}
        for key, value in row.items():
            known = self._columns[key] if key in self._columns else self._learn(key)
            if known is None:
                continue
            name, convert = known
            try:
                record[name] = None if value is None else convert(value)
            except (ValueError, ArithmeticError):
                record[name] = None
                unparsed[name] = value
        own = self.own.constants | {
            name: value for name, value in zip(self.own.added, added, strict=True) if name
        }
        names = sorted(record, key=self._order.__getitem__)
        ordered = {name: record[name] for name in names if name not in own}
        kept = {name: unparsed[name] for name in names if name in unparsed}
        value = self._kept(kept, unfit) if kept or unfit else None
        if self._unparsed_value:
            own[UNPARSED] = value
        return ordered | own

    def _kept(self, unparsed: Mapping[str, object], unfit: Mapping[str, object]) -> object:
        """Count the values that do not fit in a row, and return that of the column `UNPARSED`."""
        self.own.check_keys(unparsed)
        values = {**unparsed, **unfit}
        self.unparsed.update(values.keys())
        return self._unparsed_value(values) if self._unparsed_value else None

    def _learn(self, key: str) -> tuple[str, Convert] | None:
        """Look the column of a key up, and remember it unless the server makes that too costly."""
        column = self._column(key)
        if column is None:
            if self._skipped < _MAX_SKIPPED and len(key) <= MAX_KEY_LENGTH:
                self._skipped += 1
                self._columns[key] = None
            return None
        name, schema = column
        self._order.setdefault(name, len(self._order))
        known = self._columns[key] = name, self._converter(schema)
        return known

    def _finish(
        self,
        compiled: CompiledDecoder,
        rows: list[Struct],
        added: Sequence[Sequence[object]],
        unfit: Mapping[int, Mapping[str, object]],
    ) -> bytes:
        unparsed = compiled.finish(rows, added)
        if unparsed or unfit:
            places = sorted({*unparsed, *unfit})
            kept = {n: self._kept(unparsed.get(n, {}), unfit.get(n, {})) for n in places}
            if self._unparsed_value:
                compiled.set_unparsed(rows, kept)
        return compiled.lines(rows)

    def _compiled_row(self, row: bytes) -> Struct | None:
        try:
            return self._compiled.of_rows([row])[0] if self._compiled else None
        except _DECODE_ERRORS:
            return None

    def _finished_lines(
        self,
        rows: Mapping[int, Struct],
        added: Sequence[Sequence[object]],
        unfit: Mapping[int, Mapping[str, object]],
    ) -> dict[int, bytes]:
        """Text of the records of compiled rows, by their place in the page."""
        if not (rows and self._compiled):
            return {}
        own = [[values[number] for number in rows] for values in added]
        beside = {place: unfit[number] for place, number in enumerate(rows) if number in unfit}
        text = self._finish(self._compiled, list(rows.values()), own, beside)
        return dict(zip(rows, text[:-1].split(b"\n"), strict=True))

    def _should_compile(self, content: Mapping[str, t.Any]) -> bool:
        """Whether a row on the slow path makes a new compiled decoder worth its time.

        Making one takes time in proportion to all keys, so as many must have been decoded slowly.
        Otherwise a page with a new key in each row would take time in proportion to its square.
        """
        self._slow_keys += len(content)
        self._mistyped.update(
            key
            for key, value in content.items()
            if (column := self._columns.get(key)) and not matches_type(value, column[1])
        )
        is_outdated = self._compiled_for != (len(self._columns), len(self._mistyped))
        return self._can_compile and is_outdated and self._slow_keys >= len(self._columns)

    def _compile(self) -> None:
        self._slow_keys = 0
        self._compiled_for = len(self._columns), len(self._mistyped)
        try:
            self._compiled = CompiledDecoder(
                self._columns,
                self._mistyped,
                self.own.constants,
                self.own.added,
                UNPARSED if self._unparsed_value else None,
            )
        except ValueError:
            self._compiled, self._can_compile = None, False
