"""Stream maps: the user's own expressions, checked at the start, and named when they fail."""

from __future__ import annotations

import ast
import importlib.util
import typing as t
from contextlib import suppress
from datetime import date
from decimal import Decimal
from fnmatch import fnmatch
from functools import cached_property
from math import isfinite
from zoneinfo import ZoneInfo

import simpleeval
import simplejson
from singer_sdk.exceptions import MapExpressionError, StreamMapConfigError
from singer_sdk.mapper import (
    MAPPER_ALIAS_OPTION,
    MAPPER_ELSE_OPTION,
    MAPPER_FILTER_OPTION,
    MAPPER_KEY_PROPERTIES_OPTION,
    MAPPER_SOURCE_OPTION,
    NULL_STRING,
    CustomStreamMap,
    RemoveRecordTransform,
)
from typing_extensions import override

from tap_cube.errors import CubeError, StreamError
from tap_cube.records.codec import encode
from tap_cube.records.values import as_text, converter
from tap_cube.settings import did_you_mean

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from singer_sdk.mapper import PluginMapper

    from tap_cube.records.values import Convert

_WHERE: t.Final = "Setting 'stream_maps'"
_REMEDY: t.Final = "Check 'stream_maps', 'faker_config' and the flattening settings."
OF_MAPS: t.Final = ("stream_maps", "faker_config")
"""The settings that `map_errors` checks, better than their schemas."""

_JSON = (str, int, Decimal, list, tuple, dict)
_UNKNOWN = ((simpleeval.NameNotDefined, "name"), (simpleeval.FunctionNotDefined, "func_name"))


class MapError(StreamError):
    """A stream map failed on a record."""


def map_errors(config: Mapping[str, t.Any], streams: Collection[str]) -> Iterator[str]:
    """Yield a sentence for each mistake in the settings of stream maps.

    Args:
        config: All settings, without nulls.
        streams: Names of the streams that the tap may have.
    """
    yield from _faker_errors(config.get("faker_config", {}))
    maps = config.get("stream_maps", {})
    if not isinstance(maps, dict):
        yield f"{_WHERE} must be an object, with a map for each stream."
        return
    for name, own in maps.items():
        if name == MAPPER_ELSE_OPTION and _is_null(own):
            continue
        if name.startswith("__"):
            yield f"{_WHERE}: '{MAPPER_ELSE_OPTION}: null' is all that it may have beside streams."
            continue
        source = own.get(MAPPER_SOURCE_OPTION, name) if isinstance(own, dict) else name
        if not (isinstance(source, str) and any(fnmatch(stream, source) for stream in streams)):
            near = did_you_mean(str(source), streams)
            yield f"{_WHERE} has a map for {source!r:.60}, which is no stream of this tap{near}"
        elif isinstance(own, dict):
            for fault in _faults(own):
                yield f"{_WHERE}, stream {name!r:.60}: {fault}."
        elif not _is_null(own):
            yield f"{_WHERE}, stream {name!r:.60}: the map must be null or an object."


def _faults(own: Mapping[str, t.Any]) -> Iterator[str]:
    """What is wrong in the map of one stream."""
    if MAPPER_SOURCE_OPTION in own and MAPPER_ALIAS_OPTION in own:
        yield f"'{MAPPER_ALIAS_OPTION}' cannot stand beside '{MAPPER_SOURCE_OPTION}'"
    for name, value in own.items():
        is_option = name.startswith("__") and name.endswith("__")
        if is_option and name not in _OPTIONS:
            yield f"{name!r:.60} is no option of a map{did_you_mean(name, _OPTIONS)}".rstrip(".")
            continue
        is_right, expected = _OPTIONS.get(name, (_is_expression_or_null, _EXPRESSION))
        if not is_right(value):
            yield f"{name!r:.60} must be {expected}"


def _is_null(value: object) -> bool:
    return value is None or value == NULL_STRING


def _is_names_or_null(value: object) -> bool:
    names = [] if value is None else value
    return isinstance(names, list) and all(isinstance(name, str) for name in names)


def _is_expression(text: object) -> bool:
    with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        parts = ast.parse(text).body if isinstance(text, str) else []
        return [type(part) for part in parts] == [ast.Expr]
    return False


def _is_expression_or_null(value: object) -> bool:
    return _is_null(value) or _is_expression(value)


_EXPRESSION: t.Final = "one Python expression as text"
_OPTIONS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    MAPPER_ALIAS_OPTION: (_is_expression, "a name"),
    MAPPER_ELSE_OPTION: (_is_null, "null"),
    MAPPER_FILTER_OPTION: (lambda value: value is None or _is_expression(value), _EXPRESSION),
    MAPPER_KEY_PROPERTIES_OPTION: (_is_names_or_null, "a list of columns, or null"),
    MAPPER_SOURCE_OPTION: (lambda _: True, ""),  # it names the stream
}
"""What the value of each option must be."""


