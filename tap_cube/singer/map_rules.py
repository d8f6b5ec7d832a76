"""Rules for the setting `stream_maps`, checked before the first request."""

from __future__ import annotations

import ast
import importlib.util
import typing as t
from contextlib import suppress
from fnmatch import fnmatch
from itertools import islice

from singer_sdk.mapper import (
    MAPPER_ALIAS_OPTION,
    MAPPER_ELSE_OPTION,
    MAPPER_FILTER_OPTION,
    MAPPER_KEY_PROPERTIES_OPTION,
    MAPPER_SOURCE_OPTION,
    NULL_STRING,
)

from tap_cube.setting_names import MAX_SENTENCES, did_you_mean

if t.TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

WHERE: t.Final = "Setting 'stream_maps'"
OF_MAPS: t.Final = ("stream_maps", "faker_config")
"""The settings that `map_errors` checks, better than their schemas."""


def map_errors(config: Mapping[str, t.Any], streams: Collection[str]) -> Iterator[str]:
    """Yield a sentence for each mistake in the settings of stream maps.

    Args:
        config: All settings, without nulls.
        streams: Names of the streams that the tap may have.
    """
    maps = config.get("stream_maps", {})
    yield from _faker_errors(config.get("faker_config", {}), maps)
    yield from islice(_faults_of_streams(maps, streams), MAX_SENTENCES)


def _faults_of_streams(maps: object, streams: Collection[str]) -> Iterator[str]:
    if not isinstance(maps, dict):
        yield f"{WHERE} must be an object, with a map for each stream."
        return
    for name, own in maps.items():
        if name == MAPPER_ELSE_OPTION and _is_null(own):
            continue
        if name.startswith("__"):
            yield f"{WHERE}: '{MAPPER_ELSE_OPTION}: null' is all that it may have beside streams."
            continue
        source = own.get(MAPPER_SOURCE_OPTION, name) if isinstance(own, dict) else name
        if not (isinstance(source, str) and any(fnmatch(stream, source) for stream in streams)):
            near = did_you_mean(str(source), streams)
            yield f"{WHERE} has a map for {source!r:.60}, which is no stream of this tap{near}"
        elif isinstance(own, dict):
            for fault in _faults(own):
                yield f"{WHERE}, stream {name!r:.60}: {fault}."
        elif not _is_null(own):
            yield f"{WHERE}, stream {name!r:.60}: the map must be null or an object."


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


def _uses_fake(maps: object) -> bool:
    """Whether an expression uses `fake`, which the SDK offers if faker is installed."""
    own = maps.values() if isinstance(maps, dict) else ()
    texts = [text for each in own if isinstance(each, dict) for text in each.values()]
    trees = [ast.parse(text) for text in texts if _is_expression(text)]
    names = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name))
    return any(name.id == "fake" for name in names)


def _faker_errors(config: object, maps: object) -> Iterator[str]:
    if not importlib.util.find_spec("faker"):
        for name, is_used in (("faker_config", bool(config)), ("stream_maps", _uses_fake(maps))):
            if is_used:
                yield f"Setting '{name}' needs the tap's extra 'faker': install tap-cube[faker]."
        return
    if not config or not isinstance(config, dict):
        return
    try:
        importlib.import_module("faker").Faker(config.get("locale"))
    except Exception:  # noqa: BLE001 - it has no error of its own
        yield "Setting 'faker_config': 'locale' must be one that faker has, such as no_NO."
