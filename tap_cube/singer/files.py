"""The JSON files of the command line, checked as they are read."""

from __future__ import annotations

import typing as t
from decimal import Decimal

import click
import simplejson

from tap_cube.errors import CubeError
from tap_cube.logs import shown

if t.TYPE_CHECKING:
    from collections.abc import Sequence

_FIX = "Fix it, then run again."
_OTHER_FILES = {"streams": "--catalog", "bookmarks": "--state"}
"""What the files of other options hold, and no file of settings."""


def read_config(path: str) -> dict[str, t.Any]:
    """Read a file of settings.

    Raises:
        CubeError: If it cannot be read, or is not a JSON object with settings. The message names
            the file.
    """
    config = read_json(path, "--config")
    if not isinstance(config, dict):
        raise _fault(path, "--config", "must hold one JSON object with the settings.")
    for key, option in _OTHER_FILES.items():
        if key in config:
            fault = f"has '{key}' in place of settings: it is a file for {option}."
            raise _fault(path, "--config", fault)
    return config


def read_json(path: str, option: str, *, may_be_blank: bool = False) -> object:
    """Read a file that has to be JSON.

    Args:
        path: The file; `-` for standard input.
        option: The option of the command line that names it.
        may_be_blank: Whether it may have no content.

    Returns:
        Its value; numbers with a fraction are decimals. None if it is blank.

    Raises:
        CubeError: If it cannot be read, is not JSON, or an object has a key twice. The message
            names the file.
    """
    if path.lstrip().startswith(("{", "[")) or '"' in path:  # it may hold a credential
        msg = f"Option {option} takes the name of a file, not JSON. Write the JSON into a file."
        raise CubeError(msg)
    text = ""
    try:
        with click.open_file(path, encoding="utf-8") as file:
            text = file.read().removeprefix("\ufeff")  # some editors begin a file with this mark
        if may_be_blank and not text.strip():
            return None
        value = simplejson.loads(text, parse_float=Decimal, object_pairs_hook=_without_repeats)
        # Half a surrogate pair is JSON, but no text that could be written again.
        simplejson.dumps(value, ensure_ascii=False).encode()
    except OSError as error:
        fault = f"cannot be read: {error.strerror}."
        if option == "--config" and path.upper() == "ENV":
            fault += " Write ENV in capitals to read variables."
    except _RepeatedKeyError as error:
        fault = f"has the key {shown(error.key)} twice in one object. {_FIX}"
    except UnicodeDecodeError:
        fault = "is not JSON. Save it as UTF-8, then run again."
    except simplejson.JSONDecodeError as error:
        where = f"not JSON (line {error.lineno}, column {error.colno})"
        fault = f"is {where if text.strip() else 'empty'}. {_FIX}"
    except (ValueError, RecursionError, ArithmeticError):
        fault = f"is not JSON. {_FIX}"
    else:
        return value
    raise _fault(path, option, fault)


def _fault(path: str, option: str, fault: str) -> CubeError:
    return CubeError(f"File {path!r}, given to {option}, {fault}")


def is_deep(value: object, levels: int) -> bool:
    """Whether a JSON value has more levels than recursive functions can be trusted with.

    Args:
        value: The value.
        levels: Levels that it may have.
    """
    level: list[t.Any] = [value]
    for _ in range(levels):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
    return bool(level)


class _RepeatedKeyError(ValueError):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def _without_repeats(pairs: Sequence[tuple[str, t.Any]]) -> dict[str, t.Any]:
    value: dict[str, t.Any] = {}
    for key, inner in pairs:
        if key in value:
            raise _RepeatedKeyError(key)
        value[key] = inner
    return value
