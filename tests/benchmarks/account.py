"""The account for benchmarks: invented records of 51 flat fields, generated from a seed."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PAGE_SIZE = 500
FIRST_ID = 20_000_000
SEED = 1
"""All accounts begin with the same customers."""

BLOCK = 100_000
"""The number of generated customers; larger accounts repeat them with other ids."""

BOOKMARK = "2026-02-01"
"""One row in a hundred was changed on this day or later."""

CAMPAIGNS = [
    {
        "campaign__id": 1,
        "campaign__name": "Vårkampanje",
        "campaign__start_date": "2025-02-14",
        "campaign__end_date": "",
        "campaign__archived_date": "",
        "campaign__is_active": True,
        "campaign__crm_type": "B2C",
        "service__id": 2,
        "service__name": "Meetings",
        "data_owner__id": 2,
        "data_owner__name": "Eksempel AS",
    }
]
TYPES = (
    *("text",) * 10,
    *("number",) * 5,
    *("integer",) * 4,
    *("checkbox",) * 3,
    *("date",) * 3,
    *("datetime",) * 3,
)
"""Types of the 28 custom fields; their ids begin at 101."""

DEFINITIONS = [
    {
        "id": number,
        "key": f"{kind.capitalize()} {number}",
        "type": kind,
        "max_length": 200,
        "hint": "",
        "lookup__id": f"crm__custom_info__{number}",
    }
    for number, kind in enumerate(TYPES, start=101)
]
STANDARD_TEXTS = (
    "name", "phone_1", "phone_2", "phone_3", "email", "address_street", "address_street_no",
    "zip_code", "city", "municipality", "county", "country", "gender", "care_of_name",
    "org_number", "org_name", "nace_code", "url", "need_to_know",
)  # fmt: skip
"""Texts of a customer, known and unknown to the tap's list of fixed fields."""

EMPTY = 0.1
"""Share of custom fields without a value."""

MISFIT = "ca. 52 (se notat)"
"""A value that does not fit its field's type."""

_FIRST_NAMES = ("Kari", "Ola", "Åse", "Bjørn", "Ingrid", "Sindre", "Turid", "Håkon")
_LAST_NAMES = ("Eksempelsen", "Prøvestad", "Tenkvik", "Påfunn", "Oppdiktet", "Luftslott")
_CITIES = (("0150", "OSLO"), ("5003", "BERGEN"), ("7010", "TRONDHEIM"), ("9008", "TROMSØ"))
_WORDS = (
    "ringes", "etter", "klokken", "tolv", "avtale", "fornyes", "våren", "ønsker", "tilbud",
    "mobil", "bredbånd", "faktura", "kvartal", "bedrift", "møte", "innkjøp", "ledelse", "kontakt",
)  # fmt: skip


def pages(records: int, *, off_type: bool = False) -> Iterator[bytes]:
    """Generate the rows of each page, as the content of a JSON list.

    Args:
        records: The number of rows on all pages; a multiple of `PAGE_SIZE`, and of `BLOCK` if it
            exceeds one block.
        off_type: Whether one row in a hundred has a value that does not fit its field's type.
    """
    chance = random.Random(SEED)
    drawn = (
        [
            row(number, chance, off_type=off_type and number % 100 == 61)
            for number in range(first, min(first + PAGE_SIZE, records))
        ]
        for first in range(0, min(records, BLOCK), PAGE_SIZE)
    )
    texts = [
        b",".join(json.dumps(r, ensure_ascii=False, separators=(",", ":")).encode() for r in rows)
        for rows in drawn
    ]
    for block in range(-(-records // BLOCK)):
        for text in texts[: -(-(records - block * BLOCK) // PAGE_SIZE)]:
            yield text.replace(_id_in(0), _id_in(block))


def _id_in(block: int) -> bytes:
    return b'"crm__customer_id":"%d' % (FIRST_ID // BLOCK + block)


def row(number: int, chance: random.Random, *, off_type: bool) -> dict[str, object]:
    """Generate one customer."""
    texts = _texts(number, chance)
    record: dict[str, object] = {"crm__customer_id": str(FIRST_ID + number)}
    record |= {f"crm__standard_info__{name}": texts.get(name, "") for name in STANDARD_TEXTS}
    record |= {
        "crm__change_log__updated": f"2026-02-{number % 20 + 1:02}"
        if number % 100 == 37
        else _day(chance),
        "crm__change_log__updated_by": "Kari Eksempelsen",
        "crm__change_log__update_method": "Web",
    }
    record |= {
        f"crm__custom_info__{key}": _value(kind, chance) for key, kind in enumerate(TYPES, 101)
    }
    if off_type:
        typed = range(TYPES.index("number"), len(TYPES))
        record[f"crm__custom_info__{101 + typed[number // 100 % len(typed)]}"] = MISFIT
    return record


def _texts(number: int, chance: random.Random) -> dict[str, str]:
    first, last = chance.choice(_FIRST_NAMES), chance.choice(_LAST_NAMES)
    zip_code, city = chance.choice(_CITIES)
    return {
        "name": f"{first} {last}",
        "phone_1": f"+47{90_000_000 + number % 10_000_000}",
        "email": f"kunde.{number}@example.com",
        "address_street": f"Tenkte gate {number % 190 + 1}",
        "zip_code": zip_code,
        "city": city,
        "municipality": city,
        "country": "Norge",
        "gender": "K" if number % 2 else "M",
        "org_number": f"{number:09}",
        "nace_code": f"{number % 99:02}.{number % 89 + 10}",
        "need_to_know": _sentence(chance, 2),
    }


def _sentence(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(_WORDS, k=words))


def _day(chance: random.Random) -> str:
    return f"202{int(chance.random() * 6)}-{_two(chance, 12)}-{_two(chance, 28)}"


def _two(chance: random.Random, most: int) -> str:
    return f"{int(chance.random() * most) + 1:02}"


def _value(kind: str, chance: random.Random) -> object:
    if chance.random() < EMPTY:
        return "" if kind == "text" else None
    return VALUES[kind](chance)


VALUES: Mapping[str, Callable[[random.Random], object]] = {
    "text": lambda chance: chance.choice(_WORDS),
    "number": lambda chance: int(chance.random() * 10**8) / 100,
    "integer": lambda chance: int(chance.random() * 900),
    "checkbox": lambda chance: chance.random() < 1 / 2,
    "date": _day,
    "datetime": lambda chance: f"{_day(chance)}T{_two(chance, 20)}:{_two(chance, 59)}:00+01:00",
}
"""How a value of each type is generated."""
