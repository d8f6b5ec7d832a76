"""A decoder compiled from a stream's columns: one row of JSON text -> one typed record."""

from __future__ import annotations

import typing as t
from collections import Counter
from functools import partial

import msgspec

from tap_cube.fast_way import STRICT, FastWay
from tap_cube.rows import decode_row
from tap_cube.values import converter
from tap_cube.writer import encode

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from singer_sdk.helpers.types import Context

    from tap_cube.values import Convert

UNPARSED = "unparsed_values"
"""Column that keeps values which do not fit their type."""

Column: t.TypeAlias = "tuple[str, Mapping[str, t.Any]] | None"


class EncodedRecords(dict[str, t.Any]):
    """The records of a page as JSON text; to the SDK one record that has the context's values."""

    __slots__ = ("texts",)

    def __init__(self, texts: Sequence[bytes], context: Context | None) -> None:
        """Hold the texts, and the values that partitions are made of."""
        super().__init__(context or {})
        self.texts = texts


class RecordDecoder:
    """Turns rows into records of one stream and source.

    There are two ways to the same record. The fast one, `encode`, is compiled for the keys that
    rows were seen to have, see `FastWay`. A row that does not fit it takes the careful way, alone.

    Args:
        zone: Zone of times without one (T38).
        column: Tells the column of a key and its JSON Schema; None for one to leave out. Asked
            once a key.
        added: Columns that the tap adds to each record, in order.
        in_utc: Whether times are written in UTC.

    Attributes:
        moment: Makes a time of the source one of a record.
        unparsed: How many values of each column did not fit its type.
    """

    def __init__(
        self,
        zone: ZoneInfo,
        column: Callable[[str], Column],
        added: Sequence[str] = (),
        *,
        in_utc: bool = False,
    ) -> None:
        """Know no column yet."""
        self._converter = partial(converter, zone=zone, in_utc=in_utc)
        self.moment = self._converter({"format": "date-time"})
        self._column = column
        self._added = added
        self._columns: dict[str, tuple[str, Convert] | None] = {}
        self._loose: set[str] = set()
        self._fast: FastWay | None = None
        self._may_be_fast = True
        self.unparsed: Counter[str] = Counter()

    def encode(self, row: bytes, *added: object) -> bytes:
        """JSON text of a row's record.

        Args:
            row: JSON text of the row.
            added: Values of the columns that the tap adds.
        """
        if self._fast is not None:
            try:
                return self._fast.encode(row, added)
            except (msgspec.DecodeError, ValueError, ArithmeticError):
                pass  # a new key, or a value that is off its type: the careful way tells which
        content = decode_row(row)
        record = self.decode(content, *added)
        if self._may_be_fast and self._has_learned(content):
            try:
                self._fast = FastWay(self._columns, self._loose, self._added)
            except ValueError:  # a key that no struct can have, such as one with a quote
                self._fast, self._may_be_fast = None, False
        return encode(record)

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
        own = dict(zip(self._added, added, strict=True))
        names = (column[0] for column in self._columns.values() if column)
        ordered = {name: record[name] for name in names if name in record and name not in own}
        if unparsed:
            self.unparsed.update(unparsed.keys())
            if self._column(UNPARSED):
                own[UNPARSED] = unparsed
        return ordered | own

    def _has_learned(self, content: Mapping[str, t.Any]) -> bool:
        """Whether the row has new keys, or other JSON types than its columns had so far."""
        loose = {
            key
            for key, value in content.items()
            if (column := self._columns[key])
            and not isinstance(value, STRICT.get(column[1], object))
        }
        news = self._fast is None or not self._fast.keys >= content.keys() or loose - self._loose
        self._loose |= loose
        return bool(news)
