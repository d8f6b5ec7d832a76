"""The initial content of a sandbox's database."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING

from cube_sandbox.custom_fields import KINDS, NUMBERS
from cube_sandbox.models import Campaign, Crm, Customer, Definition
from cube_sandbox.people import customer_id, people, phone, seeded_random

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

CRMS = (
    (1, "Nordlys Strøm AS", "B2C", 3, 12, "Nysalg privatkunder"),
    (2, "Fjordmedia AS", "B2B", 98, 9, "Bedriftskunder"),
    (2, "Fjordmedia AS", "B2C", 246, None, ""),
)
CAMPAIGNS = (
    (1, "Vinter 2020", 0, date(2020, 1, 2), None, None, "Meetings"),
    (2, "Mersalg B2B", 1, date(2018, 2, 14), date(2018, 3, 13), None, "Product sales"),
    (8, "Nysalg oppfølging", 1, date(2017, 2, 25), None, date(2020, 1, 30), "Product sales"),
    (9, "Abonnement høst", 2, None, None, None, "Meetings"),
)
_PRODUCTS = (("MPA",), ("MPA", "MPC", "ProdB"), ("ProdB", "ProdC"), ("STR1",))
_OUTCOME_EXTRAS = (
    ("Innkommende samtale", "Fast ansatt over 50 %", "Studielån"),
    ("Innhentet samtykke for TM", "Leveransedato", "aeaer-aeraer"),
    (),
    ("ID", "Antall år"),
)
_FIRST_ID = 971_352
_VARIETY = 199  # customers with different details and custom values; then they repeat
_METHODS = ("Import new", "Manual update", "import new", "Import update")
_EDITORS = ("admin", "owner@example.com", "agent+2@example.org")


def crms() -> list[Crm]:
    """Create the three CRMs; two of them are assignments too."""
    return [
        Crm(
            id=number,
            data_owner=data_owner,
            data_owner_name=name,
            crm_type=crm_type,
            type_number=type_number,
            assignment=assignment,
            assignment_name=assignment_name,
        )
        for number, (data_owner, name, crm_type, type_number, assignment, assignment_name) in (
            enumerate(CRMS, start=1)
        )
    ]


def campaigns(amount: int) -> list[Campaign]:
    """Create the four default campaigns, one of them archived, and then invented ones."""
    known = CAMPAIGNS[:amount]
    more = range(CAMPAIGNS[-1][0] + 1, CAMPAIGNS[-1][0] + 1 + amount - len(known))
    invented = [
        (number, f"Kampanje {number}", number % len(CRMS), None, None, None, "Product sales")
        for number in more
    ]
    return [
        Campaign(
            id=number,
            name=name,
            crm=crm + 1,
            start_date=start,
            end_date=end,
            archived_date=archived,
            service=service,
            products=json.dumps(_PRODUCTS[place % len(_PRODUCTS)]),
            outcome_extras=json.dumps(_OUTCOME_EXTRAS[place % len(_OUTCOME_EXTRAS)]),
        )
        for place, (number, name, crm, start, end, archived, service) in enumerate(
            [*known, *invented]
        )
    ]


def definitions() -> list[Definition]:
    """Create each CRM's custom fields; an id means different fields in different CRMs."""
    return [
        Definition(
            crm=crm,
            number=number,
            key=kind.key,
            type=kind.type,
            max_length=kind.max_length,
            hint="Fire siffer" if kind.max_length == 4 else "",
        )
        for crm, numbers in enumerate(NUMBERS, start=1)
        for number, kind in zip(numbers, KINDS, strict=True)
    ]


class Customers:
    """Invents the customers of one account, the same for the same seed and day.

    Args:
        seed: Determines every value.
        today: The latest date of a change.
        days: How many days there were changes on.
        integer_ids: Whether no id begins with a zero.
    """

    def __init__(self, seed: int, today: date, *, days: int, integer_ids: bool) -> None:
        """Start each CRM's count of customers at 0."""
        self._rng = seeded_random(seed)
        self._today = today
        self._days = days
        self._integer_ids = integer_ids
        self._made: dict[int, int] = {}
        self._variety: dict[int, list[tuple[str, str]]] = {}

    def next_id(self, crm: int) -> str:
        """Return the next imported id of a CRM."""
        number = self._made.get(crm, 0)
        self._made[crm] = number + 1
        return customer_id(number, integer=self._integer_ids)

    def invent(self, crm: int, amount: int) -> Iterator[Customer]:
        """Invent the next customers of a CRM."""
        rng, everybody = self._rng, people()
        variety = self._variety.setdefault(crm, [])
        for number in range(amount):
            person = everybody[(number + rng.randrange(4)) % len(everybody)]
            if len(variety) <= number % _VARIETY:
                kinds = NUMBERS[crm - 1] if crm <= len(NUMBERS) else ()
                custom = {
                    str(key): kind.invent(rng, person)
                    for key, kind in zip(kinds, KINDS, strict=False)
                }
                details = _details(rng, number, person.street, person.zip_code, person.city)
                variety.append((_text(details), _text(custom)))
            details_text, customs_text = variety[number % _VARIETY]
            yield Customer(
                crm=crm,
                customer_id=self.next_id(crm),
                name=person.name,
                phone_1=phone(rng),
                phone_2=phone(rng) if number % 3 == 0 else "",
                phone_3="",
                email=person.email if number % 5 else "",
                updated=self._today - timedelta(days=rng.randrange(self._days)),
                updated_by=_EDITORS[number % 3],
                update_method=_METHODS[number % 4],
                details=details_text,
                customs=customs_text,
            )


def fill(crm: int, customers: list[Customer], anonymised: int, undated: int) -> None:
    """Save a new account's customers: first anonymised ones, then some without a date."""
    for number, customer in enumerate(customers):
        customer.id = _FIRST_ID + (crm - 1) * 1_000_000 + number
        if number < anonymised:
            customer.customer_id = ""
            customer.change(ANONYMISED, {}, {})
            customer.details = customer.customs = "{}"
        elif number < anonymised + undated:
            customer.updated = None
    Customer.objects.bulk_create(customers, batch_size=2000)


#: Columns of an anonymised customer (T40); the id is empty too.
ANONYMISED: dict[str, object] = {
    "name": "Anonymized",
    "phone_1": "",
    "phone_2": "",
    "phone_3": "",
    "email": "",
    "updated": None,
    "updated_by": "",
    "update_method": "",
}


def _details(rng: Random, number: int, street: str, zip_code: str, city: str) -> dict[str, object]:
    return {
        "need_to_know": rng.choice(
            ("Startet 2000-04-12, termin 3 | OR", "OR", "500 mbps, 3990 kr")
        ),
        "address_street": street.rpartition(" ")[0],
        "address_street_no": int(street.rpartition(" ")[2]) if number % 4 else None,
        "zip_code": zip_code,
        "city": city,
        "county": rng.choice(("Hedmark", "Telemark", "")),
        "birth_date": f"{rng.randint(1940, 2005)}-02-{rng.randint(1, 28):02}"
        if number % 2
        else None,
        "org_number": f"{rng.randrange(10**8, 10**9)}",
        "org_name": f"{city.title()} Drift AS",
        "nace_text": "Utgivelse av blader og tidsskrifter",
        "number_of_employees": str(rng.randrange(90)),
        "company_email": "post@example.com",
    }


def _text(values: dict[str, object]) -> str:
    return json.dumps(values, ensure_ascii=False)
