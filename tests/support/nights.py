"""Three nights of one account: what the tap wrote, and what the account held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from cube_sandbox import Sandbox, Traps
from cube_sandbox.clock import OSLO
from tests.support import held
from tests.support.batch_runs import into
from tests.support.runs import CRM, sync

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.held import Tables
    from tests.support.tap_process import TapRun

TODAY = date(2024, 5, 17)
ODD = "  Æ\"ø'å,;\t\\N \r\n§ linje\u2028skille\0😀 "
LARGE = 2**53 + 1
"""Not a whole number any more where numbers are floats."""
NEW = {
    "Årsbeløp på avtalen": ("number", "12.5"),
    "Antall «biler»": ("integer", LARGE),
    "Vil ha e-post": ("checkbox", "False"),
    "Født": ("date", "1814-05-17"),
    "Ringt kl.": ("datetime", "2024-10-27 02:30"),  # an hour that came twice
    "Månedens 100 %": ("text", ODD),
}
"""Custom fields of the second night: type, and the value of one customer."""
MEANWHILE = "Kom under lesingen"
"""The custom field that comes while the second night reads customers."""
CONTACTS = {
    "101": "2024-03-31 01:59",
    "102": "2024-03-31 03:00",
    "103": "2024-07-01 00:30",
    "104": "2024-12-31 23:30",
    "105": "0001-06-01 12:00",
    "106": "9999-06-01 12:00",
    "107": "0001-01-01 00:00",  # before the first year in UTC: unparsed
}
"""Customers by id, with the time of their last contact."""
MIDNIGHT = datetime.combine(TODAY, time.min, OSLO)


@dataclass(frozen=True, slots=True)
class Night:
    """A run of the tap, and what the account held after it.

    Attributes:
        is_full: Whether the run had no state.
        output: What the tap wrote.
        tables: The account's rows.
        kinds: The types of their columns that are not text.
    """

    is_full: bool
    output: TapRun
    tables: Tables
    kinds: Mapping[str, str]


def three_nights(folder: Path, *, into_files: bool) -> list[Night]:
    """A first load, a run with new fields and events, and a full load."""
    number = count()

    def night(state: Mapping[str, Any] | None = None) -> Night:
        # A folder for each night, as the tests load the files when all nights are over.
        options = into(folder / str(next(number))) if into_files else {}
        output = sync(cube, state=state, read_ahead=0, **options)
        return Night(state is None, output, held.tables(cube), held.kinds(cube))

    with Sandbox(
        customers=12,
        outcomes=8,
        anonymised=1,
        undated=1,
        page_size=5,
        today=TODAY,
        now=MIDNIGHT + timedelta(hours=4),
        traps=Traps(mistyped=0.1),
    ) as cube:
        fill(cube)
        first = night()
        change(cube)
        second = night(first.output.state)
        # Discovery read the definitions before there was this one.
        defined = second.tables["custom_fields"]
        assert MEANWHILE in {field["key"] for field in defined}
        second.tables["custom_fields"] = [f for f in defined if f["key"] != MEANWHILE]
        return [first, second, night()]


def fill(cube: Sandbox) -> None:
    """Add odd texts, times that are hard, and events with labels in Norwegian."""
    account = cube.account
    number = {label: number for number, label in account.definitions(CRM).items()}
    odd = {number["Kommentar"]: ODD, number["Postnummer"]: "0235", number["Ansatte"]: LARGE}
    account.add_customer(CRM, customer_id="007", name=ODD, custom=odd)
    for customer_id, contact in CONTACTS.items():
        custom: dict[int, object] = {number["Siste kontakt"]: contact}
        account.add_customer(CRM, customer_id=customer_id, custom=custom)
    add_events(cube, "Første", MIDNIGHT)


def add_events(cube: Sandbox, word: str, when: datetime) -> None:
    """Add an event of each kind."""
    extras = {f"{word} åpning 50 %": "Ja", "Ønsket tid": ODD}
    cube.account.add_outcome(
        2, "101", when=when, type="Sale", comment=ODD, extras=extras, product="MPA", price=0.1
    )
    cube.account.set_call_state(2, "101", state=word, when=when, comment=ODD)


def change(cube: Sandbox) -> None:
    """Add fields and events before the second night, and one field in its midst."""
    account = cube.account
    custom = {account.add_definition(CRM, label, type=kind): v for label, (kind, v) in NEW.items()}
    account.update_customer(CRM, "007", name="Å. Ny", custom=custom)
    add_events(cube, "Andre", MIDNIGHT + timedelta(hours=1))

    def meanwhile(request: Any) -> None:  # noqa: ANN401 - the sandbox's Request
        if request.row == "S1" and request.page == 2:
            cube.before_request = None
            field = account.add_definition(CRM, MEANWHILE)
            account.update_customer(CRM, "007", custom={field: ODD})

    cube.before_request = meanwhile
