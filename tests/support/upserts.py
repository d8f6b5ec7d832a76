"""A warehouse in memory: rows by their keys, in columns that may not change from night to night."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.tap_process import TapRun

Row = dict[str, Any]

UNKNOWN = {"type": ["string", "null"]}
"""A key that is neither documented nor defined; a run declares it if a first page has it."""


class Upserts:
    """What a target that upserts holds after several runs."""

    def __init__(self) -> None:
        """Begin empty."""
        self.rows: dict[str, dict[tuple[Any, ...], Row]] = {}
        self.columns: dict[str, dict[str, list[str]]] = {}
        self.state: dict[str, Any] | None = None

    def load(self, run: TapRun) -> None:
        """Load a run, whatever its end.

        Raises:
            AssertionError: If the type of a column is another, or if one is missing that the
                documents or a definition declare.
        """
        declared: set[str] = set()
        for message in run.messages:
            name = message.get("stream", "")
            if message["type"] == "SCHEMA":
                self._declare(name, message, is_first=name not in declared)
                declared.add(name)
                keys = message["key_properties"]
                self.rows.setdefault(name, {})
            elif message["type"] == "RECORD":
                record = message["record"]
                self.rows[name][tuple(record[key] for key in keys)] = record
        self.state = run.state or self.state

    def _declare(self, name: str, message: dict[str, Any], *, is_first: bool) -> None:
        types = {
            column: [*schema["type"], schema.get("format", "")]
            for column, schema in message["schema"]["properties"].items()
            if schema != UNKNOWN and "__extra__" not in column
        }
        known = self.columns.setdefault(name, types)
        if is_first:
            assert types.keys() >= known.keys(), f"{name} lost {known.keys() - types.keys()}"
        changed = [each for each in types.keys() & known.keys() if types[each] != known[each]]
        assert not changed, f"{name} has columns of another type"
