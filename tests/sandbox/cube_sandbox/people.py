"""Invented people: names are random, e-mail addresses end in example.com or example.org."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from faker import Faker
from faker.generator import Generator

if TYPE_CHECKING:
    from random import Random

_POOL = 400
_TRADES = ("Produksjon AS", "Hårklipperi AS", "Ølutsalg")


@dataclass(frozen=True, slots=True)
class Person:
    """An invented person, from whom customers are made."""

    name: str
    email: str
    street: str
    zip_code: str
    city: str


@functools.cache
def people() -> tuple[Person, ...]:
    """Invent a few hundred people, the same in every process."""
    fake = Faker("no_NO")
    fake.seed_instance(4711)
    letters = str.maketrans({"å": "a", "ø": "o", "æ": "e", " ": ".", "-": "."})
    everybody = []
    for number in range(_POOL):
        first = fake.last_name() if number % 3 == 0 else fake.first_name()
        name = f"{first} {_TRADES[number % 9 // 3] if number % 3 == 0 else fake.last_name()}"
        user = name.lower().translate(letters).strip(".")
        everybody.append(
            Person(
                name=name,
                email=f"{user}+{number}@example.{('com', 'org')[number % 2]}",
                street=fake.street_name() + f" {number % 90 + 1}",
                zip_code=f"{number * 23 % 9990:04}",
                city=fake.city().upper(),
            )
        )
    return tuple(everybody)


def seeded_random(seed: int) -> Random:
    """Return a random number generator with a seed."""
    generator = Generator()
    generator.seed_instance(seed)
    return generator.random


def customer_id(number: int, *, integer: bool) -> str:
    """Make an imported id of 4 to 12 digits, every seventh with a leading zero unless `integer`.

    The five forms differ in length, so no two numbers have the same id.
    """
    forms = (
        str(1000 + number),
        f"{'5' if integer else '0'}{50_000_000 + number}",
        str(9_120_011_000 + 37 * number),
        str(20_000_000 + number),
        str(999_000_000_000 + 1009 * number),
        str(1000 + number),
        str(20_000_000 + number),
    )
    return forms[number % len(forms)]


def phone(rng: Random) -> str:
    """Invent a telephone number in one of three formats of the country code."""
    return f"{rng.choice(('', '', '+47', '0047'))}{rng.randrange(90_000_000, 100_000_000)}"
