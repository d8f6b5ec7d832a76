"""A target: how it loads, and what it makes of names and values."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.support import held
from tests.support.judges import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from tests.support.held import Row
    from tests.support.stored import Place, Stored

ALIKE = {"dropdown": "text", "object": "text", "checkbox": "boolean"}
"""Types of the account that are stored like another."""


@dataclass(frozen=True, slots=True)
class Target:
    """A target, and how to read what it stored.

    Attributes:
        name: What the tests call it.
        program: The file to run.
        settings: Its settings, in a place.
        read: Reads what it stored.
        types: What it stores a type as; empty where it stores none.
        arguments: Its options.
        fold: What it makes of a column's name.
        text: What it makes of a text.
        keeps_empty_text: Whether an empty text is something else than null.
        keeps_fractions: Whether times keep the fractions of their seconds.
        appends: Whether it keeps the rows of earlier loads beside those with the same keys.
        wants_files: Whether it gets BATCH messages.
    """

    name: str
    program: Path
    settings: Callable[[Place], Mapping[str, Any]]
    read: Callable[[Place], Stored]
    types: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ("--config", "settings.json")
    fold: Callable[[str], str] = str
    text: Callable[[str], str] = str
    keeps_empty_text: bool = True
    keeps_fractions: bool = True
    appends: bool = False
    wants_files: bool = False

    def load(self, output: str, place: Place) -> None:
        """Load an output of the tap to a good end, in a process that lives in Norway's zone."""
        place.loads.append(output)
        (place.folder / "settings.json").write_text(json.dumps(self.settings(place)))
        env = {"TZ": "Europe/Oslo", "DLT_DATA_DIR": str(place.folder)}
        run([str(self.program), *self.arguments], output, place.folder, env)

    def latest(
        self, rows: Iterable[Row], keys: Sequence[str], kinds: Mapping[str, str]
    ) -> list[Row]:
        """The current rows, in the form that the account's have.

        Args:
            rows: Rows in the order of the loads.
            keys: Columns of the primary key.
            kinds: The types of columns that are not text, by folded names.
        """
        found = [self._own(row) for row in rows]
        key = [self.fold(name) for name in keys]
        latest = {tuple(str(row[name]) for name in key): row for row in found}
        assert self.appends or len(latest) == len(found), "A key has several rows."
        made_up = {self.fold(name) for name in (*held.EVENTS.values(), "readable_name")}
        return [
            {
                name: self._kept(as_held(kinds.get(name, "text"), value))
                for name, value in row.items()
                if name not in made_up
            }
            for row in latest.values()
        ]

    def kept(self, row: Row) -> Row:
        """A row of the account with what the target keeps of it."""
        return {
            self.fold(name): self._kept(self.text(value) if isinstance(value, str) else value)
            for name, value in row.items()
        }

    def wrong_types(self, types: Mapping[str, str], kinds: Mapping[str, str]) -> dict[str, str]:
        """The columns of a table that have another type than they should, with their types."""
        expected = {name: self._type(kinds.get(name, "text")) for name in self._own(types)}
        return {
            name: stored
            for name, stored in self._own(types).items()
            if stored not in expected[name].split(" or ")
        }

    def _own(self, row: Mapping[str, Any]) -> Row:
        """What is not the target's own, by folded names."""
        return {self.fold(name): value for name, value in row.items() if name[0] != "_"}

    def _type(self, kind: str) -> str:
        return self.types[ALIKE.get(kind, kind)]

    def _kept(self, value: object) -> object:
        """A value with what the target keeps of it."""
        if value == "" and not self.keeps_empty_text:
            return None
        if isinstance(value, datetime) and not self.keeps_fractions:
            return value.replace(microsecond=0)
        return value


def as_held(kind: str, value: object) -> object:
    """A stored value in the form that the account's have."""
    if isinstance(value, str) and value.startswith(held.SURROGATE):
        return held.SURROGATE
    return held.read(kind, value, UTC)


def folded(name: str) -> str:
    """A name without what targets change in it."""
    return "".join(letter for letter in name.lower() if letter.isascii() and letter.isalnum())
