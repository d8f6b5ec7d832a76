"""The columns of a stream: their names, their JSON Schema, and the keys that map to them."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from types import MappingProxyType

from tap_cube.account.custom_fields import SCHEMAS, property_schema, widest
from tap_cube.account.descriptions import DESCRIPTIONS, description_of
from tap_cube.account.names import ColumnNames, plain_name
from tap_cube.records.decoder import MAX_COLUMNS, MAX_KEY_LENGTH, UNPARSED

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_cube.account.custom_fields import CustomField
    from tap_cube.account.generations import JSONType


class CustomColumns:
    """The columns of custom fields in one stream.

    Args:
        fields: Custom fields of all partitions of the stream.
        names: Readable column names by partition and id; empty unless the user wants them.
        by_label: Whether the keys of records are labels, as in the plain payload.

    Attributes:
        by_key: The fields of each column that has the name of their key, by this key.
        by_name: The fields of each column that has a readable name, by this name.
    """

    def __init__(
        self,
        fields: Iterable[CustomField],
        names: Mapping[tuple[str, int], str],
        *,
        by_label: bool = False,
    ) -> None:
        self.by_key: defaultdict[str, list[CustomField]] = defaultdict(list)
        self.by_name: defaultdict[str, list[CustomField]] = defaultdict(list)
        self._keys: set[str] = set()
        self._names: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._readable: dict[tuple[str, ...], Mapping[str, str]] = {}
        self._by_label = by_label
        for field in fields:
            key = self.key_of(field)
            self._keys.add(key)
            if name := names.get((field.partition, field.id)):
                self._names[key][field.partition] = name
                self.by_name[name].append(field)
            elif key:
                self.by_key[key].append(field)

    def key_of(self, field: CustomField) -> str:
        """Key of a field's values in records."""
        return field.label if self._by_label else field.key

    @property
    def keys(self) -> set[str]:
        """Keys of all custom fields in records."""
        return self._keys

    @property
    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Columns whose fields have different types: name, and the type chosen."""
        for name, fields in (*self.by_key.items(), *self.by_name.items()):
            kinds = {field.kind for field in fields}
            if len(kinds) > 1:
                yield name, widest(kinds)

    def readable(self, partitions: Sequence[str]) -> Mapping[str, str]:
        """Readable name of each key's column in a row; a key without one is not in it.

        Args:
            partitions: Names of the partitions that define the row's custom fields. If they are
                unknown, a key has a readable name only where all partitions agree on it.
        """
        names = tuple(partitions)
        if (found := self._readable.get(names)) is None:
            found = self._readable[names] = self._readable_in(names)
        return found

    def _readable_in(self, partitions: Sequence[str]) -> Mapping[str, str]:
        """Find the names; of several keys with the same name, the first one has it.

        The others are custom fields of another partition, and keep their keys.
        """
        wanted = []
        for key, names in self._names.items():
            if partitions:
                ranks = ((rank, names.get(name)) for rank, name in enumerate(partitions))
                wanted += [(rank, key, name) for rank, name in ranks if name][:1]
            elif len(distinct := set(names.values())) == 1:
                wanted.append((0, key, distinct.pop()))
        found: dict[str, str] = {}
        for _, key, name in sorted(wanted):
            found.setdefault(name, key)
        return {key: name for name, key in found.items()}


UNPARSED_SCHEMA: Mapping[str, t.Any] = {
    "type": ["string", "null"],
    "title": "Unparsed values",
    "description": DESCRIPTIONS[UNPARSED],
}


class StreamColumns:
    """The columns of one stream, and the column of each key that Cube sends.

    Args:
        stream: Name of the stream.
        own: Columns that the tap adds, and their types. They replace Cube's fields of their names.
        fields: Fixed fields of the rows, in the order of the columns.
        names: The names of the stream's columns; of its fields alone if there are no others.
        custom: Columns of custom fields; None if the rows have fixed fields only.
        keys: Keys of the rows that discovery read.
        rare: Types of fields that only some accounts send and that are not text.

    Attributes:
        properties: JSON Schema of each column that is known before the first row.
        fixed: Names of the columns that every account has.
        names: The names of the columns of keys.
    """

    def __init__(  # noqa: PLR0913 - what is known of a stream comes from many places
        self,
        stream: str,
        own: Mapping[str, JSONType],
        fields: Mapping[str, JSONType],
        names: ColumnNames | None = None,
        custom: CustomColumns | None = None,
        *,
        keys: Iterable[str] = (),
        rare: Mapping[str, JSONType] = MappingProxyType({}),
    ) -> None:
        self.names = names or ColumnNames()
        self._custom = custom or CustomColumns((), {})
        self._rare = nullable_properties(stream, rare)
        known = nullable_properties(stream, {**own, **fields, **own})
        known |= {UNPARSED: dict(UNPARSED_SCHEMA)}
        readable, labelled = self._custom.by_name, self._custom.by_key
        self._readable = {name: plain_name(name) for name in readable}
        # A label may be the key of a fixed field (T49), whose type then applies.
        defined = {key: labelled[key] for key in labelled if key not in fields}
        taken = fields.keys() | self._custom.keys
        new = [key for key in keys if key not in taken and len(key) <= MAX_KEY_LENGTH]
        room = MAX_COLUMNS - len(known) - len(readable) - len(defined)
        self.fixed = frozenset(known)
        self._reserved = {*known, *self._readable.values()}
        self._documented, self._defined = [*fields], [*defined]
        self._new = new[: max(0, room if custom else 0)]
        self._name(self.names)
        self.properties = {
            **known,
            **{self._readable[name]: property_schema(of) for name, of in readable.items()},
            **dict(self._titled(key, property_schema(of)) for key, of in defined.items()),
            **dict(self._titled(key, self._schema_of(key)) for key in self._new),
        }

    def _name(self, names: ColumnNames) -> None:
        """Name what is known; what earlier runs have named comes before what they have not."""
        names.reserve(self._reserved, self._documented)
        names.recall()
        names.add(self._defined)
        names.add(self._new)

    def column_of(self, key: str, partitions: Sequence[str]) -> tuple[str, Mapping[str, t.Any]]:
        """Name and JSON Schema of the column of a key in a row.

        Args:
            key: The key.
            partitions: Names of the partitions that define the row's custom fields.
        """
        if readable := self._custom.readable(partitions).get(key):
            return self._readable[readable], dict(SCHEMAS["string"])
        return self._titled(key, self._schema_of(key))

    def column_of_field(self, field: CustomField) -> str | None:
        """Name of the column that holds the values of a custom field; None if it has no key."""
        key = self._custom.key_of(field)
        return self.column_of(key, (field.partition,))[0] if key else None

    @property
    def renamed(self) -> Mapping[str, str]:
        """The present names of columns that a catalog may have under others.

        A catalog is usually made without a state, so without what earlier runs remember. One of
        an earlier version has the keys themselves.
        """
        anew = self.names.anew()
        self._name(anew)
        keys = [*self._defined, *self._new]
        present = {key: self.names.of(key) for key in keys}
        old = {anew.of(key): name for key, name in present.items()}
        old |= {key: name for key, name in present.items() if key not in old}
        return {name: old[name] for name in old if name not in self._reserved}

    def _titled(self, key: str, schema: Mapping[str, t.Any]) -> tuple[str, Mapping[str, t.Any]]:
        """Name and schema of a key's column, with the key as its title if the name differs."""
        name = self.names.of(key)
        return name, schema if name == key else {"title": key, **schema}

    def _schema_of(self, key: str) -> Mapping[str, t.Any]:
        return self._rare.get(key) or dict(SCHEMAS["string"])


def nullable_properties(
    stream: str, fields: Mapping[str, JSONType]
) -> dict[str, Mapping[str, t.Any]]:
    """JSON Schema of a stream's fixed fields, each nullable and with its description."""
    return {
        name: {**_nullable(type_.to_dict()), **_described(stream, name)}
        for name, type_ in fields.items()
    }


def _nullable(schema: Mapping[str, t.Any]) -> dict[str, t.Any]:
    types = schema["type"]
    return {**schema, "type": [*(types if isinstance(types, list) else [types]), "null"]}


def _described(stream: str, name: str) -> dict[str, str]:
    description = description_of(stream, name)
    return {"description": description} if description else {}


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
