"""The state that a run is given, checked at the start."""

from __future__ import annotations

import typing as t

from tap_cube.errors import StateError
from tap_cube.logs import shown
from tap_cube.singer.files import is_deep
from tap_cube.singer.loaded_files import BATCH_FILES

if t.TYPE_CHECKING:
    from collections.abc import Iterator

DAMAGED: t.Final = "The state is damaged. Fix or clear it, then run again."

_MAX_DEPTH = 20
"""Levels of a state; those that the SDK writes have five."""

_IN_WRAPPERS = 3
"""Levels down to which the bookmarks of a wrapped state are looked for."""


def checked_state(state: object) -> dict[str, t.Any]:
    """Check the shape of a state, also of another tap's, and return it.

    Raises:
        StateError: If it is damaged, wrapped in something else, or has a partition twice.
    """
    if not isinstance(state, dict) or is_deep(state, _MAX_DEPTH):
        raise StateError(DAMAGED)
    if "bookmarks" not in state and state.keys() - {"currently_syncing", BATCH_FILES}:
        raise StateError(_how_to_unwrap(state))
    bookmarks = state.get("bookmarks", {})
    if not isinstance(bookmarks, dict):
        raise StateError(DAMAGED)
    return {**state, "bookmarks": {name: _checked(name, own) for name, own in bookmarks.items()}}


def _checked(stream: str, bookmark: object) -> dict[str, t.Any]:
    """Check the state of one stream, and return it without what the SDK itself would drop."""
    partitions = bookmark.get("partitions", []) if isinstance(bookmark, dict) else None
    if not (
        isinstance(bookmark, dict)
        and isinstance(partitions, list)
        and all(_is_partition(part) for part in partitions)
    ):
        msg = f"The state of stream {shown(stream)} is damaged. Fix or clear it, then run again."
        raise StateError(msg)
    seen = set()
    for part in partitions:
        context = frozenset(part["context"].items())
        if context in seen:
            where = ", ".join(f"{name} {value}" for name, value in part["context"].items())
            msg = (
                f"The state of stream {shown(stream)} has a partition twice ({shown(where)}). "
                "Remove the one with the later bookmark, then run again."
            )
            raise StateError(msg)
        seen.add(context)
    own = {**bookmark, "partitions": [_without_markers(part) for part in partitions]}
    return _without_markers(own if partitions else bookmark)


def _is_partition(part: object) -> bool:
    context = part.get("context") if isinstance(part, dict) else None
    return isinstance(context, dict) and not any(
        isinstance(value, dict | list) for value in context.values()
    )


def _without_markers(bookmark: dict[str, t.Any]) -> dict[str, t.Any]:
    # Of an interrupted run of other taps. The SDK drops them, too, but only if they are objects.
    return {name: bookmark[name] for name in bookmark if name != "progress_markers"}


def _how_to_unwrap(state: dict[str, t.Any]) -> str:
    path = next(_paths_to_bookmarks(state, _IN_WRAPPERS), "")
    if not path:
        return (
            "The state has no 'bookmarks'. Give the value of the last STATE message, or leave "
            "the state out to read everything, then run again."
        )
    kind = "a whole STATE message" if state.get("type") == "STATE" else f"wrapped in '{path}'"
    return (
        f"The state is {kind}. Give only the object that has 'bookmarks', "
        f"as `jq .{path}` makes it, then run again."
    )


def _paths_to_bookmarks(state: dict[str, t.Any], depth: int) -> Iterator[str]:
    for name, value in state.items():
        if isinstance(value, dict):
            if "bookmarks" in value:
                yield name
            elif depth > 1:
                yield from (f"{name}.{path}" for path in _paths_to_bookmarks(value, depth - 1))
