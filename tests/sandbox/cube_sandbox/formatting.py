"""Formats of single values: numbers, checkboxes, and values that do not fit their field's type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cube_sandbox.faults import seeded_fraction

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from cube_sandbox.generations import CampaignForm
    from cube_sandbox.models import Definition
    from cube_sandbox.traps import Booleans, Traps

_NUMBERS = frozenset({"number", "integer"})
_CHECKED: dict[object, bool] = {True: True, "True": True, False: False, "False": False}
#: Values that do not fit the type of their field (T30, T32, T37).
_MISTYPED = {
    "number": "5,92 år",
    "integer": "Alder: 52 år",
    "date": "28.02.2015",
    "datetime": "28-11-2018 10:00 - 12:00",
    "checkbox": "kanskje",
}
_WORDS: dict[Booleans, tuple[object, object]] = {
    "python-strings": ("False", "True"),
    "json": (False, True),
    "empty-for-false": ("", True),
    "norwegian": ("Nei", "Ja"),
}


@dataclass(frozen=True, slots=True)
class ValueFormatter:
    """Formats custom values according to the traps."""

    traps: Traps
    seed: int

    def format(self, definition: Definition, custom: Mapping[str, object], customer: int) -> object:
        """Format one value; empty values stay as they are."""
        value = custom.get(str(definition.number), "")
        if is_empty(value):
            return value
        traps, kind = self.traps, definition.type
        share = traps.mistyped if kind in _MISTYPED else 0.0
        if share and seeded_fraction(self.seed, customer, definition.number) < share:
            return _MISTYPED[kind]
        if kind in _NUMBERS:
            if traps.mixed_types:
                return (_number(value), "", _MISTYPED["integer"])[customer % 3]
            if traps.numbers != "documented":
                return str(value) if traps.numbers == "strings" else _number(value)
        if kind == "checkbox" and traps.booleans != "documented" and value in _CHECKED:
            return _WORDS[traps.booleans][_CHECKED[value]]
        return value


def format_is_active(booleans: Booleans, *, is_active: bool, form: CampaignForm) -> object:
    """Format `campaign__is_active`: false in 2019-03, empty later (T36)."""
    if booleans == "documented":
        booleans = "json" if form == "2019" else "empty-for-false"
    return _WORDS[booleans][is_active]


def format_day(day: date | None) -> str:
    """Format a day as YYYY-MM-DD; no day is an empty text."""
    return "" if day is None else day.isoformat()


def is_empty(value: object) -> bool:
    """Whether a value is empty; zero and false are not."""
    return value is None or value == ""


def _number(value: object) -> object:
    """Convert text to a JSON number if it is a number."""
    try:
        number = float(str(value))
    except ValueError:
        return value
    return int(number) if number.is_integer() else number
