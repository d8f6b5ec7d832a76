"""What targets cannot follow: a column whose type changes, and more columns than a table takes.

Targets keep the type that a column had first. So the state remembers which type each column had
that not every account has, and a run that declares another one warns before the first record. It
remembers the new one when all rows of the stream were read without a failure: until then, the
warning comes again. Columns that nothing shows any more are declared all the same.
"""

from __future__ import annotations

import typing as t
from collections import defaultdict
from contextlib import contextmanager

from tap_cube.logs import escaped, shown

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_cube.streams.base import CubeStream

    Types: t.TypeAlias = Mapping[str, Sequence[str]]
    Schemas: t.TypeAlias = Mapping[str, Mapping[str, t.Any]]

MANY_COLUMNS: t.Final = 1_500
"""Columns of a stream from which on a warning says what PostgreSQL takes."""

_MAX_REMEMBERED = 2_000
_MAX_NAMED = 8
_FORMATS: t.Final = {"date", "date-time"}

_TO_TEXT = "target-postgres ends with 'Altering columns is not supported'"
_FROM_TEXT = "target-postgres keeps text columns, and other loaders may rename them"
_ROUNDED = "target-postgres keeps whole numbers: it rounds others without an error, or refuses them"
_KEPT = "target-postgres keeps the old type, and cuts or refuses values that do not fit it"
_REMEDY = (
    "Rename the column in the target before it loads, so that it gets a new one; see 'When a "
    "field's type changes' in docs/targets.md"
)


def declared_columns(stream: CubeStream[t.Any]) -> Schemas:
    """JSON Schema of each column that a stream emits, after stream maps."""
    columns: Schemas = {}
    for each in stream.stream_maps:
        declared: Schemas = each.transformed_schema.get("properties", {})
        columns = max(columns, declared, key=len)
    return columns


@contextmanager
def watched_columns(streams: Sequence[CubeStream[t.Any]]) -> Iterator[None]:
    """While streams sync: warn of their columns, and remember the types of those that were read."""
    for stream in streams:
        declare_remembered(stream)
        for warning in warnings_of_types(stream):
            stream.logger.warning("%s: %s", stream.name, warning)
    warned = _warn_of_numbers(streams)
    try:
        yield
        for stream in streams:
            if not stream.stats.failures:
                remember_types(stream)
    finally:  # also if the run breaks off
        for stream in streams:
            if warning := stream.selection.warning:
                stream.logger.warning("%s: %s.", stream.name, warning)
        _warn_of_numbers([each for each in streams if each.name not in warned])


def _warn_of_numbers(streams: Iterable[CubeStream[t.Any]]) -> set[str]:
    """Warn of streams with very many columns, and return their names."""
    warnings = {each: text for each in streams if (text := warning_of_number(each))}
    for stream, text in warnings.items():
        stream.logger.warning("%s: %s", stream.name, text)
    return {each.name for each in warnings}


def warnings_of_types(stream: CubeStream[t.Any]) -> Iterator[str]:
    """Yield a sentence for each consequence that changed types have for targets."""
    before = _before(stream)
    changed: defaultdict[str, list[str]] = defaultdict(list)
    for column, schema in _variable(stream).items():
        old, new = before.get(column), _kind_of(schema)
        if old and old != new:
            label = f" ({shown(schema['title'])})" if schema.get("title") else ""
            names = f"{escaped(column, 62)}{label} from {escaped(_word(old), 20)} to {_word(new)}"
            changed[_consequence(old, new)].append(names)
    for consequence, fields in changed.items():
        more = len(fields) - _MAX_NAMED
        names = ", ".join(fields[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
        yield (
            "The type of custom fields has changed, or other CRMs are read than before: "
            f"{names}. {consequence}. {_REMEDY}."
        )


def warning_of_number(stream: CubeStream[t.Any]) -> str:
    """What to do if a stream has very many columns; empty if it has not."""
    if (number := len(declared_columns(stream))) <= MANY_COLUMNS:
        return ""
    return (
        f"The stream has {number:,} columns. A table of PostgreSQL takes 1,593 beside those of "
        "target-postgres, and columns that were dropped count too. Deselect columns that nobody "
        f"needs (Meltano: 'select', such as '!{stream.name}.crm__custom_info__3*')."
    )


def remember_types(stream: CubeStream[t.Any]) -> None:
    """Write into the state which types the columns have that not every account has."""
    now = {column: _kind_of(schema) for column, schema in _variable(stream).items()}
    kept = [(column, kind) for column, kind in _before(stream).items() if column not in now]
    types: defaultdict[str, list[str]] = defaultdict(list)
    for column, kind in [*now.items(), *kept][:_MAX_REMEMBERED]:
        types[kind].append(column)
    if types:
        stream.stream_state["types"] = {kind: sorted(types[kind]) for kind in sorted(types)}


def _before(stream: CubeStream[t.Any]) -> Mapping[str, str]:
    """Which type the columns had that earlier runs emitted."""
    types = stream.tap.memory.types.get(stream.name, {})
    return {column: kind for kind, columns in types.items() for column in columns}


def declare_remembered(stream: CubeStream[t.Any]) -> None:
    """Declare the columns that earlier runs emitted and this account no longer shows.

    Otherwise a target would keep their last values, also in rows of people who were erased.
    """
    if stream.selection.is_whole:
        for name, kind in _before(stream).items():
            schema: dict[str, t.Any] = {"type": [*kind.split("/"), "null"]}
            if kind in _FORMATS:
                schema = {"type": ["string", "null"], "format": kind}
            stream.selection.column(name, schema, stream.mask, can_add=True)


def _variable(stream: CubeStream[t.Any]) -> Schemas:
    """The emitted columns that not every account has."""
    declared, own = declared_columns(stream), stream.selection.properties
    return {name: declared[name] for name in declared if name in own.keys() - stream.columns.fixed}


def _kind_of(schema: Mapping[str, t.Any]) -> str:
    given = schema.get("type", "string")
    kinds = [given] if isinstance(given, str) else [kind for kind in given if kind != "null"]
    if kinds == ["string"] and schema.get("format") in _FORMATS:
        return str(schema["format"])
    return "/".join(sorted(kinds))


def _word(kind: str) -> str:
    return "text" if kind == "string" else kind


def _consequence(old: str, new: str) -> str:
    if new == "string":
        return _TO_TEXT
    if old == "string":
        return _FROM_TEXT
    return _ROUNDED if (old, new) == ("integer", "number") else _KEPT
