"""Whole pages of JSON text to the text of their records, mostly in C.

A page takes these steps, in this order:

1. The slow path (`RecordDecoder.decode`) decodes the first rows in Python. Their keys, and the
   columns of these keys, are compiled into a msgspec struct with one field per key.
2. Text, integers, booleans and days get a typed field, which msgspec checks while it decodes.
   Every other field is `Raw`: it holds the JSON text of the value as Cube sent it.
3. One call decodes the page into structs. It fails if a row has an unknown key or a value of
   another JSON type. Then the rows are decoded one by one. Those that fail again take the slow
   path, and a decoder that fits them too is compiled.
4. The texts of one `Raw` column are joined by line breaks. One regular expression then finds
   those that are not canonical, which their conversion might change. Only these are converted.
5. The columns of the tap (constants, then values per row) are set on the structs.
6. One call encodes all structs as JSON lines. `Raw` fields are copied as they are. The lines
   equal those of the slow path byte for byte.
"""

from __future__ import annotations

import typing as t
from collections import defaultdict
from datetime import date
from itertools import repeat

import msgspec
from msgspec import UNSET, Raw, UnsetType, defstruct

from tap_cube.records.codec import encode_lines
from tap_cube.records.moments import as_day
from tap_cube.records.page import rows_decoder
from tap_cube.records.raw_columns import RawColumn, set_field
from tap_cube.records.values import as_boolean, as_integer, as_text

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_cube.records.page import Page
    from tap_cube.records.values import Convert

    Rows: t.TypeAlias = "list[msgspec.Struct]"

_INT64 = msgspec.Meta(ge=-(2**63), le=2**63 - 1)
_TYPES: Mapping[Convert, t.Any] = {
    as_text: str | None | UnsetType,
    as_integer: t.Annotated[int, _INT64] | None | UnsetType,
    as_boolean: bool | None | UnsetType,
    as_day: date | None | UnsetType,
}
"""Field types that msgspec checks by itself: values that pass need no conversion."""


def matches_type(value: object, convert: Convert) -> bool:
    """Whether a value fits the typed field of its conversion; true if there is no such field."""
    try:
        msgspec.convert(value, _TYPES.get(convert, object))
    except msgspec.ValidationError:
        return False
    return True


class CompiledDecoder:
    """Decodes rows into structs made for their keys, and encodes these as records.

    Args:
        columns: Column and conversion of each key; None if the key is skipped.
        mistyped: Keys that had a value of another JSON type than their column's. They get no
            typed field.
        constants: Values that the tap adds to every record, by column.
        added: Columns that the tap adds row by row; None for one that is skipped. They and the
            constants replace Cube's own columns of the same name.
        unparsed: Column with the JSON text of values that do not fit their type; None for none.

    Raises:
        ValueError: If msgspec cannot compile a struct for these keys, such as one with a quote.
    """

    def __init__(
        self,
        columns: Mapping[str, tuple[str, Convert] | None],
        mistyped: set[str],
        constants: Mapping[str, object],
        added: Sequence[str | None],
        unparsed: str | None,
    ) -> None:
        tap_columns = {**constants, **dict.fromkeys(filter(None, added), UNSET)}
        kept = {key: col for key, col in columns.items() if not col or col[0] not in tap_columns}
        fields = {key: f"f{number}" for number, key in enumerate(kept)}
        tap_fields = {name: f"added{number}" for number, name in enumerate(tap_columns)}
        typed = {
            key: _TYPES[col[1]]
            for key, col in kept.items()
            if col and col[1] in _TYPES and key not in mistyped
        }
        types: list[tuple[str, t.Any, t.Any]] = [
            (field, typed.get(key, Raw), UNSET) for key, field in fields.items()
        ]
        # A row may have a key named as a column of the tap only if the key's conversion is known.
        sent = columns.keys() - kept.keys()
        types += [
            (field, Raw, UNSET) if name in sent else (field, UnsetType, tap_columns[name])
            for name, field in tap_fields.items()
        ]
        own = {field: name for name, field in tap_fields.items()}
        if unparsed:
            types.append(("unparsed", UnsetType, None))
            own["unparsed"] = unparsed
        # A key with the name of one of the tap's columns may have a column of another name.
        keys = {field: f"{name} (tap)" if name in kept else name for field, name in own.items()}
        keys |= {field: key for key, field in fields.items()}
        self._row = defstruct("Row", types, rename=keys, forbid_unknown_fields=True, gc=False)
        self._decode = rows_decoder(self._row)
        self._record = None
        names = {**own, **{fields[key]: col[0] for key, col in kept.items() if col}}
        if not names.items() <= keys.items():  # a column has another name than its key
            untyped = [(field, object, UNSET) for field, *_ in types]
            self._record = defstruct("Record", untyped, rename=keys | names, gc=False)
        self._columns = [
            RawColumn(fields.get(key) or tap_fields[key], *col)
            for key, col in columns.items()
            if col and key not in typed and (key in fields or key in tap_fields)
        ]
        self._added = [tap_fields[name] if name else "" for name in added]
        # A constant whose name is also a key has no default, and skipped keys have a value.
        self._fixed: list[tuple[str, object]] = [
            *((tap_fields[name], value) for name, value in constants.items() if name in columns),
            *((fields[key], UNSET) for key, col in kept.items() if col is None),
        ]

    def of_page(self, page: Page, indexes: Sequence[int]) -> Rows:
        """Decode the rows of a page that have these indexes.

        Raises:
            msgspec.DecodeError: If a row of the page does not fit the struct.
        """
        if 4 * len(indexes) < len(page.rows):
            return self.of_rows([page.raw_rows[index] for index in indexes])
        rows = self._decode(page.body)
        return rows if len(indexes) == len(rows) else [rows[index] for index in indexes]

    def of_rows(self, rows: Iterable[bytes]) -> Rows:
        """Decode single rows; raises like `of_page`."""
        return [msgspec.json.decode(row, type=self._row) for row in rows]

    def finish(
        self, rows: Rows, added: Iterable[Sequence[object]]
    ) -> Mapping[int, dict[str, object]]:
        """Convert the values that are not canonical, and set the columns of the tap.

        Args:
            rows: Decoded rows; they are changed in place.
            added: For each added column, one value per row.

        Returns:
            The values that do not fit their type, by index of the row and by column.
        """
        unparsed: defaultdict[int, dict[str, object]] = defaultdict(dict)
        for column in self._columns:
            for index, value in column.convert(rows):
                unparsed[index][column.name] = value
        for field, value in self._fixed:
            set_field(rows, field, repeat(value))
        for field, values in zip(self._added, added, strict=True):
            if field:
                set_field(rows, field, values)
        return unparsed

    def set_unparsed(self, rows: Rows, kept: Mapping[int, object]) -> None:
        """Set the column for values that do not fit their type, by index of the row."""
        for index, value in kept.items():
            rows[index].unparsed = value  # type: ignore[attr-defined]  # a type made at run time

    def lines(self, rows: Rows) -> bytes:
        """Encode finished rows as records, one per line."""
        if self._record is None:
            return encode_lines(rows)
        records: t.Any = list[self._record]  # type: ignore[name-defined]  # made above
        return encode_lines(msgspec.convert(rows, records, from_attributes=True))
