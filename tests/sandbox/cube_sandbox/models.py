"""The tables of a Cube account."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from django.db import models
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from typing import Self


#: Plain names of the customer's columns; other names are in `details`.
STANDARD = frozenset(
    [
        "customer_id",
        "name",
        "phone_1",
        "phone_2",
        "phone_3",
        "email",
        "updated",
        "updated_by",
        "update_method",
    ]
)


class Crm(models.Model):
    """The customers of one data owner and CRM type; it may have an assignment, the older name."""

    id: models.IntegerField[int, int] = models.IntegerField(primary_key=True)
    data_owner: models.IntegerField[int, int] = models.IntegerField()
    data_owner_name: models.TextField[str, str] = models.TextField()
    crm_type: models.TextField[str, str] = models.TextField()
    type_number: models.IntegerField[int, int] = models.IntegerField()
    assignment: models.IntegerField[int | None, int | None] = models.IntegerField(null=True)
    assignment_name: models.TextField[str, str] = models.TextField()

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    @override
    def __str__(self) -> str:
        """Return its name in the API's paths."""
        return f"data_owners/{self.data_owner}/{self.crm_type}"


class Definition(models.Model):
    """A custom field of one CRM (section 4). `number` is its id within the CRM."""

    id: models.AutoField[int, int] = models.AutoField(primary_key=True)
    crm: models.IntegerField[int, int] = models.IntegerField(db_index=True)
    number: models.IntegerField[int, int] = models.IntegerField()
    key: models.TextField[str, str] = models.TextField()
    type: models.TextField[str, str] = models.TextField()
    max_length: models.IntegerField[int, int] = models.IntegerField()
    hint: models.TextField[str, str] = models.TextField()

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    @override
    def __str__(self) -> str:
        """Return the custom field's label."""
        return self.key


class Customer(models.Model):
    """A customer. `id` is Cube's own number, `customer_id` the imported one (T41)."""

    id: models.AutoField[int, int] = models.AutoField(primary_key=True)
    crm: models.IntegerField[int, int] = models.IntegerField()
    customer_id: models.TextField[str, str] = models.TextField()
    name: models.TextField[str, str] = models.TextField()
    phone_1: models.TextField[str, str] = models.TextField()
    phone_2: models.TextField[str, str] = models.TextField()
    phone_3: models.TextField[str, str] = models.TextField()
    email: models.TextField[str, str] = models.TextField()
    updated: models.DateField[date | None, date | None] = models.DateField(null=True)
    updated_by: models.TextField[str, str] = models.TextField()
    update_method: models.TextField[str, str] = models.TextField()
    # JSON text, since encoding 100,000 customers one by one would slow the start of a sandbox.
    details: models.TextField[str, str] = models.TextField()
    customs: models.TextField[str, str] = models.TextField()

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        """Indexes for the two kinds of queries."""

        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["crm", "id"], name="customer_page"),
            models.Index(fields=["crm", "customer_id"], name="customer_single"),
        ]

    @override
    def __str__(self) -> str:
        """Return the imported id."""
        return self.customer_id

    @property
    def extra(self) -> dict[str, object]:
        """Address, organisation and other values of the older payloads."""
        values: dict[str, object] = json.loads(self.details)
        return values

    @property
    def custom(self) -> dict[str, object]:
        """Values of the custom fields by the number of their definition."""
        values: dict[str, object] = json.loads(self.customs)
        return values

    def change(
        self,
        fields: Mapping[str, object],
        details: Mapping[str, object],
        custom: Mapping[str, object],
    ) -> None:
        """Apply new values without saving."""
        for name, value in fields.items():
            setattr(self, name, value)
        self.details = json.dumps({**self.extra, **details}, ensure_ascii=False)
        self.customs = json.dumps({**self.custom, **custom}, ensure_ascii=False)


