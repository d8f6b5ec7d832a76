"""Rows to the text of records in C, compiled for the keys and types that rows were seen to have."""

from __future__ import annotations

import re
import typing as t
from operator import attrgetter

import msgspec
from msgspec import UNSET, Raw, UnsetType

from tap_cube.rows import exact
from tap_cube.values import Moments, as_boolean, as_day, as_integer, as_number, as_text
from tap_cube.writer import encode

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_cube.values import Convert

STRICT: Mapping[Convert, t.Any] = {
    as_text: str | None,
    as_integer: int | None,
    as_boolean: bool | None,
}
"""What the JSON decoder itself can check, by conversion: such values need no other one."""

_BOUND = msgspec.Meta(ge=-(2**63), le=2**63 - 1)
_CHECKED: Mapping[Convert, t.Any] = {
    as_text: str | None | UnsetType,
    as_integer: t.Annotated[int, _BOUND] | None | UnsetType,
    as_boolean: bool | None | UnsetType,
}

_DAY = (
    rb"(?!0000)[0-9]{4}-(?:(?:0[13-9]|1[0-2])-(?:0[1-9]|[12][0-9]|30)"
    rb"|(?:0[13578]|1[02])-31|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_CLOCK = rb"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_RIGHT: Mapping[Convert, bytes] = {
    as_text: rb'"[ !#-\[\]-~]*"',
    as_integer: rb"0|-?[1-9][0-9]{0,17}",
    as_boolean: rb"true|false",
    as_number: rb"0|-?[1-9][0-9]{0,17}(?:\.[0-9]{0,9}[1-9][0-9]{0,2})?"
    rb"|-?0\.(?:[1-9][0-9]{0,5}|0[1-9])",
    as_day: b'"%b"' % _DAY,
}
_RIGHT_MOMENT = rb'"%bT%b:[0-5][0-9]\+%b"' % (_DAY, _CLOCK, _CLOCK)
"""JSON text that each conversion would leave as it is written, as far as that is easily seen."""

_NOTHING = b"(?!)"

_MEMORY = 4096
_END = b"\n"
"""Stands between values: nothing in JSON text but white space between tokens holds it."""

_decode = msgspec.json.Decoder(float_hook=exact).decode


def _right(convert: Convert) -> bytes:
    return _RIGHT_MOMENT if isinstance(convert, Moments) else _RIGHT.get(convert, _NOTHING)


class _Memo(dict[bytes, t.Any]):
    """Remembers what values became, since most typed fields hold few different ones."""

    def __init__(self, convert: Convert) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, text: bytes) -> object:
        sent = _decode(text)
        value = None if sent is None else self._convert(sent)
        if len(self) < _MEMORY:
            self[text] = value
        return value


class FastWay:
    """One row of JSON text to the text of its record, by structs made for it.

    Columns hold what the decoder checks, or JSON text. One look tells which texts are not right as
    they are written, and only these are converted. What does not fit raises an error of msgspec,
    a ValueError or an ArithmeticError.

    Args:
        columns: Column and conversion of each key; None for one to leave out.
        loose: Keys whose values were seen not to have their column's JSON type.
        added: Columns that the tap adds; they take the place of Cube's own of that name.
    """

    def __init__(
        self,
        columns: Mapping[str, tuple[str, Convert] | None],
        loose: set[str],
        added: Sequence[str],
    ) -> None:
        """Compile the structs."""
        self.keys = frozenset(columns)
        own = {key: col for key, col in columns.items() if not col or col[0] not in added}
        fields = {key: f"f{number}" for number, key in enumerate(own)}
        self._added = [f"added{number}" for number, _ in enumerate(added)]
        tail = dict(zip(self._added, added, strict=True))
        places = {**dict(zip(added, self._added, strict=True)), **fields}
        strict = {
            key: _CHECKED[col[1]]
            for key, col in own.items()
            if col and col[1] in _CHECKED and key not in loose
        }
        types: list[tuple[str, t.Any, t.Any]] = [
            (field, strict.get(key, Raw), UNSET) for key, field in fields.items()
        ]
        # Rows may send what the tap adds only where a conversion is known for it.
        types += [(f, Raw if name in columns else UnsetType, UNSET) for f, name in tail.items()]
        sent = {field: key for key, field in fields.items()}
        row = msgspec.defstruct(
            "Row", types, rename={**sent, **tail}, forbid_unknown_fields=True, gc=False
        )
        self._decode = msgspec.json.Decoder(row).decode
        names = {fields[key]: col[0] for key, col in own.items() if col}
        self._record = None
        if not names.items() <= sent.items():
            untyped = [(field, object, UNSET) for field, *_ in types]
            self._record = msgspec.defstruct(
                "Record", untyped, rename={**sent, **names, **tail}, gc=False
            )
        converts = {
            places[key]: col[1]
            for key, col in columns.items()
            if col and key in places and key not in strict
        }
        self._memos = [(field, _Memo(convert)) for field, convert in converts.items()]
        # Two more, so that even for no field at all it gives a tuple.
        self._raws = attrgetter(*converts, "__class__", "__class__")
        right = (_right(convert) for convert in converts.values())
        self._odd = re.compile(_END.join(b"(?:|null|%b|(.+))" % text for text in right)).fullmatch
        self._left_out = [fields[key] for key, col in own.items() if col is None]

    def encode(self, row: bytes, added: Sequence[object]) -> bytes:
        """JSON text of a row's record, with the values of the added columns."""
        record = self._decode(row)
        sent = self._raws(record)[:-2]
        try:
            text = _END.join(sent)
        except TypeError:  # a key is missing
            text = _END.join(b"" if value is UNSET else value for value in sent)
        odd = self._odd(text)
        if odd is None:
            raise ValueError
        if odd.lastindex:
            for (field, memo), value in zip(self._memos, odd.groups(), strict=True):
                if value:
                    setattr(record, field, memo[value])
        for field in self._left_out:
            setattr(record, field, UNSET)
        for field, value in zip(self._added, added, strict=True):
            setattr(record, field, value)
        if self._record is not None:
            record = msgspec.convert(record, self._record, from_attributes=True)
        return encode(record)
