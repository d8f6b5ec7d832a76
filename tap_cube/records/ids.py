"""Ids in every spelling that Cube may send, and keys in which two kinds of ids never meet."""

from __future__ import annotations

import re
import typing as t
from decimal import Decimal

from tap_cube.records.codec import MAX_DIGITS

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_WHOLE = re.compile(r"\s*0*([0-9]{1,18})(?:\.0+)?\s*")
_END = 10**18

IMPORTED: t.Final = "imported:"
INTERNAL: t.Final = "id:"
SURROGATE: t.Final = "surrogate:"
_PREFIXES = (INTERNAL, SURROGATE, IMPORTED)
_LINES = [f"\n{prefix}" for prefix in _PREFIXES]


def whole_id(value: object) -> int | None:
    """Read the id of a campaign, an assignment, a data owner or a definition.

    It is documented as a number, but any field may have any scalar type, and other numbers come as
    text (T28): ``1``, ``1.0``, ``"1"`` and ``"1.0"`` are the same id.

    Returns:
        The id as paths have it: a whole number from 0 on, of at most 18 digits; None for anything
        else.
    """
    if isinstance(value, str):
        match = _WHOLE.fullmatch(value)
        return int(match[1]) if match else None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return int(value) if 0 <= value < _END and value == int(value) else None


def by_id(rows: Iterable[Mapping[str, t.Any]], name: str) -> dict[int, dict[str, t.Any]]:
    """Rows by a field that holds their id, which becomes a number.

    Of several rows with one id the last stays. Rows without a readable id are left out.
    """
    numbered = ((whole_id(row.get(name)), row) for row in rows)
    return {number: {**row, name: number} for number, row in numbered if number is not None}


def id_text(value: object) -> str | None:
    """Read the id of a customer, which may be any text.

    Texts are kept to the letter, since zeros in front count (T31). The number 900001.0 is the id
    900001. A number with a fraction keeps all its digits, so that no two ids become one.

    Args:
        value: The decoded value, with numbers as integers or `Decimal`.

    Returns:
        The id; None for an empty text, a boolean, a list or an object.
    """
    if value is None or value == "":
        return None
    if isinstance(value, Decimal):
        is_whole = value.adjusted() < MAX_DIGITS and value == value.to_integral_value()
        return str(int(value) if is_whole else value)
    return str(value) if type(value) in {str, int} else None


def imported_key(customer_id: str | None) -> str | None:
    """Key of a customer with an imported id: the id itself, but for one that looks like another.

    The tap's own keys begin with `INTERNAL` or `SURROGATE`. An imported id that begins so, or with
    `IMPORTED`, gets `IMPORTED` in front, so that no key stands for two customers.
    """
    if customer_id is None or not customer_id.startswith(_PREFIXES):
        return customer_id
    return IMPORTED + customer_id


def imported_keys(customer_ids: Sequence[str]) -> Sequence[str]:
    """Keys of customers with these imported ids, as `imported_key`."""
    text = "\n".join(["", *customer_ids])
    if not any(begin in text for begin in _LINES):
        return customer_ids
    return [IMPORTED + each if each.startswith(_PREFIXES) else each for each in customer_ids]
