"""Whole pages of JSON text to the text of their records in C, compiled for what was seen so far."""

from __future__ import annotations

import re
import typing as t
from collections import defaultdict, deque
from datetime import date
from functools import partial
from itertools import repeat
from operator import attrgetter

import msgspec
from msgspec import UNSET, Raw, UnsetType

from tap_cube.records.codec import encode_lines, exact
from tap_cube.records.page import rows_decoder
from tap_cube.records.values import as_boolean, as_day, as_integer, as_moment, as_number, as_text

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_cube.records.page import Page
    from tap_cube.records.values import Convert

    Rows: t.TypeAlias = "list[msgspec.Struct]"

_BOUND = msgspec.Meta(ge=-(2**63), le=2**63 - 1)
_CHECKED: Mapping[Convert, t.Any] = {
    as_text: str | None | UnsetType,
    as_integer: t.Annotated[int, _BOUND] | None | UnsetType,
    as_boolean: bool | None | UnsetType,
    as_day: date | None | UnsetType,
}
"""What the JSON decoder itself checks, by conversion: such values need no other one."""


def is_checked(value: object, convert: Convert) -> bool:
    """Whether the JSON decoder would take a value for its column, if it checks such at all."""
    try:
        msgspec.convert(value, _CHECKED.get(convert, object))
    except msgspec.ValidationError:
        return False
    return True


