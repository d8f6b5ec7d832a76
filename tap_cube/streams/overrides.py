"""The decoder of a partition, with the tap's own columns in the types of the catalog."""

from __future__ import annotations

import typing as t
from functools import partial

from tap_cube.records.decoder import UNPARSED, RecordDecoder
from tap_cube.records.own_columns import OwnColumns, unparsed_text
from tap_cube.records.values import converter, readable

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_cube.account.columns import StreamColumns
    from tap_cube.account.model import Partition
    from tap_cube.records.decoder import Column
    from tap_cube.settings import Settings
    from tap_cube.singer.selection import ColumnSelection


class StreamOfColumns(t.Protocol):
    """What `record_decoder` uses of a stream."""

    added_columns: Sequence[str]
    columns: StreamColumns
    selection: ColumnSelection
    settings: Settings

    @property
    def name(self) -> str:
        """Name of the stream."""

    @property
    def primary_keys(self) -> Sequence[str] | None:
        """Columns of the primary key."""

    def column(self, key: str, partition: Partition) -> Column:
        """Column of a key that Cube sends."""

    def columns_of(self, partition: Partition) -> Mapping[str, t.Any]:
        """Values that every record of a partition has, by column."""

    def own_column(self, name: str) -> str | None:
        """A column that the tap adds; None if it is not emitted."""


def record_decoder(stream: StreamOfColumns, partition: Partition) -> RecordDecoder:
    """Make the decoder for the rows of one partition.

    Raises:
        StreamError: If an id of the partition does not fit the type that the catalog gives to its
            column, which belongs to the primary key.
    """
    zone = stream.settings.timezone
    constants = stream.columns_of(partition)
    added = [stream.own_column(name) for name in stream.added_columns]
    overridden = _overridden(stream, [*constants, *stream.added_columns])
    return RecordDecoder(
        zone,
        partial(stream.column, partition=partition),
        OwnColumns(
            {name: constants[name] for name in constants if stream.own_column(name)},
            added,
            {name: converter(schema, zone) for name, schema in overridden.items()},
            {name: _key_error(stream, name) for name in stream.primary_keys or ()},
        ),
        unparsed=_unparsed(stream),
    )


def _overridden(stream: StreamOfColumns, names: list[str]) -> dict[str, Mapping[str, t.Any]]:
    """Schemas of the columns to which the catalog gives another type than the stream does."""
    now, ours = stream.selection.properties, stream.columns.properties
    return {
        name: now[name]
        for name in names
        if name in now and name in ours and _type(now[name]) != _type(ours[name])
    }


def _type(schema: Mapping[str, t.Any]) -> tuple[set[str], object]:
    return {*schema["type"]} - {"null"}, schema.get("format")


def _key_error(stream: StreamOfColumns, name: str) -> str:
    schema = stream.selection.properties.get(name, {})
    kinds = " or ".join(kind for kind in schema.get("type", ()) if kind != "null")
    kind = f"{kinds} ({schema['format']})" if "format" in schema else kinds
    return (
        f"Stream '{stream.name}': the catalog gives column '{name}' of the key the type {kind}, "
        "but a key does not fit it, or is that of another row in it. Remove the type from the "
        "catalog (Meltano: from the extra 'schema'), or change it to string, then run again."
    )


def _unparsed(stream: StreamOfColumns) -> Callable[[Mapping[str, object]], object] | None:
    """How the column for values that do not fit is written; None if it is deselected."""
    if not stream.own_column(UNPARSED):
        return None
    kinds = stream.selection.properties.get(UNPARSED, {}).get("type", "string")
    return unparsed_text if "string" in kinds else readable
