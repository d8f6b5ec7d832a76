"""Edits of a sandbox's database without the API, from any thread."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from cube_sandbox import content, filling
from cube_sandbox.edits import Where, find_crm
from cube_sandbox.event_edits import EventEdits, delete_events
from cube_sandbox.models import STANDARD, Crm, Customer, Definition
from cube_sandbox.note_edits import NoteEdits

if TYPE_CHECKING:
    from collections.abc import Collection

    from django.db.models import QuerySet

    from cube_sandbox.sandbox import Sandbox
    from cube_sandbox.versions import Versions

__all__ = ["Account", "Where"]


class Account(EventEdits, NoteEdits):
    """The content of one sandbox.

    `where` is an assignment id (`9`) or a data owner and CRM type (`(2, "B2B")`). Assignment 9 is
    an older name of (2, "B2B"), 12 of (1, "B2C").
    """

    def __init__(self, cube: Sandbox, versions: Versions | None) -> None:
        """Edit a sandbox whose database is registered."""
        super().__init__(cube)
        self._versions = versions
        self._customers = filling.inventor(cube)
        self._definitions = itertools.count()

    @property
    def crms(self) -> list[tuple[int, str]]:
        """Data owner and CRM type of every CRM."""
        with self._database():
            return [(crm.data_owner, crm.crm_type) for crm in Crm.objects.order_by("id")]

    @property
    def assignments(self) -> list[int]:
        """Ids of the assignments, ascending."""
        with self._database():
            found = Crm.objects.order_by("assignment").values_list("assignment", flat=True)
            return [assignment for assignment in found if assignment is not None]

    def customer_ids(self, where: Where) -> list[str]:
        """List a CRM's imported ids in the API's order; those of anonymised customers are empty."""
        with self._database():
            rows = _customers(where).order_by("id")
            return list(rows.values_list("customer_id", flat=True))

    def definitions(self, where: Where) -> dict[int, str]:
        """Map a CRM's custom field ids to their labels."""
        with self._database():
            rows = Definition.objects.filter(crm=find_crm(where).id).order_by("id")
            return {row.number: row.key for row in rows}

    def count(self, where: Where) -> int:
        """Count a CRM's customers."""
        with self._database():
            return _customers(where).count()

    def add_customer(
        self, where: Where, *, custom: dict[int, object] | None = None, **fields: object
    ) -> str:
        """Add a customer and return the imported id.

        Values missing in `fields` are invented. By default, `updated` is today and custom fields
        are empty.
        """
        with self._database():
            crm = find_crm(where)
            (customer,) = self._customers.invent(crm.id, 1)
            customer.customs = "{}"
            customer.updated = self._cube.day
            _apply(customer, fields, custom)
            customer.save()
            return customer.customer_id

    def update_customer(
        self,
        where: Where,
        customer_id: str,
        *,
        custom: dict[int, object] | None = None,
        **fields: object,
    ) -> None:
        """Change a customer; `updated` (a date or None) is today by default."""
        with self._database():
            customer = _customers(where).get(customer_id=customer_id)
            changed = {"updated": self._cube.day, "update_method": "Manual update"}
            _apply(customer, {**changed, **fields}, custom)
            customer.save()

    def delete_customer(self, where: Where, customer_id: str) -> None:
        """Delete a customer and its events."""
        self.delete(where, [customer_id])

    def insert(self, where: Where, amount: int) -> list[str]:
        """Add invented customers and return their imported ids."""
        with self._database():
            customers = list(self._customers.invent(find_crm(where).id, amount))
            Customer.objects.bulk_create(customers)
            return [customer.customer_id for customer in customers]

    def delete(self, where: Where, customer_ids: Collection[str]) -> None:
        """Delete customers by their imported ids."""
        with self._database():
            wanted = set(customer_ids)
            rows = _customers(where).values_list("id", "customer_id")
            numbers = [number for number, customer_id in rows if customer_id in wanted]
            delete_events(numbers)
            Customer.objects.filter(id__in=numbers).delete()

    def anonymise(self, where: Where, customer_id: str) -> None:
        """Empty a customer, also in its events; the name is replaced, the id removed (T40)."""
        with self._database():
            customer = _customers(where).get(customer_id=customer_id)
            customer.customer_id = ""
            customer.details = customer.customs = "{}"
            customer.change(content.ANONYMISED, {}, {})
            customer.save()

    def add_definition(
        self,
        where: Where,
        key: str,
        *,
        type: str = "text",  # noqa: A002 - the attribute's own name in the API
        max_length: int = 200,
        hint: str = "",
    ) -> int:
        """Add a custom field to a CRM and return its id."""
        with self._database():
            number = next(self._definitions)
            Definition.objects.create(
                crm=find_crm(where).id,
                number=number,
                key=key,
                type=type,
                max_length=max_length,
                hint=hint,
            )
            return number

    def retype_definition(self, where: Where, number: int, type: str) -> None:  # noqa: A002 - likewise
        """Change the type of a CRM's custom field."""
        with self._database():
            Definition.objects.filter(crm=find_crm(where).id, number=number).update(type=type)

    def rename_definition(self, where: Where, number: int, key: str) -> None:
        """Change the label of a CRM's custom field."""
        with self._database():
            Definition.objects.filter(crm=find_crm(where).id, number=number).update(key=key)

    def delete_definition(self, where: Where, number: int) -> None:
        """Delete a custom field of a CRM; the API no longer returns its values."""
        with self._database():
            Definition.objects.filter(crm=find_crm(where).id, number=number).delete()

    def fill(self) -> None:
        """Create the tables of an empty database and fill them."""
        if not self._restore():
            filling.build(self._cube)
            self._invent()

    def refill(self) -> None:
        """Replace the content according to the sandbox's current options."""
        if not self._restore():
            self._invent()
        self._cube.known_tokens.clear()

    def _restore(self) -> bool:
        """Take a copy of the content, if it was made before."""
        self._definitions = itertools.count(5001)
        kept = filling.restore(self._cube)
        self._customers = kept or filling.inventor(self._cube)
        if kept:
            self._name_content()
        return kept is not None

    def _invent(self) -> None:
        options = filling.options(self._cube)
        with self._database():
            filling.fill(self._cube, self._customers)
        if filling.options(self._cube) == options:  # it is the same day
            filling.keep(self._cube, self._customers)
            self._name_content()

    def _name_content(self) -> None:
        if self._versions is not None:
            self._versions.name(filling.options(self._cube))


def _customers(where: Where) -> QuerySet[Customer]:
    return Customer.objects.filter(crm=find_crm(where).id)


def _apply(customer: Customer, fields: dict[str, object], custom: dict[int, object] | None) -> None:
    """Apply values by plain names: to their columns, or else to the details."""
    customer.change(
        {name: value for name, value in fields.items() if name in STANDARD},
        {name: value for name, value in fields.items() if name not in STANDARD},
        {str(number): value for number, value in (custom or {}).items()},
    )
