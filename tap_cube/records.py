"""A decoder compiled from a stream's columns: one row of JSON text -> one typed record."""

from __future__ import annotations

import typing as t
from collections import Counter
from operator import attrgetter

import msgspec
from msgspec import UNSET, UnsetType

from tap_cube.rows import decode_row, exact
from tap_cube.values import as_text, converter
from tap_cube.writer import encode

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from tap_cube.values import Convert

UNPARSED = "unparsed_values"
"""Column that keeps values which do not fit their type."""

Column: t.TypeAlias = "tuple[str, Mapping[str, t.Any]] | None"
_Compiled: t.TypeAlias = "tuple[str, Convert] | None"

_MEMORY = 4096


class RecordDecoder:
    """Turns rows into records of one stream and source.

    There are two ways to the same record. The fast one, `encode`, is compiled for the keys that
    rows were seen to have: types of text columns are checked and all others are handed over by
    the JSON decoder itself. A row that does not fit it takes the careful way, alone.

    Args:
        zone: Zone of times without one (T38).
        column: Tells the column of a key and its JSON Schema; None for one to leave out. Asked
            once a key.
        added: Columns that the tap adds to each record, in order.

    Attributes:
        unparsed: How many values of each column did not fit its type.
    """

    def __init__(
        self, zone: ZoneInfo, column: Callable[[str], Column], added: Sequence[str] = ()
    ) -> None:
        """Know no column yet."""
        self._zone = zone
        self._column = column
        self._added = added
        self._columns: dict[str, _Compiled] = {}
        self._loose: set[str] = set()
        self._fast: _FastWay | None = None
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
        if self._has_learned(content):
            self._fast = _FastWay(self._columns, self._loose, self._added)
        return encode(record)

    def decode(self, row: Mapping[str, t.Any], *added: object) -> dict[str, t.Any]:
        """Type one decoded row, carefully; what does not fit stands in `UNPARSED`."""
        record: dict[str, t.Any] = {}
        unparsed = {}
        for key, value in row.items():
            if key not in self._columns:
                column = self._column(key)
                self._columns[key] = column and (column[0], converter(column[1], self._zone))
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
        """Whether the row has keys, or other than text in text columns, that are new."""
        loose = {
            key
            for key, value in content.items()
            if (column := self._columns[key])
            and column[1] is as_text
            and not isinstance(value, str | None)
        }
        news = self._fast is None or not self._fast.keys >= content.keys() or loose - self._loose
        self._loose |= loose
        return bool(news)


class _Memo(dict[str, t.Any]):
    """Remembers what texts became, since most typed fields hold few different ones."""

    def __init__(self, convert: Convert) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, text: str) -> object:
        value = self._convert(text)
        if len(self) < _MEMORY:
            self[text] = value
        return value


class _FastWay:
    """Rows to records by structs made for just these keys and columns."""

    def __init__(
        self, columns: Mapping[str, _Compiled], loose: set[str], added: Sequence[str]
    ) -> None:
        self.keys = frozenset(columns)
        # A column that the tap adds takes the place of Cube's own of that name.
        own = {
            key: column for key, column in columns.items() if not column or column[0] not in added
        }
        fields = {key: f"f{number}" for number, key in enumerate(own)}
        self._added = [f"added{number}" for number, _ in enumerate(added)]
        texts = {key for key, column in own.items() if column and column[1] is as_text} - loose
        types: list[tuple[str, t.Any, t.Any]] = [
            (field, str | None | UnsetType if key in texts else object, UNSET)
            for key, field in fields.items()
        ]
        # Rows may send what the tap adds only where a conversion is known for it.
        tail = dict(zip(self._added, added, strict=True))
        types += [(f, object if name in columns else UnsetType, UNSET) for f, name in tail.items()]
        sent = {field: key for key, field in fields.items()}
        names = {fields[key]: column[0] for key, column in own.items() if column}
        row = msgspec.defstruct(
            "Row", types, rename={**sent, **tail}, forbid_unknown_fields=True, gc=False
        )
        self._decode = msgspec.json.Decoder(row, float_hook=exact).decode
        record = msgspec.defstruct(
            "Record",
            [(field, object, UNSET) for field, *_ in types],
            rename={**sent, **names, **tail},
            gc=False,
        )
        self._record = None if names.items() <= sent.items() else record
        places = {**dict(zip(added, self._added, strict=True)), **fields}
        converts = {
            places[key]: column[1]
            for key, column in columns.items()
            if column and key not in texts and key in places
        }
        self._converts = [(f, convert, _Memo(convert)) for f, convert in converts.items()]
        # Two more, so that even for no field at all it gives a tuple.
        self._values = attrgetter(*converts, "__class__", "__class__")
        self._left_out = [fields[key] for key, column in own.items() if column is None]

    def encode(self, row: bytes, added: Sequence[object]) -> bytes:
        record = self._decode(row)
        for (field, convert, memo), value in zip(
            self._converts, self._values(record), strict=False
        ):
            if value is None or value is UNSET:
                continue
            setattr(record, field, memo[value] if value.__class__ is str else convert(value))
        for field in self._left_out:
            setattr(record, field, UNSET)
        for field, value in zip(self._added, added, strict=True):
            setattr(record, field, value)
        if self._record is not None:
            record = msgspec.convert(record, self._record, from_attributes=True)
        return encode(record)
