"""The custom fields of a new account, with mixed types and awkward labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from cube_sandbox.people import Person

    Invent = Callable[[Random, Person], object]


@dataclass(frozen=True, slots=True)
class Kind:
    """A custom field, and the function that invents its values."""

    key: str
    type: str
    invent: Invent
    max_length: int = 200


def _day(rng: Random) -> str:
    return f"{rng.randint(1948, 2024)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def _minute(rng: Random) -> str:
    return f"{_day(rng)} {rng.randint(8, 20):02}:{rng.randint(0, 59):02}"


def _sometimes_empty(rng: Random, value: object) -> object:
    """Make a fifth of the values empty."""
    return value if rng.randrange(5) else ""


def _general(rng: Random) -> str:
    return rng.choice(("3.0", "4.0", "Standard giro", "5,92 år", "Alder: 52 år", "10,5"))


def _comment(rng: Random) -> str:
    return rng.choice(
        (
            'Ring igjen \nmellom 8 og 12 | Per\'s "kontor"',
            "Startet 2000-04-12, termin 3 | OR",
            "Linje\u2028skille; æøå ÆØÅ 100 %",
            " mellomrom til slutt ",
            "",
        )
    )


KINDS = (
    Kind("Klassifisering", "dropdown", lambda rng, _: rng.choice(("A", "A+", "B", "C"))),
    Kind("Bransje", "text", lambda rng, _: rng.choice(("PRODUKSJON", "FRISØR", "BYGG"))),
    Kind(
        "Landsforening",
        "dropdown",
        lambda rng, _: _sometimes_empty(rng, rng.choice(("BNL", "XYZ"))),
    ),
    Kind("Omsetning", "number", lambda rng, _: f"{rng.randrange(10**6, 10**10)}.0"),
    Kind(
        "Ansatte i fjor", "number", lambda rng, _: _sometimes_empty(rng, f"{rng.randrange(900)}.0")
    ),
    Kind("Etablert", "date", lambda rng, _: _sometimes_empty(rng, _day(rng))),
    Kind("Ansatte", "integer", lambda rng, _: rng.randrange(900)),
    Kind("Antall år", "integer", lambda rng, _: _sometimes_empty(rng, str(rng.randrange(40)))),
    Kind("Gateadresse", "text", lambda _, person: person.street),
    Kind("Postnummer", "text", lambda _, person: person.zip_code, max_length=4),
    Kind("Poststed", "text", lambda _, person: person.city),
    Kind("active products", "integer", lambda rng, _: _sometimes_empty(rng, str(rng.randrange(9)))),
    Kind("gen info 1", "text", lambda rng, _: _general(rng), max_length=999),
    Kind(
        "Pris på dagens avtale",
        "number",
        lambda rng, _: _sometimes_empty(rng, f"{rng.random():.2f}"),
    ),
    Kind("Siste kontakt", "datetime", lambda rng, _: _sometimes_empty(rng, _minute(rng))),
    Kind("Samtykke for TM", "checkbox", lambda rng, _: rng.choice(("True", "False", ""))),
    Kind("Fast ansatt over 50 %", "checkbox", lambda rng, _: rng.choice((True, "False", ""))),
    Kind("Org-nr", "text", lambda rng, _: f"{rng.randrange(10**8):09}", max_length=9),
    Kind("ID", "text", lambda rng, _: f"{rng.randrange(10**6):06}-{rng.randrange(9999):04}"),
    Kind("Kommentar", "text", lambda rng, _: _comment(rng), max_length=999),
    Kind("Neste fornyelse", "date", lambda rng, _: _sometimes_empty(rng, _day(rng))),
    Kind("Lånebeløp", "number", lambda rng, _: rng.choice((100200.0, 121911, "121911"))),
)

#: The ids of the fields in each of the three CRMs, with gaps and unsorted. 20 is in all three.
# fmt: off
NUMBERS = (
    (17, 388, 225, 390, 78, 253, 79, 103, 101, 102, 104,
     100, 387, 385, 391, 24, 18, 19, 20, 21, 386, 389),
    (1, 20, 220, 21, 224, 223, 222, 15, 26, 62, 64,
     65, 68, 69, 72, 33, 221, 34, 61, 63, 66, 67),
    (1405, 1406, 1410, 3900, 3901, 3902, 29, 108, 27, 28, 20,
     30, 31, 115, 116, 117, 118, 119, 120, 121, 122, 123),
)
# fmt: on
