"""The JSON files of the command line, checked as they are read."""

from __future__ import annotations

import typing as t
from decimal import Decimal

import simplejson

from tap_cube.errors import CubeError

if t.TYPE_CHECKING:
    from collections.abc import Sequence


def read_config(path: str) -> dict[str, t.Any]:
    """Read a file of settings.

    Raises:
        CubeError: If it cannot be read, or is not a JSON object. The message names the file.
    """
    if path.lstrip().startswith("{"):  # it may hold a credential, so it is not shown
        msg = "Option --config takes the name of a file, not JSON. Write the JSON into a file."
        raise CubeError(msg)
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - a Path("") would be the folder
            config = read_json(file, "--config")
    except OSError as error:
        msg = f"File {path!r}, given to --config, cannot be read: {error.strerror}."
        raise CubeError(msg) from None
    if isinstance(config, dict):
        return config
    msg = f"File {path!r}, given to --config, must hold one JSON object with the settings."
    raise CubeError(msg)


def read_json(file: t.IO[str], option: str, *, may_be_blank: bool = False) -> object:
    """Read a file that has to be JSON, and close it.

    Args:
        file: The file.
        option: The option of the command line that names it.
        may_be_blank: Whether it may have no content.

    Returns:
        Its value; numbers with a fraction are decimals. None if it is blank.

    Raises:
        CubeError: If it is not JSON, or an object has a key twice. The message names the file.
    """
    remedy = "Fix it"
    try:
        with file:  # click leaves it open if an eager option, such as `--discover`, fails
            text = file.read().removeprefix("\ufeff")  # some editors begin a file with this mark
        if may_be_blank and not text.strip():
            return None
        value = simplejson.loads(text, parse_float=Decimal, object_pairs_hook=_without_repeats)
        # Half a surrogate pair is JSON, but no text that could be written again.
        simplejson.dumps(value, ensure_ascii=False).encode()
    except _RepeatedKeyError as error:
        fault = f"has the key {error.key!r:.80} twice in one object"
    except UnicodeDecodeError:
        fault, remedy = "is not JSON", "Save it as UTF-8"
    except (ValueError, RecursionError, ArithmeticError):
        fault = "is not JSON"
    else:
        return value
    msg = f"File {file.name!r}, given to {option}, {fault}. {remedy}, then run again."
    raise CubeError(msg)


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
