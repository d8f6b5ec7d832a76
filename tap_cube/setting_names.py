"""Names of settings and of their environment variables, and what a wrong name may mean."""

from __future__ import annotations

import typing as t
from difflib import get_close_matches
from operator import itemgetter

from tap_cube.logs import shown
from tap_cube.settings_schema import BATCH_SCHEMA

if t.TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

PREFIX: t.Final = "TAP_CUBE_"
"""Begins the name of the environment variable of each setting."""

_LIKE: t.Final = 0.6
_VERY_LIKE: t.Final = 0.85

_MAX_NAME = 31
"""Longest name that is shown whole. A longer one may be anything, such as a misplaced token."""

_MAX_BEGINNING = 6

MAX_SENTENCES: t.Final = 20
"""Most sentences about mistakes of one kind: who mends those sees the next ones."""


def of_variables(environment: Mapping[str, str], schema: Mapping[str, t.Any]) -> dict[str, str]:
    """The settings that environment variables hold, by name."""
    variables = {name: f"{PREFIX}{name.upper()}" for name in schema["properties"]}
    return {name: environment[each] for name, each in variables.items() if each in environment}


def unknown_names(
    config: Mapping[str, t.Any],
    environment: Iterable[str],
    schema: Mapping[str, t.Any],
    *,
    are_variables_read: bool,
) -> list[str]:
    """Make a sentence for each unknown setting, key inside a setting, and variable.

    Args:
        config: All settings that were given.
        environment: Names of all environment variables.
        schema: JSON Schema of all settings.
        are_variables_read: Whether settings come from variables. If not, they come from a file
            that another program, such as Meltano, may have made from variables, and some variables
            may be its own. So only those count that are surely misspelt.
    """
    if are_variables_read:
        variables = [sentence for *_, sentence in _about_variables(environment, schema, _LIKE)]
    else:
        variables = [*_misspelt_variables(environment, config, schema)]
    return [*_about_settings(config, schema), *variables[:MAX_SENTENCES]]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name, with the nearest known one."""
    return _hint(_nearest(name, known, _LIKE))


def _nearest(name: str, known: Iterable[str], likeness: float) -> str:
    """The known name that is most like an unknown one; "" if none is like it."""
    spellings = {each.casefold(): each for each in known}
    found = get_close_matches(name.casefold(), spellings, 1, likeness)
    return spellings[found[0]] if found else ""


def _hint(nearest: str, prefix: str = "") -> str:
    return f"; did you mean '{prefix}{nearest}'?" if nearest else "."


def _about_settings(config: Mapping[str, t.Any], schema: Mapping[str, t.Any]) -> list[str]:
    properties = {**schema["properties"], "batch_config": BATCH_SCHEMA}
    unknown = _unknown_keys(config, {"properties": properties})
    keys = {(path, key): known for path, key, known in unknown}
    return [
        f"Setting {_shown(key, path)} is unknown and ignored{did_you_mean(key, known)}"
        for (path, key), known in sorted(keys.items(), key=itemgetter(0))[:MAX_SENTENCES]
    ]


def _unknown_keys(
    value: object, schema: Mapping[str, t.Any], path: str = ""
) -> Iterator[tuple[str, str, Collection[str]]]:
    """Yield the path to each unknown key, the key, and the known ones beside it."""
    for each in value if isinstance(value, list) else ():
        yield from _unknown_keys(each, schema.get("items", {}), path)
    known: Mapping[str, t.Any] = schema.get("properties", {})
    # Where a schema has a form for all other keys, such as names of streams, any key is right.
    is_open = not known or isinstance(schema.get("additionalProperties"), dict)
    if is_open or not isinstance(value, dict):
        return
    for key, inner in value.items():
        if key in known:
            yield from _unknown_keys(inner, known[key], f"{path}{key}.")
        else:
            yield path, key, known


def _misspelt_variables(
    environment: Iterable[str], config: Iterable[str], schema: Mapping[str, t.Any]
) -> Iterator[str]:
    given = {name.upper() for name in config}  # Meltano sets a variable for each
    # One such as TAP_CUBE_EU_API_URL is for a plugin of Meltano that inherits from this one.
    of_plugins = tuple(f"_{name.upper()}" for name in schema["properties"])
    for name, nearest, sentence in _about_variables(environment, schema, _VERY_LIKE):
        if nearest and name not in given and not name.endswith(of_plugins):
            yield sentence


def _about_variables(
    environment: Iterable[str], schema: Mapping[str, t.Any], likeness: float
) -> Iterator[tuple[str, str, str]]:
    """Yield each unknown variable's name in capitals, the nearest known one, and a sentence.

    Both names are without the prefix. The nearest one is empty if none is like enough.
    """
    known = {name.upper(): prop for name, prop in schema["properties"].items()}
    objects = [name for name, prop in known.items() if "object" in prop.get("type", ())]
    # Meltano sets variables of its own, with a second underscore, and one for each property of an
    # object, after the name of the setting.
    of_meltano = ("_", *(f"{name}_" for name in objects))
    known["LOGLEVEL"] = {}  # of the SDK
    readable = {f"{PREFIX}{name}" for name in known}
    for variable in sorted(environment):
        name = variable[len(PREFIX) :].upper()
        is_own = variable.upper().startswith(PREFIX) and not name.startswith(of_meltano)
        if is_own and variable not in readable:
            nearest = _nearest(name, known, likeness)
            given = _shown(variable[len(PREFIX) :], variable[: len(PREFIX)])
            sentence = f"Variable {given} is unknown and ignored{_hint(nearest, PREFIX)}"
            yield name, nearest, sentence


def _shown(key: str, path: str) -> str:
    return shown(path + (key if len(key) <= _MAX_NAME else f"{key[:_MAX_BEGINNING]}…"))