class Campaign(models.Model):
    """A campaign over the customers of one CRM (3.5)."""

    id: models.AutoField[int, int] = models.AutoField(primary_key=True)
    crm: models.IntegerField[int, int] = models.IntegerField()
    name: models.TextField[str, str] = models.TextField()
    start_date: models.DateField[date | None, date | None] = models.DateField(null=True)
    end_date: models.DateField[date | None, date | None] = models.DateField(null=True)
    archived_date: models.DateField[date | None, date | None] = models.DateField(null=True)
    service: models.TextField[str, str] = models.TextField()
    segment: models.TextField[str, str] = models.TextField(default="Default segment")
    # Product codes and labels, as JSON texts.
    products: models.TextField[str, str] = models.TextField(default="[]")
    outcome_extras: models.TextField[str, str] = models.TextField(default="[]")

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    @override
    def __str__(self) -> str:
        """Return the campaign's name."""
        return self.name


class CallState(models.Model):
    """The state of a customer in a campaign's call flow."""

    id: models.AutoField[int, int] = models.AutoField(primary_key=True)
    crm: models.IntegerField[int, int] = models.IntegerField()
    campaign: models.IntegerField[int, int] = models.IntegerField()
    customer: models.IntegerField[int, int] = models.IntegerField(db_index=True)
    state: models.TextField[str, str] = models.TextField()
    attempts: models.IntegerField[int | None, int | None] = models.IntegerField(null=True)
    changed: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    user: models.TextField[str, str] = models.TextField()
    cause: models.TextField[str, str] = models.TextField()
    alternative: models.TextField[str, str] = models.TextField()
    comment: models.TextField[str, str] = models.TextField()

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        """Indexes for the two kinds of queries."""

        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["campaign", "id"], name="state_of_campaign"),
            models.Index(fields=["crm", "id"], name="state_of_crm"),
        ]

    @override
    def __str__(self) -> str:
        """Return the state's name."""
        return self.state


class Outcome(models.Model):
    """The outcome of a call. The API does not return the `id`."""

    id: models.AutoField[int, int] = models.AutoField(primary_key=True)
    crm: models.IntegerField[int, int] = models.IntegerField()
    campaign: models.IntegerField[int, int] = models.IntegerField()
    customer: models.IntegerField[int, int] = models.IntegerField(db_index=True)
    type: models.TextField[str, str] = models.TextField()
    subtype: models.TextField[str, str] = models.TextField()
    comment: models.TextField[str, str] = models.TextField()
    submitted_by: models.TextField[str, str] = models.TextField()
    team: models.TextField[str, str] = models.TextField()
    submitted: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    # Values by label, as JSON text.
    extras: models.TextField[str, str] = models.TextField(default="{}")

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        """Indexes for the three kinds of queries."""

        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["campaign", "submitted"], name="outcome_of_campaign"),
            models.Index(fields=["crm", "submitted"], name="outcome_of_crm"),
            models.Index(fields=["submitted"], name="outcome_of_day"),
        ]

    @override
    def __str__(self) -> str:
        """Return type and subtype."""
        return f"{self.type}: {self.subtype}"


class Note(models.Model):
    """What somebody wrote down about a customer in a campaign: invented, no Cube has it."""

    id: models.AutoField[int, int] = models.AutoField(primary_key=True)
    campaign: models.IntegerField[int, int] = models.IntegerField(db_index=True)
    customer: models.IntegerField[int, int] = models.IntegerField(db_index=True)
    text: models.TextField[str, str] = models.TextField()
    changed: models.DateTimeField[datetime, datetime] = models.DateTimeField()

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    @override
    def __str__(self) -> str:
        """Name the note by what it says."""
        return self.text


class Registration(models.Model):
    """A product that an outcome registered, at the price of that day."""

    id: models.AutoField[int, int] = models.AutoField(primary_key=True)
    # No constraint: the code deletes the registrations before their outcome.
    outcome: models.ForeignKey[Outcome, Outcome] = models.ForeignKey(
        Outcome, on_delete=models.DO_NOTHING, db_constraint=False, related_name="registrations"
    )
    code: models.TextField[str, str] = models.TextField()
    title: models.TextField[str, str] = models.TextField()
    price: models.FloatField[float, float] = models.FloatField()
    # Values by label, as JSON text.
    extras: models.TextField[str, str] = models.TextField(default="{}")

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    @override
    def __str__(self) -> str:
        """Return the product's code."""
        return self.code
