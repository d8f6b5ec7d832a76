"""JSON Schema of columns: fixed fields, keys, and what does not fit."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

UNPARSED_SCHEMA: Mapping[str, t.Any] = {
    "type": ["object", "null"],
    "title": "Unparsed values",
    "description": "Values that do not fit their column's type, as Cube sent them.",
}


def properties_of(fields: Mapping[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """JSON Schema of fixed fields, each nullable."""
    return {name: _nullable(type_.to_dict()) for name, type_ in fields.items()}


def _nullable(schema: Mapping[str, t.Any]) -> dict[str, t.Any]:
    types = schema["type"]
    return {**schema, "type": [*(types if isinstance(types, list) else [types]), "null"]}


def keyed(properties: Mapping[str, dict[str, t.Any]], keys: Iterable[str]) -> dict[str, t.Any]:
    """The same properties, those of the key never null."""
    return {
        name: {**schema, "type": [kind for kind in schema["type"] if kind != "null"]}
        if name in set(keys)
        else schema
        for name, schema in properties.items()
    }


def with_property(
    schema: Mapping[str, t.Any], name: str, added: Mapping[str, t.Any]
) -> dict[str, t.Any]:
    """A stream's schema with one property more."""
    return {**schema, "properties": {**schema["properties"], name: dict(added)}}