_DAY = (
    rb"(?!0000)[0-9]{4}-(?:(?:0[13-9]|1[0-2])-(?:0[1-9]|[12][0-9]|30)"
    rb"|(?:0[13578]|1[02])-31|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_CLOCK = rb"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_CANONICAL: Mapping[Callable[..., t.Any], bytes] = {
    as_text: rb'"[ !#-\[\]-~]*"',
    as_integer: rb"0|-?[1-9][0-9]{0,17}",
    as_boolean: rb"true|false",
    as_number: rb"0|-?[1-9][0-9]{0,17}(?:\.[0-9]{0,9}[1-9][0-9]{0,2})?"
    rb"|-?0\.(?:[1-9][0-9]{0,5}|0[1-9])",
    as_day: b'"%b"' % _DAY,
    as_moment: rb'"%bT%b:[0-5][0-9]\+%b"' % (_DAY, _CLOCK, _CLOCK),
}
"""JSON text that each conversion would leave as it is written, as far as that is easily seen."""

_NOTHING = b"(?!)"

_MEMORY = 4096
_END = b"\n"
"""Stands before values: nothing in JSON text but white space between tokens holds it."""

_decode = msgspec.json.Decoder(float_hook=exact).decode


class CompiledDecoder:
    """Rows of JSON text to the text of their records, by structs made for them.

    Attributes of the structs hold what the decoder checks, or JSON text. One look at a column
    tells which of its texts are not right as they are written, and only these are converted.

    Args:
        columns: Column and conversion of each key; None for one to leave out.
        loose: Keys whose values were seen not to have their column's JSON type.
        constants: Values that the tap adds to every record, by column.
        added: Columns that the tap adds row by row. They and the constants take the place of
            Cube's own of that name.
        unparsed: Column that keeps values which do not fit their type.
    """

    def __init__(
        self,
        columns: Mapping[str, tuple[str, Convert] | None],
        loose: set[str],
        constants: Mapping[str, object],
        added: Sequence[str],
        unparsed: str,
    ) -> None:
        """Compile the structs.

        Raises:
            ValueError: If no struct can have these keys, such as one with a quote.
        """
        self.keys = frozenset(columns)
        tail = {**constants, **dict.fromkeys(added, UNSET)}
        own = {key: col for key, col in columns.items() if not col or col[0] not in tail}
        fields = {key: f"f{number}" for number, key in enumerate(own)}
        places = {name: f"added{number}" for number, name in enumerate(tail)}
        self._unparsed = fields.get(unparsed, "unparsed")
        checked = {
            key: _CHECKED[col[1]]
            for key, col in own.items()
            if col and col[1] in _CHECKED and key not in loose
        }
        types: list[tuple[str, t.Any, t.Any]] = [
            (field, checked.get(key, Raw), UNSET) for key, field in fields.items()
        ]
        # Rows may send what the tap adds only where a conversion is known for it.
        types += [
            (place, Raw, UNSET) if name in columns else (place, UnsetType, tail[name])
            for name, place in places.items()
        ]
        sent = {field: key for key, field in fields.items()} | {p: n for n, p in places.items()}
        if unparsed not in fields:
            types.append((self._unparsed, UnsetType, UNSET))
            sent[self._unparsed] = unparsed
        types.sort(key=lambda field: field[0] == self._unparsed)  # comes last
        self._row = msgspec.defstruct(
            "Row", types, rename=sent, forbid_unknown_fields=True, gc=False
        )
        self._decode = rows_decoder(self._row)
        self._record = None
        names = {fields[key]: col[0] for key, col in own.items() if col}
        if not names.items() <= sent.items():
            untyped = [(field, object, UNSET) for field, *_ in types]
            self._record = msgspec.defstruct("Record", untyped, rename=sent | names, gc=False)
        self._columns = [
            _Column(fields.get(key) or places[key], *col)
            for key, col in columns.items()
            if col and key not in checked and (key in fields or key in places)
        ]
        self._added = [places[name] for name in added]
        same = {name: value for name, value in constants.items() if name in columns}
        left_out = (fields[key] for key, col in own.items() if col is None)
        self._fixed = [
            *((places[name], value) for name, value in same.items()),
            *((field, UNSET) for field in left_out),
        ]

    def of_page(self, page: Page, places: Sequence[int]) -> Rows:
        """Decode some rows of a page; msgspec's errors tell that not all of them fit."""
        if 4 * len(places) < len(page.rows):
            return self.of_rows([page.raw_rows[place] for place in places])
        rows = self._decode(page.body)
        return rows if len(places) == len(rows) else [rows[place] for place in places]

    def of_rows(self, rows: Iterable[bytes]) -> Rows:
        """Decode single rows; msgspec's errors tell that not all of them fit."""
        return [msgspec.json.decode(row, type=self._row) for row in rows]

    def finish(
        self, rows: Rows, added: Iterable[Sequence[object]]
    ) -> Mapping[int, dict[str, object]]:
        """Convert what is not right as it was sent, and add the tap's own values.

        Args:
            rows: Decoded rows, which are changed.
            added: Values of each added column.

        Returns:
            Values that do not fit, by their row's place and their column.
        """
        unparsed: defaultdict[int, dict[str, object]] = defaultdict(dict)
        for column in self._columns:
            for place, value in column.convert(rows):
                unparsed[place][column.name] = value
        for field, value in self._fixed:
            _set(rows, field, repeat(value))
        for field, values in zip(self._added, added, strict=True):
            _set(rows, field, values)
        return unparsed

    def keep(self, rows: Rows, unparsed: Mapping[int, dict[str, object]]) -> None:
        """Let rows keep the values that do not fit."""
        for place, values in unparsed.items():
            setattr(rows[place], self._unparsed, values)

    def lines(self, rows: Rows) -> bytes:
        """Text of the records, one a line."""
        if self._record is None:
            return encode_lines(rows)
        records: t.Any = list[self._record]  # type: ignore[name-defined]  # made above
        return encode_lines(msgspec.convert(rows, records, from_attributes=True))


def _set(rows: Rows, field: str, values: Iterable[object]) -> None:
    deque(map(setattr, rows, repeat(field), values), maxlen=0)


class _Column:
    """One attribute that holds JSON text, and the conversion of what is not right in it."""

    def __init__(self, field: str, name: str, convert: Convert) -> None:
        rule = convert.func if isinstance(convert, partial) else convert
        right = _CANONICAL.get(rule, _NOTHING)
        self.name = name
        self._field = field
        self._values = attrgetter(field)
        self._convert = convert
        self._noncanonical = re.compile(rb"\n(?!(?:|null|%b)(?:\n|\Z))([^\n]*)" % right).finditer
        # Most typed fields hold few different values.
        self._memo: dict[bytes, tuple[object, object]] = {}

    def convert(self, rows: Rows) -> Iterator[tuple[int, object]]:
        """Convert the values of a column; yield those that do not fit, with their places."""
        for place, text in self._noncanonical_values([*map(self._values, rows)]):
            value, unparsed = self._memo.get(text) or self._converted(text)
            setattr(rows[place], self._field, value)
            if unparsed is not None:
                yield place, unparsed

    def _noncanonical_values(self, sent: Sequence[object]) -> Iterator[tuple[int, bytes]]:
        values: t.Any = sent
        try:
            text = _END.join([b"", *values])
        except TypeError:  # a key is missing
            text = _END.join([b"", *(b"" if value is UNSET else value for value in values)])
        if text.count(_END) > len(sent):  # white space in a nested value
            yield from ((n, bytes(value)) for n, value in enumerate(values) if value is not UNSET)
            return
        place = at = 0
        for found in self._noncanonical(text):
            place += text.count(_END, at, found.start())
            at = found.start()
            yield place, found[1]

    def _converted(self, text: bytes) -> tuple[object, object]:
        """What stands in the column for a text, and its value if that does not fit."""
        sent = _decode(text)
        try:
            found = (None if sent is None else self._convert(sent), None)
        except (ValueError, ArithmeticError):
            found = (None, sent)
        if len(self._memo) < _MEMORY:
            self._memo[text] = found
        return found
