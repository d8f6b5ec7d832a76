"""Decoders for one column of each type, and what makes a record right."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from jsonschema import Draft202012Validator

from tap_cube.account.custom_fields import SCHEMAS
from tap_cube.records.codec import decode_row
from tap_cube.records.decoder import UNPARSED, RecordDecoder
from tests.support.record_check import FORMATS

if TYPE_CHECKING:
    from collections.abc import Mapping

OSLO = ZoneInfo("Europe/Oslo")

COLUMNS: dict[str, dict[str, Any]] = {
    **{kind: dict(schema) for kind, schema in SCHEMAS.items()},
    "object": {"type": ["object", "null"]},
    "array": {"type": ["array", "null"]},
    UNPARSED: {"type": ["string", "null"]},
}

VALIDATOR = Draft202012Validator(
    {"type": "object", "properties": COLUMNS, "additionalProperties": False},
    format_checker=FORMATS,
)


def decoder(zone: ZoneInfo = OSLO) -> RecordDecoder:
    """A decoder for rows whose keys are the names of types."""
    return RecordDecoder(zone, lambda key: (key, COLUMNS[key]))


def decode(kind: str, text: str, zone: ZoneInfo = OSLO) -> Mapping[str, Any]:
    """The record of one row with one value, given as JSON text, in a column of a type."""
    record = decoder(zone).decode(decode_row(f"{{{json.dumps(kind)}: {text}}}".encode()))
    VALIDATOR.validate(record)
    return unpacked(record)


def unpacked(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with the values that do not fit as an object, or without any."""
    unparsed = record[UNPARSED]
    others = {name: value for name, value in record.items() if name != UNPARSED}
    return others if unparsed is None else {**others, UNPARSED: decode_row(unparsed.encode())}
