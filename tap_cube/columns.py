"""Which column the value of a custom field stands in, and which values share one."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from hashlib import blake2b

from tap_cube.custom_fields import property_schema, widest

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_cube.custom_fields import CustomField

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


def loadable(key: str) -> str:
    """Name of the column for a key, such as a table in PostgreSQL can have.

    `target-postgres` takes no `%` and no longer name in a column that comes later (T48).
    """
    name = key.replace("%", "percent").encode()
    if len(name) <= LONGEST:
        return name.decode()
    digest = blake2b(name, digest_size=4).hexdigest()
    return f"{name[: LONGEST - len(digest) - 1].decode(errors='ignore')}_{digest}"


def titled(key: str, schema: Mapping[str, t.Any]) -> Mapping[str, t.Any]:
    """The schema of a key's column, titled with the key where the column's name differs."""
    return schema if loadable(key) == key else {"title": key, **schema}


def all_loadable(properties: Mapping[str, Mapping[str, t.Any]]) -> dict[str, t.Any]:
    """The same properties under names that tables can have."""
    return {loadable(name): titled(name, schema) for name, schema in properties.items()}
