"""Versions: which rows of a table a full load replaces, and how the state keeps that.

Cube empties a customer's row instead of deleting it, so the old row stays in the warehouse until
something says that it has gone. Every record carries the version of its stream: the seconds since
1970 when the last full load began. When that load has read everything, ACTIVATE_VERSION lets the
target delete all rows of earlier versions. The state holds, for each stream::

    {"version": 1764212345, "activated": 1763607545, "since": "2024-01-01", "partitions": [
        {"context": {...}, "replication_key_value": "2026-11-26", "loaded": 1764212345}]}

``version`` is that of the records, ``activated`` the last one whose full load was complete, and
``since`` the `start_date` of the table. A bookmark counts only if its partition was ``loaded``
under the version of the stream. An interrupted full load goes on with its version: partitions that
it has loaded are read from their bookmarks, the others from the beginning.

Meltano merges the state of a full refresh over the one before: objects are merged, lists replaced.
That brings keys back which a run has removed, so no mark means anything by its absence.
"""

from __future__ import annotations

import typing as t

from tap_cube.errors import CubeError

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

State: t.TypeAlias = "dict[str, t.Any]"

MAX_VERSION = 2**31 - 1
"""The greatest version: targets store it as a 32-bit integer."""

LOADED: t.Final = "loaded"
"""Mark of a partition: the version under which it was read up to its bookmark."""

DETAILS: t.Final = "details"
"""Mark of a partition: the version of the details that came with its customers.

States of earlier versions of the tap have True here.
"""


def check_versions(stream: str, state: Mapping[str, t.Any]) -> None:
    """Check the versions in the state of a stream before the first request.

    Args:
        stream: Name of the stream.
        state: Its state.

    Raises:
        CubeError: If they are damaged.
    """
    numbers = (state.get(name, 0) for name in ("version", "activated"))
    is_sound = all(type(each) is int and 0 <= each <= MAX_VERSION for each in numbers)
    if not (is_sound and isinstance(state.get("since", ""), str)):
        msg = f"The state of stream '{stream}' is damaged. Fix or clear it, then run again."
        raise CubeError(msg)


class TableVersion:
    """The version of the rows of one stream.

    Args:
        state: The stream's state.
        number: The version.
        is_new: Whether a full load begins with this run.
    """

    def __init__(self, state: State, number: int, *, is_new: bool) -> None:
        self._state = state
        self.number = number
        self.is_new = is_new

    @classmethod
    def of_state(  # noqa: PLR0913 - all that the decision depends on
        cls,
        state: State,
        partitions: Iterable[State],
        mark: str,
        *,
        now: int,
        start: str,
        is_full: bool,
    ) -> t.Self:
        """Decide the version of a run, and write it into the state.

        It is that of the state if a partition was read under it. Bookmarks of earlier versions of
        the tap have no version; they are taken for those of a load that was complete.

        Args:
            state: The stream's state.
            partitions: The parts of a state that may hold bookmarks.
            mark: `LOADED` or `DETAILS`.
            now: Seconds since 1970.
            start: First day to read; "" to read all.
            is_full: Whether the run reads everything, whatever the bookmarks.
        """
        before = state.get("version", 0)
        bookmarked = [each for each in partitions if each.get("replication_key_value") is not None]
        unversioned = None if mark == LOADED else True
        earlier = [each for each in bookmarked if each.get(mark) is unversioned]
        if not is_full and not before and earlier:
            for each in earlier:
                each[mark] = now
            state |= {"version": now, "activated": now, **({"since": start} if start else {})}
            return cls(state, now, is_new=False)
        if not is_full and before and any(each.get(mark) == before for each in bookmarked):
            return cls(state, before, is_new=False)
        number = min(max(now, before + 1), MAX_VERSION)
        state["version"] = number
        since = min(start, state.get("since", "")) if before else start
        if since or "since" in state:
            state["since"] = since
        return cls(state, number, is_new=True)

    @property
    def is_due(self) -> bool:
        """Whether a full load has begun, and older rows were not deleted yet."""
        return bool(self._state.get("activated") != self.number)

    def begins_at(self, start: str) -> bool:
        """Whether the table holds rows from just this day on; "" for all."""
        return bool(self._state.get("since", "") == start)

    def activate(self) -> None:
        """Remember that the full load was complete."""
        self._state["activated"] = self.number
