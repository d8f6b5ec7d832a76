"""Which columns of a stream are emitted: what the catalog selects, and what appears in a run."""

from __future__ import annotations

import json
import os
import re
import typing as t
from dataclasses import replace
from fnmatch import fnmatchcase

from singer_sdk.singerlib import SelectionMask
from typing_extensions import override

from tap_cube.logs import listed
from tap_cube.records.decoder import MAX_COLUMNS, MAX_KEY_LENGTH

if t.TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Iterator, Mapping

    from singer_sdk.mapper import StreamMap
    from singer_sdk.singerlib import Catalog, CatalogEntry

    from tap_cube.records.decoder import Column

_MELTANO_PATTERNS = "MELTANO_EXTRACT__SELECT"
"""Variable in which Meltano passes the patterns of `select` to the tap."""

_MELTANO_METADATA = "MELTANO_EXTRACT__METADATA"
"""Likewise for the extra `metadata`, which can deselect, too."""


class ColumnSelection:
    """The columns of one stream that are emitted.

    The catalog is a promise: a column that it does not list or select is not emitted. Only if it
    lists and selects everything that discovery found do keys that appear later become columns.
    Columns of the primary key and the replication key are automatic: they are always emitted.

    Args:
        found: JSON Schema of each column that discovery found.
        listed: JSON Schema of each column in the catalog; None if there is no catalog.
        keys: Columns of the primary key, which come first.
        automatic: Columns that are always emitted.
        has_exclusions: Whether keys may be deselected of which the catalog cannot know.

    Attributes:
        properties: JSON Schema of each column that the stream declares; it grows.
        left_out: Columns that rows have and that are neither listed nor deselected by name.
        has_partial_columns: Whether parts inside a column are deselected.
    """

    def __init__(
        self,
        found: Mapping[str, t.Any],
        listed: Mapping[str, t.Any] | None = None,
        *,
        keys: Collection[str] = (),
        automatic: Collection[str] = (),
        has_exclusions: bool = False,
    ) -> None:
        listed = found if listed is None else listed
        own = {name: found[name] for name in found if name in automatic and name not in listed}
        self.properties: dict[str, t.Any] = with_first(keys, {**own, **listed})
        self.left_out: dict[str, None] = {}
        self._lists_all = found.keys() <= listed.keys() and not has_exclusions
        self.is_whole = True
        self.has_partial_columns = False
        self._chosen = self._mask = SelectionMask()

    @classmethod
    def of_catalog(
        cls,
        entry: CatalogEntry,
        found: Mapping[str, t.Any],
        keys: Collection[str],
        automatic: Collection[str],
    ) -> t.Self:
        """The selection of a catalog that `checked_catalog` has completed."""
        listed = entry.schema.to_dict().get("properties", {})
        is_excluding = _has_exclusions(entry.tap_stream_id)
        return cls(found, listed, keys=keys, automatic=automatic, has_exclusions=is_excluding)

    def mask_of(self, chosen: SelectionMask) -> SelectionMask:
        """Mask of the columns; those that are not declared are not selected.

        Args:
            chosen: What the metadata selects.
        """
        if chosen is not self._chosen:
            self._chosen, self._mask = chosen, _ColumnMask(chosen, self.properties)
            self.is_whole = self._lists_all and all(chosen.values())
            self.has_partial_columns = any(
                len(breadcrumb) > 2 and not is_selected
                for breadcrumb, is_selected in chosen.items()
            )
        return self._mask

    def column(
        self, name: str, schema: Mapping[str, t.Any], mask: SelectionMask, *, can_add: bool
    ) -> Column:
        """Return a column and its schema; None if it is not emitted.

        Args:
            name: Name of the column.
            schema: JSON Schema of the column if it is not declared yet.
            mask: The mask of the columns.
            can_add: Whether it may then be added.
        """
        if name in self.properties:
            return (name, self.properties[name]) if mask["properties", name] else None
        if can_add and self.is_whole and len(self.properties) < MAX_COLUMNS:
            self.properties[name] = dict(schema)
            return name, self.properties[name]
        if ("properties", name) not in mask and len(self.left_out) < MAX_COLUMNS:
            self.left_out[name] = None
        return None

    @property
    def warning(self) -> str:
        """What was left out, and what to do about it; empty if nothing was."""
        if not self.left_out:
            return ""
        names = listed(sorted(self.left_out))
        if self.is_whole:
            return (
                f"keys stay out, since a stream has at most {MAX_COLUMNS} columns, whose keys have "
                f"at most {MAX_KEY_LENGTH} characters: {names}"
            )
        return (
            f"keys stay out, since the catalog does not list them: {names}. To load them, refresh "
            "the catalog (Meltano: 'use_cached_catalog: false') and select the whole stream, "
            "without exclusions"
        )


