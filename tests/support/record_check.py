"""Whether a record fits the schema of its stream."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator, FormatChecker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

FORMATS = FormatChecker(formats=())
"""Only the formats that this module defines, strictly."""

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_ANNOTATIONS = {"type", "format", "title", "description"}
_CLASSES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}


@FORMATS.checks("date", raises=ValueError)
def is_date(value: object) -> bool:
    """Whether a text is a date such as 2024-05-17."""
    return not isinstance(value, str) or date.fromisoformat(value).isoformat() == value


@FORMATS.checks("date-time", raises=ValueError)
def is_moment(value: object) -> bool:
    """Whether a text is a time of RFC 3339."""
    if not isinstance(value, str):
        return True
    return _RFC_3339.fullmatch(value) is not None and bool(datetime.fromisoformat(value))


_IS_OF_FORMAT: Mapping[str | None, Callable[[object], bool]] = {
    None: lambda _: True,
    "date": is_date,
    "date-time": is_moment,
}


class RecordCheck:
    """Finds what does not fit in records of one stream.

    JSON Schema is slow, and most of a test's time would go there. So a record whose values are
    plainly of their types is not validated.

    Args:
        schema: The stream's schema.
        required: Columns that every record must have.
    """

    def __init__(self, schema: Mapping[str, Any], required: Iterable[str]) -> None:
        """Prepare both ways."""
        self._required = frozenset(required)
        self._validator = Draft202012Validator(
            {**schema, "additionalProperties": False, "required": sorted(self._required)},
            format_checker=FORMATS,
        )
        self._plain = {
            name: (_classes(definition), _IS_OF_FORMAT[definition.get("format")])
            for name, definition in schema["properties"].items()
            if definition.keys() <= _ANNOTATIONS and definition.get("format") in _IS_OF_FORMAT
        }

    def faults(self, record: Mapping[str, Any]) -> list[str]:
        """What does not fit, and where."""
        if self._is_plain(record):
            return []
        return [
            f"{'/'.join(map(str, error.absolute_path))} {error.message}"
            for error in self._validator.iter_errors(record)
        ]

    def _is_plain(self, record: Mapping[str, Any]) -> bool:
        try:
            fitting = [
                type(value) in self._plain[name][0] and self._plain[name][1](value)
                for name, value in record.items()
            ]
        except (KeyError, ValueError):
            return False
        return all(fitting) and self._required <= record.keys()


def _classes(definition: Mapping[str, Any]) -> frozenset[type]:
    types = definition.get("type", ())
    names = [types] if isinstance(types, str) else types
    return frozenset(each for name in names for each in _CLASSES.get(name, ()))
