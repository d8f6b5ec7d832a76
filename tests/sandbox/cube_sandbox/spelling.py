"""How single values are spelled: numbers, checkboxes, and values off their field's type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cube_sandbox.faults import lot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cube_sandbox.generations import CampaignForm
    from cube_sandbox.models import Definition
    from cube_sandbox.traps import Booleans, Traps

_NUMBERS = frozenset({"number", "integer"})
_CHECKED: dict[object, bool] = {True: True, "True": True, False: False, "False": False}
#: What people type into a field of another type (T30, T32, T37).
_MISFITS = {
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
class Speller:
    """Spells custom values as the traps want them."""

    traps: Traps
    seed: int

    def spell(self, definition: Definition, custom: Mapping[str, object], customer: int) -> object:
        """Spell one value; empty ones stay as they are."""
        value = custom.get(str(definition.number), "")
        if blank(value):
            return value
        traps, kind = self.traps, definition.type
        share = traps.mistyped if kind in _MISFITS else 0.0
        if share and lot(self.seed, customer, definition.number) < share:
            return _MISFITS[kind]
        if kind in _NUMBERS:
            if traps.mixed_types:
                return (_number(value), "", _MISFITS["integer"])[customer % 3]
            if traps.numbers != "documented":
                return str(value) if traps.numbers == "strings" else _number(value)
        if kind == "checkbox" and traps.booleans != "documented" and value in _CHECKED:
            return _WORDS[traps.booleans][_CHECKED[value]]
        return value


def active(booleans: Booleans, *, is_active: bool, form: CampaignForm) -> object:
    """Spell `campaign__is_active`: false in 2019-03, empty later (T36)."""
    if booleans == "documented":
        booleans = "json" if form == "2019" else "empty-for-false"
    return _WORDS[booleans][is_active]


def blank(value: object) -> bool:
    """Whether a value is empty; zero and false are not."""
    return value is None or value == ""


def _number(value: object) -> object:
    """Make a JSON number of a spelled one; what is none stays."""
    try:
        number = float(str(value))
    except ValueError:
        return value
    return int(number) if number.is_integer() else number
