"""The catalog that a run is given, checked and completed before the first request."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from msgspec import Meta, Struct, field

from tap_cube.errors import CatalogError
from tap_cube.logs import listed
from tap_cube.records.decoder import UNPARSED
from tap_cube.singer.files import is_deep

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from logging import Logger

_MAX_DEPTH = 40
"""Levels of a catalog; one that was discovered has eight."""

_REMEDY = "Make a new one with --discover, change that, and run again."

_Kind: t.TypeAlias = t.Literal["string", "integer", "number", "boolean", "object", "array", "null"]
_Kinds: t.TypeAlias = _Kind | t.Annotated[list[_Kind], Meta(min_length=1)]
_Names: t.TypeAlias = list[str]
_PLAIN = {"type", "format", "title", "description"}
_FULL_TABLE = "FULL_TABLE"


class _Part(Struct):
    """What the SDK and the tap use of a JSON Schema inside a column."""

    type: _Kinds | None = None
    format: str | None = None
    title: str | None = None
    description: str | None = None
    properties: dict[str, _Part] | None = None
    items: _Part | None = None


class _Column(_Part, kw_only=True):
    """JSON Schema of a column."""

    type: _Kinds


class _Schema(Struct):
    """JSON Schema of a stream."""

    properties: dict[str, t.Any]
    type: t.Literal["object"] | t.Annotated[list[_Kind], Meta(min_length=1)] | None = None
    required: _Names | None = None


class _Selection(Struct, rename="kebab"):
    """Metadata of a stream or a column."""

    inclusion: t.Literal["available", "automatic", "unsupported"] | None = None
    selected: bool | None = None
    selected_by_default: bool | None = None
    table_key_properties: _Names | None = None
    replication_key: str | None = None
    forced_replication_method: str | None = None
    replication_method: str | None = None
    valid_replication_keys: _Names | None = None


class _Metadata(Struct):
    breadcrumb: _Names
    metadata: _Selection


class _Named(Struct):
    """A stream, also of another tap."""

    tap_stream_id: str


class _Entry(_Named, kw_only=True):
    """A stream of this tap."""

    schema: _Schema
    stream: str | None = None
    key_properties: _Names | None = None
    replication_key: str | None = None
    replication_method: str | None = None
    metadata: list[_Metadata] = field(default_factory=list)

    @property
    def root(self) -> _Selection:
        """Metadata of the stream itself."""
        roots = (each.metadata for each in self.metadata if not each.breadcrumb)
        return next(roots, _Selection())


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a stream, which a catalog cannot change.

    Attributes:
        primary: Columns of the primary key.
        replication: The replication key; None if every run emits all rows.
    """

    primary: Sequence[str]
    replication: str | None


def checked_catalog(
    catalog: object, streams: Mapping[str, Keys], logger: Logger
) -> dict[str, list[dict[str, t.Any]]]:
    """Check a catalog, and complete what every run needs.

    Columns of keys are always selected, and all others are nullable, since a value that does not
    fit its type becomes null.

    Args:
        catalog: The catalog.
        streams: Name and keys of each stream that the tap may have.
        logger: Gets a warning about streams that it does not have.

    Raises:
        CatalogError: If it is not a catalog of this tap, or asks for what the tap cannot do. The
            message names the stream, and the column.
    """
    if not isinstance(catalog, dict) or not isinstance(catalog.get("streams"), list):
        msg = f"The catalog has no list of streams. {_REMEDY}"
        raise CatalogError(msg)
    if is_deep(catalog, _MAX_DEPTH):
        msg = f"The catalog has more than {_MAX_DEPTH} levels. {_REMEDY}"
        raise CatalogError(msg)
    entries: dict[str, dict[str, t.Any]] = {}
    for number, raw in enumerate(catalog["streams"], start=1):
        name = _converted(raw, _Named, _name_of(raw, number)).tap_stream_id
        if name in entries:
            raise _fault(name, "it comes twice")
        entries[name] = _completed(raw, name, streams[name]) if name in streams else raw
    if unknown := entries.keys() - streams.keys():
        msg = "The catalog has streams that this tap does not have; they are ignored: %s"
        logger.warning(msg, listed(sorted(unknown)))
    if entries.keys() == unknown:
        msg = f"The catalog has no stream of this tap. {_REMEDY}"
        raise CatalogError(msg)
    return {"streams": [entries[name] for name in entries if name in streams]}


def _name_of(raw: object, number: int) -> str:
    name = raw.get("tap_stream_id") if isinstance(raw, dict) else None
    return name if isinstance(name, str) else f"number {number}"


