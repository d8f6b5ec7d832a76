"""Columns whose JSON text is copied. Only values that are not canonical are converted."""

from __future__ import annotations

import re
import typing as t
from collections import deque
from functools import partial
from itertools import repeat
from operator import attrgetter

from msgspec import UNSET, Raw

from tap_cube.records.codec import decode_value
from tap_cube.records.moments import as_day, as_moment, common_times_in_utc
from tap_cube.records.values import as_boolean, as_integer, as_number, as_text

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import msgspec

    from tap_cube.records.values import Convert

    Rows: t.TypeAlias = "list[msgspec.Struct]"

_DAY = (
    rb"(?!0000)[0-9]{4}-(?:(?:0[13-9]|1[0-2])-(?:0[1-9]|[12][0-9]|30)"
    rb"|(?:0[13578]|1[02])-31|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_CLOCK = rb"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_CANONICAL: Mapping[Callable[..., t.Any], bytes] = {
    as_text: rb'"[ !#-\[\]-~]*"',
    as_integer: rb"0|-?[1-9][0-9]{0,17}",
    as_boolean: rb"true|false",
    as_number: rb"-?[1-9][0-9]{0,17}+(?:\.[0-9]{1,12}+(?<!0))?+"
    rb"|0|-?0\.(?:[1-9][0-9]{0,5}|0[1-9])",
    as_day: b'"%b"' % _DAY,
    as_moment: rb'"%bT%b:[0-5][0-9](?:\.(?!000000)[0-9]{6})?\+00:00"' % (_DAY, _CLOCK),
}
"""JSON text that a conversion is sure to leave unchanged. Other text may also be unchanged."""

_NEVER_MATCHES = b"(?!)"
_MEMO_SIZE, _MEMO_TEXT = 4096, 64  # texts, and bytes of each: less than 2 MB a column
_SEPARATOR = b"\n"
"""Stands before each text: JSON has line breaks only as white space between tokens."""

_EMPTY, _NULL = b'\n""', b"\nnull"
_MANY_EMPTY = 1 / 8
"""Share of a page's values from which on it takes less time to replace all empty texts at once."""


def set_field(rows: Rows, field: str, values: Iterable[object]) -> None:
    """Set a field of each row, in a loop in C."""
    deque(map(setattr, rows, repeat(field), values), maxlen=0)


class RawColumn:
    """One `Raw` field, and the conversion of its values that are not canonical."""

    def __init__(self, field: str, name: str, convert: Convert) -> None:
        rule = convert.func if isinstance(convert, partial) else convert
        canonical = _CANONICAL.get(rule, _NEVER_MATCHES)
        self.name = name
        self._field = field
        self._values = attrgetter(field)
        self._convert = convert
        pattern = rb"\n(?!(?:%b|null|)(?![^\n]))([^\n]*)" % canonical
        self._noncanonical = re.compile(pattern).finditer
        zone = convert.keywords.get("zone") if isinstance(convert, partial) else None
        self._at_once = common_times_in_utc(zone) if zone else None
        self._is_text = rule is as_text
        # Most columns hold few different values.
        self._memo: dict[bytes, tuple[object, object]] = {}

    def convert(self, rows: Rows) -> Iterator[tuple[int, object]]:
        """Convert the values in place; yield index and value where one does not fit."""
        values: t.Any = [*map(self._values, rows)]
        try:
            text = _SEPARATOR.join([b"", *values])
        except TypeError:  # a row lacks the key
            text = _SEPARATOR.join([b"", *(b"" if value is UNSET else value for value in values)])
        if text.count(_SEPARATOR) > len(rows):  # a nested value has white space
            sent = enumerate(values)
            places = iter([(n, bytes(value)) for n, value in sent if value is not UNSET])
        else:
            places = self._converted_at_once(rows, text)
        for index, own in places:
            value, unparsed = self._memo.get(own) or self._converted(own)
            setattr(rows[index], self._field, value)
            if unparsed is not None:
                yield index, unparsed

    def _converted_at_once(self, rows: Rows, text: bytes) -> Iterator[tuple[int, bytes]]:
        """Convert the times and the empty texts of a column; yield the rest like below."""
        if not self._is_text and text.count(_EMPTY) > _MANY_EMPTY * len(rows):
            # Each is null (T33), and anonymised rows have hardly anything else (T40).
            text = text.replace(_EMPTY, _NULL)
            self._set(rows, text.split(_SEPARATOR)[1:])
        if self._at_once:
            parts, are_canonical = self._at_once(text, len(rows))
            self._set(rows, parts)
            if are_canonical:
                return iter(())
            text = _SEPARATOR.join([b"", *parts])
        return self._noncanonical_values(text)

    def _set(self, rows: Rows, texts: Sequence[bytes]) -> None:
        has_all = b"" not in texts
        raws = map(Raw, texts) if has_all else (Raw(text) if text else UNSET for text in texts)
        set_field(rows, self._field, raws)

    def _noncanonical_values(self, text: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield index and JSON text of each value that is not canonical, given all of them."""
        # The separators before a match are counted from the match before.
        index = start = 0
        for match in self._noncanonical(text):
            index += text.count(_SEPARATOR, start, match.start())
            start = match.start()
            yield index, match[1]

    def _converted(self, text: bytes) -> tuple[object, object]:
        """The value of the column for a JSON text, and the value sent if it does not fit."""
        sent = decode_value(text)
        try:
            result = (None if sent is None else self._convert(sent), None)
        except (ValueError, ArithmeticError):
            result = (None, sent)
        if len(text) <= _MEMO_TEXT and len(self._memo) < _MEMO_SIZE:
            self._memo[text] = result
        return result
