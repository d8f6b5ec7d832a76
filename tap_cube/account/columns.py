"""The columns of a stream: their names, their JSON Schema, and the keys that belong to each."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from hashlib import blake2b
from types import MappingProxyType

from tap_cube.account.custom_fields import SCHEMAS, property_schema, widest
from tap_cube.records.decoder import UNPARSED

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_cube.account.custom_fields import CustomField
    from tap_cube.account.generations import JSONType

LONGEST = 63
"""Bytes of a column's name in PostgreSQL."""


class CustomColumns:
    """The columns of custom fields in one stream.

    Args:
        fields: Definitions of all sources that the stream reads.
        names: Readable names by source and id, where the user wants such.
        by_label: Whether records have labels for keys, as the plain ones do.
    """

    def __init__(
        self,
        fields: Iterable[CustomField],
        names: Mapping[tuple[str, int], str],
        *,
        by_label: bool = False,
    ) -> None:
        """Sort the fields by column."""
        self._names: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._together: defaultdict[str, list[CustomField]] = defaultdict(list)
        for field in fields:
            key = field.label if by_label else field.key
            column = names.get((field.source, field.id), key)
            self._names[key][field.source] = column
            if column:
                self._together[column].append(field)

    @property
    def keys(self) -> set[str]:
        """Keys that the definitions name."""
        return set(self._names)

    @property
    def properties(self) -> dict[str, dict[str, t.Any]]:
        """JSON Schema of each column."""
        return {name: property_schema(fields) for name, fields in self._together.items()}

    @property
    def contradictions(self) -> Iterator[tuple[str, str, list[str]]]:
        """Columns whose fields disagree about the type, the type taken, and all of theirs."""
        for name, fields in self._together.items():
            kinds = {field.kind for field in fields}
            if len(kinds) > 1:
                yield name, widest(kinds), sorted(kinds)

    def name_of(self, key: str, sources: Sequence[str]) -> str:
        """Column of a key in rows that these sources describe.

        Rows that tell no source have a readable column only where all sources agree about it.
        """
        names = self._names.get(key, {})
        if sources:
            return next((names[source] for source in sources if source in names), key)
        agreed = set(names.values())
        return agreed.pop() if len(agreed) == 1 else key


UNPARSED_SCHEMA: Mapping[str, t.Any] = {
    "type": ["object", "null"],
    "title": "Unparsed values",
    "description": "Values that do not fit their column's type, as Cube sent them.",
}


class StreamColumns:
    """The columns of one stream, and the column of each key that Cube sends.

    Args:
        fields: Fixed fields, those of the tap among them, in the order of the columns.
        custom: Columns of custom fields; None where rows have none, and nothing else either.
        keys: Keys of the rows that discovery saw.
        rare: Fields that are not text and that only some accounts send.

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
        """Lay out the columns."""
        self._custom = custom or CustomColumns((), {})
        self._others = {**nullable_properties(rare), UNPARSED: dict(UNPARSED_SCHEMA)}
        known = nullable_properties(fields)
        if custom:
            # A label may be called like a fixed field (T49), whose type then holds.
            known = {**known, **custom.properties, **known, UNPARSED: self._others[UNPARSED]}
            declared = known.keys() | custom.keys
            known |= {key: self._schema_of(key) for key in keys if key not in declared}
        self.properties = {column_name(key): with_title(key, known[key]) for key in known}

    def column_of(self, key: str, sources: Sequence[str]) -> tuple[str, Mapping[str, t.Any]]:
        """Name and JSON Schema of the column of a key, in rows that these sources describe."""
        name = self._custom.name_of(key, sources)
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
    """The same properties, those of the primary key never null."""
    required = set(keys)
    return {
        name: {**schema, "type": [kind for kind in schema["type"] if kind != "null"]}
        if name in required
        else schema
        for name, schema in properties.items()
    }


def column_name(key: str) -> str:
    """Name of the column for a key, such as a table in PostgreSQL can have.

    `target-postgres` takes no `%` and no longer name in a column that comes later (T48).
    """
    name = key.replace("%", "percent").encode()
    if len(name) <= LONGEST:
        return name.decode()
    digest = blake2b(name, digest_size=4).hexdigest()
    return f"{name[: LONGEST - len(digest) - 1].decode(errors='ignore')}_{digest}"


def with_title(key: str, schema: Mapping[str, t.Any]) -> Mapping[str, t.Any]:
    """The schema of a key's column, titled with the key where the column's name differs."""
    return schema if column_name(key) == key else {"title": key, **schema}
