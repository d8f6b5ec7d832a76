"""Versions: which rows of a table a full load replaces, and how the state keeps that.

Cube empties a customer's row instead of deleting it, so the old row stays in the warehouse until
something says that it has gone. Every record carries the version of its stream: the seconds since
1970 when the last full load began. When that load has read everything, ACTIVATE_VERSION lets the
target delete all rows of earlier versions. The state holds, for each stream::

    {"version": 1764212345, "activated": 1763607545,
     "since": "2024-01-01", "start": "2024-01-01", "partitions": [
        {"context": {...}, "replication_key_value": "2026-11-26", "loaded": 1764212345}]}

``version`` is that of the records, and ``activated`` the last one whose full load was complete.
``since`` is the earliest `start_date` of all runs, and ``start`` the latest one of those that had
this version. A bookmark counts only if its partition was ``loaded`` under the version of the
stream. An interrupted full load goes on with its version: partitions that it has loaded are read
from their bookmarks, the others from the beginning.

Meltano merges the state of a full refresh over the one before: objects are merged, lists replaced.
That brings keys back which a run has removed, so no mark means anything by its absence.
"""

from __future__ import annotations

import typing as t

from tap_cube.errors import StateError

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

State: t.TypeAlias = "dict[str, t.Any]"

MAX_VERSION = 2**31 - 1
"""The greatest version: targets store it as a 32-bit integer."""

MONTH: t.Final = 30 * 24 * 60 * 60
"""Seconds in which a person has to be erased (GDPR, article 12)."""

LOADED: t.Final = "loaded"
"""Mark of a partition: the version under which it was read up to its bookmark; 0 if none so far."""

EMPTIED: t.Final = "emptied"
"""Mark of a partition without rows: the last version under which it was shown so."""

DETAILS: t.Final = "details"
"""Mark of a partition: the version of the details that came with its customers.

States of earlier versions of the tap have True here.
"""

MARKS: t.Final = {LOADED, DETAILS, "replication_key_value"}
"""What only partitions have in the state that the target may have rows of."""

_VERSIONS: t.Final = ("version", "activated", LOADED, EMPTIED)


def check_versions(stream: str, state: Mapping[str, t.Any]) -> None:
    """Check the versions in the state of a stream before the first request.

    Args:
        stream: Name of the stream.
        state: Its state.

    Raises:
        StateError: If they are damaged.
    """
    parts = (state, *state.get("partitions", ()))
    numbers = [part.get(name, 0) for part in parts for name in _VERSIONS]
    numbers += [part[DETAILS] for part in parts if part.get(DETAILS) not in (None, True)]
    is_sound = all(type(each) is int and 0 <= each < MAX_VERSION for each in numbers)
    days = (state.get(name, "") for name in ("since", "start"))
    if not (is_sound and all(isinstance(each, str) for each in days)):
        msg = f"The state of stream '{stream}' is damaged. Fix or clear it, then run again."
        raise StateError(msg)


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
            state |= {"version": now, "activated": now, "since": start, "start": start}
            return cls(state, now, is_new=False)
        state["since"] = min(start, state.get("since", "")) if before else start
        if not is_full and before and any(each.get(mark) == before for each in bookmarked):
            state["start"] = max(start, state.get("start", ""))
            return cls(state, before, is_new=False)
        state |= {"version": min(max(now, before + 1), MAX_VERSION), "start": start}
        return cls(state, state["version"], is_new=True)

    @property
    def is_due(self) -> bool:
        """Whether a full load has begun, and older rows were not deleted yet."""
        return bool(self._state.get("activated") != self.number)

    @property
    def is_narrower(self) -> bool:
        """Whether a run of this version left out days that the table may hold."""
        return bool(self._state["start"] > self._state["since"])

    def is_overdue(self, now: int) -> bool:
        """Whether no full load was complete for longer than the GDPR gives to erase a person.

        Args:
            now: Seconds since 1970.
        """
        return now - int(self._state.get("activated") or self.number) > MONTH

    def activate(self) -> None:
        """Remember that the full load was complete."""
        self._state["activated"] = self.number
