"""The columns of a stream: their names, their JSON Schema, and the keys that map to them."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from hashlib import blake2b
from types import MappingProxyType

from tap_cube.account.custom_fields import SCHEMAS, property_schema, widest
from tap_cube.records.decoder import MAX_COLUMNS, MAX_KEY_LENGTH, UNPARSED

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_cube.account.custom_fields import CustomField
    from tap_cube.account.generations import JSONType

MAX_NAME_BYTES = 63
"""Longest column name in PostgreSQL."""


class CustomColumns:
    """The columns of custom fields in one stream.

    Args:
        fields: Custom fields of all partitions of the stream.
        names: Readable column names by partition and id; empty unless the user wants them.
        by_label: Whether the keys of records are labels, as in the plain payload.
    """

    def __init__(
        self,
        fields: Iterable[CustomField],
        names: Mapping[tuple[str, int], str],
        *,
        by_label: bool = False,
    ) -> None:
        self._names: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._by_column: defaultdict[str, list[CustomField]] = defaultdict(list)
        for field in fields:
            key = field.label if by_label else field.key
            column = names.get((field.partition, field.id), key)
            self._names[key][field.partition] = column
            if column:
                self._by_column[column].append(field)

    @property
    def keys(self) -> set[str]:
        """Keys of all custom fields in records."""
        return set(self._names)

    @property
    def properties(self) -> dict[str, dict[str, t.Any]]:
        """JSON Schema of each column."""
        return {name: property_schema(fields) for name, fields in self._by_column.items()}

    @property
    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Columns whose fields have different types: name, and the type chosen."""
        for name, fields in self._by_column.items():
            kinds = {field.kind for field in fields}
            if len(kinds) > 1:
                yield name, widest(kinds)

    def name_of(self, key: str, partitions: Sequence[str]) -> str:
        """Column of a key in a row.

        Args:
            key: The key.
            partitions: Names of the partitions that define the row's custom fields. If they are
                unknown, the column has a readable name only where all partitions agree on it.
        """
        names = self._names.get(key, {})
        if partitions:
            return next((names[name] for name in partitions if name in names), key)
        distinct = set(names.values())
        return distinct.pop() if len(distinct) == 1 else key


UNPARSED_SCHEMA: Mapping[str, t.Any] = {
    "type": ["string", "null"],
    "title": "Unparsed values",
    "description": "JSON object of the values that do not fit their column's type, by column.",
}


class StreamColumns:
    """The columns of one stream, and the column of each key that Cube sends.

    Args:
        fields: Fixed fields in the order of the columns, including those that the tap adds.
        custom: Columns of custom fields; None if the rows have fixed fields only.
        keys: Keys of the rows that discovery read.
        rare: Types of fields that only some accounts send and that are not text.

    Attributes:
        properties: JSON Schema of each column that is known before the first row.
    """

    def __init__(
        self,
        fields: Mapping[str, JSONType],
        custom: CustomColumns | None = None,
        keys: Iterable[str] = (),
        rare: Mapping[str, JSONType] = MappingProxyType({}),
    ) -> None:
        self._custom = custom or CustomColumns((), {})
        self._others = {**nullable_properties(rare), UNPARSED: dict(UNPARSED_SCHEMA)}
        known = {**nullable_properties(fields), UNPARSED: self._others[UNPARSED]}
        if custom:
            # A label may be the name of a fixed field (T49), whose type then applies.
            known = {**known, **custom.properties, **known}
            declared = known.keys() | custom.keys
            new = [key for key in keys if key not in declared and len(key) <= MAX_KEY_LENGTH]
            room = max(0, MAX_COLUMNS - len(known))
            known |= {key: self._schema_of(key) for key in new[:room]}
        self.properties = {column_name(key): with_title(key, known[key]) for key in known}

    def column_of(self, key: str, partitions: Sequence[str]) -> tuple[str, Mapping[str, t.Any]]:
        """Name and JSON Schema of the column of a key in a row.

        Args:
            key: The key.
            partitions: Names of the partitions that define the row's custom fields.
        """
        name = self._custom.name_of(key, partitions)
        return column_name(name), with_title(name, self._schema_of(name))

    def _schema_of(self, name: str) -> Mapping[str, t.Any]:
        return self._others.get(name) or dict(SCHEMAS["string"])


def nullable_properties(fields: Mapping[str, JSONType]) -> dict[str, Mapping[str, t.Any]]:
    """JSON Schema of fixed fields, each nullable."""
    return {name: _nullable(type_.to_dict()) for name, type_ in fields.items()}


def _nullable(schema: Mapping[str, t.Any]) -> dict[str, t.Any]:
    types = schema["type"]
    return {**schema, "type": [*(types if isinstance(types, list) else [types]), "null"]}


def with_required_keys(
    properties: Mapping[str, Mapping[str, t.Any]], keys: Iterable[str]
) -> dict[str, Mapping[str, t.Any]]:
    """The same properties, but those of the primary key not nullable."""
    required = set(keys)
    return {
        name: {**schema, "type": [kind for kind in schema["type"] if kind != "null"]}
        if name in required
        else schema
        for name, schema in properties.items()
    }


def column_name(key: str) -> str:
    """Name of the column for a key, valid in PostgreSQL.

    `target-postgres` cannot add a column whose name has a `%` or is too long (T48).
    """
    name = key.replace("%", "percent").encode()
    if len(name) <= MAX_NAME_BYTES:
        return name.decode()
    digest = blake2b(name, digest_size=4).hexdigest()
    return f"{name[: MAX_NAME_BYTES - len(digest) - 1].decode(errors='ignore')}_{digest}"


def with_title(key: str, schema: Mapping[str, t.Any]) -> Mapping[str, t.Any]:
    """The schema of a key's column, with the key as its title if the column's name differs."""
    return schema if column_name(key) == key else {"title": key, **schema}