def _faker_errors(config: object) -> Iterator[str]:
    if not config or not isinstance(config, dict):
        return
    if not importlib.util.find_spec("faker"):
        yield "Setting 'faker_config' needs the package 'faker': install it beside the tap."
        return
    try:
        importlib.import_module("faker").Faker(config.get("locale"))
    except Exception:  # noqa: BLE001 - it has no error of its own
        yield "Setting 'faker_config': 'locale' must be one that faker has, such as no_NO."


def register(
    mapper: PluginMapper, name: str, schema: dict[str, t.Any], keys: Sequence[str] | None
) -> None:
    """Give a mapper the schema of a stream, or a new one.

    Raises:
        CubeError: If the stream's map does not fit it.
    """
    try:
        mapper.register_raw_stream_schema(name, schema, keys)
    except Exception as error:
        is_told = isinstance(error, MapExpressionError | StreamMapConfigError | ValueError)
        reason = f"{error}".rstrip(".")[:300] if is_told else type(error).__name__
        msg = f"Stream '{name}' cannot be mapped: {reason}. {_REMEDY}"
        raise CubeError(msg) from error
    for each in mapper.stream_maps[name]:
        if isinstance(each, CustomStreamMap):
            each.__class__ = NamingStreamMap  # the mapper makes them, and takes no other class
            # Python's own module fails on decimals.
            each.expr_evaluator.functions["json"] = simpleeval.ModuleWrapper(simplejson)


def check_aliases(mapper: PluginMapper, selected: Collection[str]) -> None:
    """Check that each selected stream is written under a name of its own.

    Raises:
        CubeError: If it is not.
    """
    taken: dict[object, str] = {}
    for name in selected:
        for each in mapper.stream_maps[name]:
            alias = each.stream_alias
            if isinstance(each, RemoveRecordTransform):
                continue
            if not isinstance(alias, str) or alias in taken:
                other = f", like that of '{taken[alias]}'" if isinstance(alias, str) else ""
                msg = (
                    f"{_WHERE}: the records of stream '{name}' would be written as {alias!r:.60}"
                    f"{other}. Give each stream a name of its own."
                )
                raise CubeError(msg)
            taken[alias] = name


class NamingStreamMap(CustomStreamMap):
    """A stream map that names the expression that fails, and whose results fit its schema.

    The error shows neither the expression, which may hold a salt, nor a value of the record.
    """

    @cached_property
    def _converters(self) -> Mapping[str, Convert]:
        return {
            name: converter(schema, ZoneInfo("UTC"))
            for name, schema in self.transformed_schema["properties"].items()
            if "type" in schema
        }

    @override
    def _eval(
        self, expr: str, expr_parsed: ast.Expr, record: dict[str, t.Any], property_name: str | None
    ) -> t.Any:
        try:
            result: object = super()._eval(expr, expr_parsed, record, property_name)
        except Exception as error:  # noqa: BLE001 - an expression may raise anything
            fault = _fault_of(error)
        else:
            if property_name is None:  # the filter
                return result
            # Without a column of its name, an object is flattened next; anything else is text.
            own_type = None if isinstance(result, dict) else as_text
            try:
                return _fitted(result, self._converters.get(property_name, own_type))
            except (TypeError, ValueError, ArithmeticError):
                kind = type(result).__name__
                fault = f"gives a value of type {kind}, which does not fit its column"
        used = {part.id for part in ast.walk(expr_parsed) if isinstance(part, ast.Name)}
        nulls = sorted(name for name in used if record.get(name, "") is None)
        hint = f"; null there: {', '.join(nulls):.200}" if nulls else ""
        own = property_name or MAPPER_FILTER_OPTION
        msg = (
            f"{_WHERE}, stream '{self.stream_name}': {own!r:.60} "
            f"{fault}{hint}. Change the expression, then run again."
        )
        raise MapError(msg)


def _fault_of(error: Exception) -> str:
    if isinstance(error, MapExpressionError) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    for kind, name in _UNKNOWN:
        if isinstance(error, kind):
            return f"uses the unknown column or function {getattr(error, name)!r:.60}"
    return f"failed on a record with {type(error).__name__}"


def _fitted(result: object, convert: Convert | None) -> object:
    """Convert the result of an expression to the type of its column."""
    if isinstance(result, date):
        result = result.isoformat()
    if isinstance(result, float):
        result = Decimal(repr(result)) if isfinite(result) else None
    if result is None:
        return None
    if not isinstance(result, _JSON):
        raise TypeError
    if convert is as_text and isinstance(result, list | tuple | dict):
        return encode(result).decode()
    return convert(result) if convert else result
