"""Changes of customers by PUT and POST (S3, S4, S9, S10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rest_framework.exceptions import ValidationError

from cube_sandbox.models import STANDARD, Crm, Customer, Definition
from cube_sandbox.project import current

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

_WRITABLE = STANDARD - {"customer_id", "updated", "updated_by", "update_method"}
_DETAILS = frozenset(
    [
        "gender",
        "birth_date",
        "need_to_know",
        "care_of_name",
        "zone_name",
        "address_street",
        "address_street_no",
        "address_entrance",
        "zip_code",
        "city",
        "municipality",
        "county",
        "country",
        "org_number",
        "org_number_main",
        "org_name",
        "nace_code",
        "nace_text",
        "number_of_employees",
        "company_type",
        "established",
        "credit_rating",
        "url",
        "company_email",
        "revenue",
        "po_box",
        "postal_address",
        "postal_zip",
        "postal_city",
    ]
)
#: Keys that a body may have to repeat the ids of the URL (T58).
_IDENTITY = frozenset(
    [
        "id",
        "customer_id",
        "external_customer_id",
        "crm__customer_id",
        "assignment_id",
        "assignment__id",
        "crm_type_id",
    ]
)


@dataclass(frozen=True, slots=True)
class Change:
    """New values of a customer by plain names."""

    fields: dict[str, object]
    details: dict[str, object]
    custom: dict[str, object]

    @classmethod
    def of(cls, body: object, crm: Crm) -> Self:
        """Parse a body with `__` keys, plain keys or labels.

        Raises:
            ValidationError: The body is not an object, or has an unknown key.
        """
        if not isinstance(body, dict):
            raise ValidationError({"non_field_errors": ["Invalid data. Expected a dictionary."]})
        numbers: dict[str, str] = {}
        for definition in Definition.objects.filter(crm=crm.id):
            numbers[definition.key] = str(definition.number)
            numbers[f"crm__custom_info__{definition.number}"] = str(definition.number)
        change = cls({}, {}, {})
        for key, value in body.items():
            name = key.removeprefix("crm__standard_info__")
            if name in _WRITABLE:
                change.fields[name] = "" if value is None else str(value)
            elif key in _DETAILS:
                change.details[key] = value
            elif key in numbers:
                change.custom[numbers[key]] = value
            elif key not in _IDENTITY:
                raise ValidationError({key: ["Unknown field."]})
        return change

    def apply(self, customer: Customer, user: str) -> None:
        """Save the change with today's date and the user."""
        signature = {
            "updated": current.get().day,
            "updated_by": user,
            "update_method": "Manual update",
        }
        customer.change({**self.fields, **signature}, self.details, self.custom)
        customer.save()

    def create(self, crm: Crm, customer_id: str, user: str) -> Customer:
        """Save a new customer.

        Raises:
            ValidationError: The CRM has a customer with this id, or the new customer has no name.
        """
        if Customer.objects.filter(crm=crm.id, customer_id=customer_id).exists():
            raise ValidationError({"customer_id": ["A customer with this id already exists."]})
        if not self.fields.get("name"):
            raise ValidationError({"name": ["This field is required."]})
        customer = Customer(crm=crm.id, customer_id=customer_id, details="{}", customs="{}")
        self.apply(customer, user)
        return customer


def required_integer(given: Mapping[str, object], name: str) -> int:
    """Return an integer of a query or a body.

    Raises:
        ValidationError: It is missing or not an integer.
    """
    value = given.get(name)
    if value is None:
        raise ValidationError({name: ["This field is required."]})
    if not str(value).isdecimal():
        raise ValidationError({name: ["A valid integer is required."]})
    return int(str(value))