def with_first(names: Iterable[str], properties: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The same properties, but those with these names first, in the order of the names."""
    first = {name: properties[name] for name in names if name in properties}
    return {**first, **properties}


class DeclaredColumns:
    """The order of the columns in the SCHEMA messages of a stream.

    Columns of the primary key come first. A column that a later message adds comes last, also
    after stream maps: target-csv would shift the values of the rows before.
    """

    def __init__(self) -> None:
        self._number = 0
        self._names: dict[str, list[str]] = {}

    def grow(self, stream_maps: Iterable[StreamMap], number: int) -> Collection[str]:
        """Bring the columns into their order.

        Args:
            stream_maps: The stream maps, whose schemas are the next messages.
            number: Number of the columns before the maps.

        Returns:
            Where columns were added, by alias. A map may have removed the new ones.
        """
        if number == self._number:
            return ()
        self._number = number
        grown: set[str] = set()
        for each in stream_maps:
            schema, before = each.transformed_schema, self._names.get(each.stream_alias)
            first = [*(before or ()), *(each.transformed_key_properties or ())]
            properties = with_first(first, schema.get("properties", {}))
            each.transformed_schema = {**schema, "properties": properties}
            if before != [*properties]:
                self._names[each.stream_alias] = [*properties]
                grown.add(each.stream_alias)
        return grown


def with_names(
    catalog: Catalog, stream: str, names: Mapping[str, str], found: Mapping[str, t.Any]
) -> Catalog:
    """The same catalog, with the present names of a stream's columns.

    Args:
        catalog: The catalog.
        stream: Name of the stream.
        names: Present names, by those that the catalog may have; the more likely ones first.
        found: The columns that discovery found. A catalog that has them all stays as it is.
    """
    entry = catalog.get_stream(stream)
    listed = entry.schema.properties if entry else None
    if not entry or not listed or found.keys() <= listed.keys():
        return catalog
    # Of the names that a column may have, the more likely one replaces the others here.
    likely = {name: old for old, name in reversed([*names.items()]) if old in listed}
    new = {old: name for name, old in likely.items()}
    properties = {new.get(name, name): schema for name, schema in listed.items()}
    metadata = {
        (*breadcrumb[:1], new.get(breadcrumb[1], breadcrumb[1]), *breadcrumb[2:])
        if len(breadcrumb) > 1
        else breadcrumb: each
        for breadcrumb, each in entry.metadata.items()
    }
    renamed = replace(
        entry,
        schema=replace(entry.schema, properties=properties),
        metadata=type(entry.metadata)(metadata),
    )
    return type(catalog)({**catalog, stream: renamed})


class _ColumnMask(SelectionMask):
    """A mask in which columns that are not declared are not selected."""

    def __init__(self, chosen: SelectionMask, declared: Container[str]) -> None:
        known = {
            breadcrumb: is_selected
            for breadcrumb, is_selected in chosen.items()
            if len(breadcrumb) < 2 or not is_selected or breadcrumb[1] in declared
        }
        super().__init__(known)
        self._declared = declared

    @override
    def __missing__(self, breadcrumb: tuple[str, ...]) -> bool:
        if len(breadcrumb) == 2 and breadcrumb[1] not in self._declared:
            return False
        return super().__missing__(breadcrumb)


def _has_exclusions(stream: str) -> bool:
    """Whether Meltano excludes columns of a stream by a pattern of `select` or `metadata`.

    Meltano applies the pattern, such as `!stream.a*`, to the columns that discovery found. If none
    of them matches, the catalog does not show that later ones are not wanted.
    """
    patterns = [str(each) for each in _variable(_MELTANO_PATTERNS)]
    excluded = [each.removeprefix("!") for each in patterns if each.startswith("!")]
    excluded += _deselected(_variable(_MELTANO_METADATA))
    paths = [re.split(r"(?<!\\)\.", each) for each in excluded]
    return any(columns and fnmatchcase(stream, name) for name, *columns in paths)


def _deselected(metadata: object, path: str = "") -> Iterator[str]:
    """Yield the path of everything that Meltano's extra `metadata` deselects."""
    if isinstance(metadata, dict):
        for name, inner in metadata.items():
            yield from _deselected(inner, f"{path}.{name}" if path else name)
    elif metadata is False and path.endswith(".selected"):
        yield path.removesuffix(".selected")


def _variable(name: str) -> list[t.Any] | dict[str, t.Any]:
    """A list or an object that Meltano passes in a variable; an empty list if it is neither."""
    try:
        value = json.loads(os.environ.get(name, "[]"))
    except ValueError:
        return []
    return value if isinstance(value, list | dict) else []
