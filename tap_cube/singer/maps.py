"""Stream maps: the user's own expressions, checked at the start, and named when they fail."""

from __future__ import annotations

import ast
import typing as t
from copy import deepcopy
from datetime import date
from decimal import Decimal
from functools import cached_property
from math import isfinite
from zoneinfo import ZoneInfo

import simpleeval
import simplejson
from singer_sdk.exceptions import MapExpressionError, StreamMapConfigError
from singer_sdk.mapper import MAPPER_FILTER_OPTION, CustomStreamMap, RemoveRecordTransform
from singer_sdk.singerlib import SchemaMessage
from typing_extensions import override

from tap_cube.errors import CubeError, StreamError
from tap_cube.records.codec import encode
from tap_cube.records.values import as_text, converter
from tap_cube.singer.map_rules import WHERE

if t.TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from singer_sdk.mapper import PluginMapper, StreamMap

    from tap_cube.records.values import Convert

_REMEDY: t.Final = "Check 'stream_maps', 'faker_config' and the flattening settings."
_JSON = (str, int, Decimal, list, tuple, dict)
_UNKNOWN = ((simpleeval.NameNotDefined, "name"), (simpleeval.FunctionNotDefined, "func_name"))


class MapError(StreamError):
    """A stream map failed on a record."""


def register(
    mapper: PluginMapper, name: str, schema: dict[str, t.Any], keys: Sequence[str]
) -> None:
    """Give a mapper the schema of a stream, or a new one.

    Raises:
        CubeError: If the stream's map does not fit it.
    """
    try:
        mapper.register_raw_stream_schema(name, _Schema(schema), [*keys])
        for each in mapper.stream_maps[name]:
            _check_keys(each)
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


class _Schema(dict[str, t.Any]):
    """A schema that a map leaves as it is, since its expression `record` has this schema.

    The SDK puts a map's columns into a copy, which would share `properties` with it.
    """

    def __copy__(self) -> dict[str, t.Any]:
        return deepcopy(dict(self))


def _check_keys(each: StreamMap) -> None:
    """Check that flattening has left each column of the key.

    Raises:
        ValueError: If it has not.
    """
    for key in each.transformed_key_properties or ():
        if key not in each.transformed_schema["properties"]:
            msg = f"flattening leaves no column {key!r:.60}, which is part of the key"
            raise ValueError(msg)


def with_known_bookmark(message: SchemaMessage) -> SchemaMessage:
    """The same message, without a bookmark column that a stream map has removed."""
    known = [
        name for name in message.bookmark_properties or () if name in message.schema["properties"]
    ]
    return SchemaMessage(message.stream, message.schema, message.key_properties, known or None)


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
                    f"{WHERE}: the records of stream '{name}' would be written as {alias!r:.60}"
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
        self,
        expr: str,
        expr_parsed: t.Any,  # an `ast.Expr`; from version 0.55 of the SDK on, any `ast.stmt`
        record: dict[str, t.Any],
        property_name: str | None,
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
        settings = ", or what it takes from 'stream_map_config'" if "config" in used else ""
        msg = (
            f"{WHERE}, stream '{self.stream_name}': {own!r:.60} "
            f"{fault}{hint}. Change the expression{settings}, then run again."
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
