"""Invents events: call states, outcomes and registered products."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from cube_sandbox.clock import OSLO
from cube_sandbox.models import CallState, Campaign, Note, Outcome, Registration
from cube_sandbox.people import seeded_random

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cube_sandbox.models import Customer

_BATCH = 2000
_SPAN = timedelta(days=90)
_SALE = ("Sale", "Ja - Salg")
_TYPES = (
    ("No answer", "No answer"),
    ("Call back later", "Call back later"),
    ("Completed - No", "Har avtale | bindingstid"),
    _SALE,
    ("No answer", "Opptatt"),
    ("Completed - No", "Ønsker ikke"),
    ("Booked", "Book"),
    ("No answer", "Telefonsvarer"),
)
_STATES = ("Ready", "Sale", "Scheduled", "Completed - Yes", "Completed - No", "To Call", "Ready")
_CAUSES = (("Manually add", ""), ("Segmentation", "Segmentation"), ("Make To Call", "Make To Call"))
_AGENTS = (
    "agent@example.com",
    "agent+2@example.org",
    "kveld.øst@example.com",
    "owner@example.com",
)
_TEAMS = ("Default", "Salgsteam ABC", "Kveldslag Øst")
_COMMENTS = (
    "",
    "Ring igjen \nmellom 8 og 12 | Per's kontor",
    "",
    "Please call this customer, and say hello!",
    "Vil ha 100 % rabatt; æøå ÆØÅ\r\nringer selv",
)
_EXTRA_VALUES: dict[str, tuple[object, ...]] = {
    "Fast ansatt over 50 %": (True, "", "False"),
    "Studielån": ("", "250000", 121911.5),
    "Innhentet samtykke for TM": ("Ja", "", "Nei"),
    "Leveransedato": ("", "2020-02-12", "28.02.2015"),
    "Antall år": (3, "", "5,92 år"),
}


@dataclass(frozen=True, slots=True)
class Product:
    """A product that agents sell."""

    title: str
    price: float
    extras: tuple[tuple[str, object], ...] = ()


PRODUCTS = {
    "MPA": Product("My Product A", 149.5),
    "MPC": Product(
        "My Product C",
        599,
        (
            ("Example checkbox", "False"),
            ("Example date", ""),
            ("Example dropdown alternatives", ""),
        ),
    ),
    "ProdB": Product("Product B (årsavtale)", 2490, (("Størrelse", "XL"),)),
    "ProdC": Product("Product C", 399),
    "STR1": Product("Strøm 1 år", 0),
}


class History:
    """Invents the events of one account, the same for the same seed and day."""

    def __init__(self, seed: int, today: date) -> None:
        """Use its own random numbers, so that customers do not depend on the number of events."""
        self._rng = seeded_random(seed + 1_000_003)
        self._today = today

    def fill(self, campaign: Campaign, customers: Sequence[Customer], amount: int) -> None:
        """Save 90 days of events, up to today or to the day when the campaign was archived."""
        if not customers or not amount:
            return
        archived = campaign.archived_date
        end = self._today if archived is None else min(archived, self._today)
        recent = max(1, amount // 20) if end != archived else 0
        yesterday = end - timedelta(days=1)
        numbers = [customer.id for customer in customers]
        self.outcomes(campaign, numbers, amount - recent, (end - _SPAN, yesterday))
        self.outcomes(campaign, numbers, recent, (end, end))
        self.states(campaign, numbers[::2][:amount], (end - _SPAN, yesterday))

    def states(self, campaign: Campaign, customers: Sequence[int], days: tuple[date, date]) -> None:
        """Save a call state for each customer, changed on one of the days."""
        made = []
        for number, customer in enumerate(customers):
            cause, alternative = _CAUSES[number % 3]
            state = CallState(
                crm=campaign.crm,
                campaign=campaign.id,
                customer=customer,
                state=_STATES[number % len(_STATES)],
                attempts=number % 10 or None,
                changed=self._moment(days, number, len(customers)),
                user=("manual", *_AGENTS)[number % 5],
                cause=cause,
                alternative=alternative,
                comment="",
            )
            made.append(state)
        CallState.objects.bulk_create(made, batch_size=_BATCH)

    def outcomes(
        self, campaign: Campaign, customers: Sequence[int], amount: int, days: tuple[date, date]
    ) -> None:
        """Save outcomes, spread evenly over the days; each sale registers a product."""
        rng, products = self._rng, json.loads(campaign.products)
        extras = _extras(json.loads(campaign.outcome_extras))
        made: list[Outcome] = []
        sold: list[Registration] = []
        for number in range(amount):
            kind = rng.choice(_TYPES)
            outcome = Outcome(
                crm=campaign.crm,
                campaign=campaign.id,
                customer=rng.choice(customers),
                type=kind[0],
                subtype=kind[1],
                comment=_COMMENTS[number % len(_COMMENTS)],
                submitted_by=_AGENTS[number % len(_AGENTS)],
                team=_TEAMS[number % len(_TEAMS)],
                submitted=self._moment(days, number, amount),
                extras=extras[number % len(extras)],
            )
            made.append(outcome)
            if kind is _SALE and products:
                sold.append(registration(outcome, products[len(sold) % len(products)]))
        Outcome.objects.bulk_create(made, batch_size=_BATCH)
        Registration.objects.bulk_create(sold, batch_size=_BATCH)

    def notes(self, campaign: Campaign, customers: Sequence[Customer], amount: int) -> None:
        """Save notes about customers in turn, one a day, the last on the day before the end."""
        end = min(campaign.archived_date or self._today, self._today)
        Note.objects.bulk_create(
            Note(
                campaign=campaign.id,
                customer=customers[number % len(customers)].id,
                text=_COMMENTS[number % len(_COMMENTS)],
                changed=datetime.combine(
                    end - timedelta(days=amount - number), time(12, 30), tzinfo=OSLO
                ),
            )
            for number in range(amount if customers else 0)
        )

    def _moment(self, days: tuple[date, date], number: int, amount: int) -> datetime:
        """Choose a time in office hours; for today in the first minute after midnight."""
        first, last = days
        day = first + timedelta(days=number * ((last - first).days + 1) // amount)
        milliseconds = self._rng.randrange(12 * 3_600_000)
        opened = 8
        if day == self._today:
            opened, milliseconds = 0, milliseconds % 60_000
        opening = datetime.combine(day, time(opened))
        return (opening + timedelta(milliseconds=milliseconds)).replace(tzinfo=OSLO)


def registration(outcome: Outcome, code: str, price: float | None = None) -> Registration:
    """Create the registration of a product without saving it."""
    product = PRODUCTS.get(code, Product(f"Product {code}", 99))
    return Registration(
        outcome=outcome,
        code=code,
        title=product.title,
        price=product.price if price is None else price,
        extras=json.dumps(dict(product.extras), ensure_ascii=False),
    )


def _extras(labels: Sequence[str]) -> list[str]:
    """Make a few sets of values as JSON texts; encoding one for each outcome would be slow."""
    return [
        json.dumps({label: _EXTRA_VALUES.get(label, ("",) * 3)[number] for label in labels})
        for number in range(3)
    ]
