"""Edits of a sandbox's database behind the API's back, from any thread."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connections, transaction
from rest_framework.authtoken.models import Token

from cube_sandbox import content
from cube_sandbox.models import STANDARD, Campaign, Crm, Customer, Definition
from cube_sandbox.project import current, release

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import date

    from django.db.models import QuerySet

    from cube_sandbox.sandbox import Sandbox

#: An assignment's id, or a data owner's id and a CRM type.
Where = int | tuple[int, str]
_CONTENT = (Token, Crm, Definition, Customer, Campaign)


class Account:
    """The content of one sandbox.

    Customers are found by assignment id (`9`) or by data owner and CRM type (`(2, "B2B")`);
    assignment 9 is an older name of (2, "B2B"), 12 of (1, "B2C").
    """

    def __init__(self, cube: Sandbox) -> None:
        """Belong to a sandbox whose database is registered already."""
        self._cube = cube
        self._customers = content.Customers(0, cube.day, integer_ids=False)
        self._definitions = itertools.count()

    @contextmanager
    def _database(self) -> Iterator[None]:
        """Direct queries to the sandbox's database, and leave no connection in this thread."""
        before = current.set(self._cube)
        try:
            with transaction.atomic(using=self._cube.database):
                yield
        finally:
            current.reset(before)
            if current.get(None) is None:
                release(self._cube.database)

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

    @property
    def campaigns(self) -> list[int]:
        """Ids of the campaigns, ascending."""
        with self._database():
            return list(Campaign.objects.order_by("id").values_list("id", flat=True))

    def customer_ids(self, where: Where) -> list[str]:
        """List a CRM's imported ids in the order of the API; anonymised ones are empty."""
        with self._database():
            rows = _customers(where).order_by("id")
            return list(rows.values_list("customer_id", flat=True))

    def definitions(self, where: Where) -> dict[int, str]:
        """Map a CRM's custom field ids to their labels."""
        with self._database():
            rows = Definition.objects.filter(crm=find(where).id).order_by("id")
            return {row.number: row.key for row in rows}

    def count(self, where: Where) -> int:
        """Count a CRM's customers."""
        with self._database():
            return _customers(where).count()

    def add_customer(
        self, where: Where, *, custom: dict[int, object] | None = None, **fields: object
    ) -> str:
        """Add a customer, invented where `fields` are silent, and return the imported id.

        `updated` is today unless given; custom fields are empty unless given.
        """
        with self._database():
            crm = find(where)
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
        """Change a customer; `updated` becomes today unless given (a date or None)."""
        with self._database():
            customer = _customers(where).get(customer_id=customer_id)
            changed = {"updated": self._cube.day, "update_method": "Manual update"}
            _apply(customer, {**changed, **fields}, custom)
            customer.save()

    def delete_customer(self, where: Where, customer_id: str) -> None:
        """Delete a customer; the API shows no trace of it."""
        self.delete(where, [customer_id])

    def insert(self, where: Where, amount: int) -> list[str]:
        """Add invented customers and return their imported ids."""
        with self._database():
            customers = list(self._customers.invent(find(where).id, amount))
            Customer.objects.bulk_create(customers)
            return [customer.customer_id for customer in customers]

    def delete(self, where: Where, customer_ids: Collection[str]) -> None:
        """Delete customers by their imported ids."""
        with self._database():
            wanted = set(customer_ids)
            rows = _customers(where).values_list("id", "customer_id")
            numbers = [number for number, customer_id in rows if customer_id in wanted]
            Customer.objects.filter(id__in=numbers).delete()

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
                crm=find(where).id,
                number=number,
                key=key,
                type=type,
                max_length=max_length,
                hint=hint,
            )
            return number

    def delete_definition(self, where: Where, number: int) -> None:
        """Delete a custom field of a CRM; its values are no longer shown."""
        with self._database():
            Definition.objects.filter(crm=find(where).id, number=number).delete()

    def add_campaign(  # noqa: PLR0913 - the columns of a campaign
        self,
        where: Where,
        name: str,
        *,
        start_date: date | None = None,
        end_date: date | None = None,
        archived_date: date | None = None,
        service: str = "Product sales",
    ) -> int:
        """Add a campaign over a CRM's customers and return its id."""
        with self._database():
            campaign = Campaign.objects.create(
                crm=find(where).id,
                name=name,
                start_date=start_date,
                end_date=end_date,
                archived_date=archived_date,
                service=service,
            )
            return campaign.id

    def build(self) -> None:
        """Make the tables of an empty database."""
        with connections[self._cube.database].schema_editor() as editor:
            for model in (ContentType, Permission, Group, User, *_CONTENT):
                editor.create_model(model)

    def refill(self) -> None:
        """Replace everything by what the sandbox's present options ask for."""
        cube = self._cube
        integer_ids = cube.era.integer_ids
        self._customers = content.Customers(cube.seed, cube.day, integer_ids=integer_ids)
        self._definitions = itertools.count(5001)
        with self._database():
            for model in (*_CONTENT, User):
                model.objects.all().delete()
            with connections[cube.database].cursor() as cursor:
                cursor.execute("DELETE FROM sqlite_sequence")
            user = User.objects.create_user(cube.username, password=cube.password)
            Token.objects.create(user=user, key=cube.token)
            crms = Crm.objects.bulk_create(content.crms())
            Definition.objects.bulk_create(content.definitions())
            Campaign.objects.bulk_create(content.campaigns())
            for crm in crms:
                customers = list(self._customers.invent(crm.id, cube.customers))
                content.fill(crm.id, customers, cube.anonymised, cube.undated)


def find(where: Where) -> Crm:
    """Find a CRM by its older or its newer name.

    Raises:
        Crm.DoesNotExist: The account has no such assignment or CRM.
    """
    if isinstance(where, int):
        return Crm.objects.get(assignment=where)
    data_owner, crm_type = where
    return Crm.objects.get(data_owner=data_owner, crm_type=crm_type)


def _customers(where: Where) -> QuerySet[Customer]:
    return Customer.objects.filter(crm=find(where).id)


def _apply(customer: Customer, fields: dict[str, object], custom: dict[int, object] | None) -> None:
    """Take over plain names: columns of their own, the rest among the details."""
    customer.change(
        {name: value for name, value in fields.items() if name in STANDARD},
        {name: value for name, value in fields.items() if name not in STANDARD},
        {str(number): value for number, value in (custom or {}).items()},
    )