def _completed(raw: dict[str, t.Any], name: str, keys: Keys) -> dict[str, t.Any]:
    """Check an entry of the tap's own stream by the stream's rules, and complete it."""
    entry = _converted(raw, _Entry, name)
    if entry.stream not in {None, name}:
        raise _fault(name, f"its 'stream' must be {name!r}, too; a stream map can rename it")
    primary = entry.key_properties or entry.root.table_key_properties or keys.primary
    if set(primary) != set(keys.primary):
        raise _fault(name, f"its key is {', '.join(keys.primary)}; a stream map can change it")
    replication_key = entry.replication_key or entry.root.replication_key
    if replication_key not in {None, "", keys.replication}:
        fault = f"its replication key must be '{keys.replication}'"
        raise _fault(name, fault if keys.replication else "it has no replication key")
    for each in entry.metadata:
        if each.breadcrumb and (each.breadcrumb[0] != "properties" or len(each.breadcrumb) == 1):
            where = f"breadcrumb {each.breadcrumb!s:.80}"
            raise _fault(name, f"{where} must be [] or begin with 'properties' and a column")
    automatic = [*keys.primary, *filter(None, [keys.replication])]
    columns = {
        column: _checked_column(schema, name, column, is_key=column in keys.primary)
        for column, schema in entry.schema.properties.items()
    }
    return {
        **raw,
        "stream": name,
        "schema": {"type": "object", "properties": columns},  # rows may lack any column
        "key_properties": [*keys.primary],
        "replication_key": keys.replication,
        "replication_method": _method(entry, keys),
        "metadata": _completed_metadata(raw.get("metadata", []), automatic),
    }


def _completed_metadata(
    metadata: Sequence[dict[str, t.Any]], automatic: Sequence[str]
) -> list[dict[str, t.Any]]:
    """Complete metadata as the SDK needs it.

    Without metadata of the stream, the SDK would deselect all columns that have some. Meltano calls
    everything automatic for which a catalog has none, and still deselects it.
    """
    has_root = any(each["breadcrumb"] == [] for each in metadata)
    return [
        *([] if has_root else [{"breadcrumb": [], "metadata": {"selected": True}}]),
        *(
            {**each, "metadata": {**each["metadata"], "inclusion": "available"}}
            if each["metadata"].get("selected") is False
            else each
            for each in metadata
        ),
        *(
            {"breadcrumb": ["properties", column], "metadata": {"inclusion": "automatic"}}
            for column in automatic
        ),
    ]


def _method(entry: _Entry, keys: Keys) -> str:
    """The replication method; FULL_TABLE wherever the catalog asks for it."""
    root = entry.root
    methods = {entry.replication_method, root.forced_replication_method, root.replication_method}
    own = "INCREMENTAL" if keys.replication else _FULL_TABLE
    if wrong := methods - {None, "", own, _FULL_TABLE}:
        allowed = " or ".join(dict.fromkeys([own, _FULL_TABLE]))
        fault = f"its replication method must be {allowed}, not {min(map(str, wrong))!r:.40}"
        raise _fault(entry.tap_stream_id, fault)
    return _FULL_TABLE if _FULL_TABLE in methods else own


def _checked_column(
    raw: dict[str, t.Any], stream: str, column: str, *, is_key: bool
) -> dict[str, t.Any]:
    kinds = _converted(raw, _Column, stream, column).type
    try:
        if raw.keys() - _PLAIN:  # takes a millisecond
            Draft202012Validator.check_schema(raw)
    except SchemaError as error:
        place = error.json_path.removeprefix("$.")
        fault = f"column {column!r:.80} is not a valid JSON Schema at {place}"
        raise _fault(stream, fault) from None
    every = dict.fromkeys([kinds] if isinstance(kinds, str) else kinds)
    values = [kind for kind in every if kind != "null"]
    if is_key and not values:
        raise _fault(stream, f"column {column!r:.80} of its key cannot be null alone")
    if column == UNPARSED and not {"string", "object"} & {*values}:
        raise _fault(stream, f"column '{UNPARSED}' holds JSON: its type must be string or object")
    return {**raw, "type": values if is_key else [*values, "null"]}


T = t.TypeVar("T")


def _converted(raw: object, kind: type[T], stream: str, column: str = "") -> T:
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at ")
        place = where.strip("`").removeprefix("$.")
        what = f"{what[:1].lower()}{what[1:]}" + (f" at {place}" if place else "")
        raise _fault(stream, f"column {column!r:.80}: {what}" if column else what) from None


def _fault(stream: str, fault: str) -> CatalogError:
    return CatalogError(f"The catalog's stream {stream!r:.80} is not valid: {fault}. {_REMEDY}")
