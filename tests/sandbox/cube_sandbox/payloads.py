"""The families of customer records, with the keys of section 3 of `docs/api.md`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cube_sandbox.formatting import ValueFormatter, format_day, is_empty

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cube_sandbox.models import Crm, Customer, Definition
    from cube_sandbox.traps import Traps

#: `underscores` is 3.2, `plain` 3.6 with an assignment, `draft` 3.6 with a CRM type, `2016` 3.7.
Family = Literal["underscores", "plain", "draft", "2016"]
Record = dict[str, object]

_PLAIN = [
    "name",
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
    "phone_1",
    "phone_2",
    "phone_3",
    "email",
]
_2016 = [
    "care_of_name",
    "address_street",
    "address_street_no",
    "address_entrance",
    "zip_code",
    "city",
    "municipality",
    "county",
    "country",
    "phone_1",
    "phone_2",
    "phone_3",
    "email",
    "more_info_fields",
    "updated",
    "updated_by",
    "update_method",
    "org_number",
    "org_number_main",
    "org_name",
    "nace_code",
    "nace_text",
    "number_of_employees",
    "company_type",
    "established",
    "credit_rating",
    "need_to_know",
    "url",
    "company_email",
    "revenue",
    "po_box",
    "postal_address",
    "postal_zip",
    "postal_city",
]
#: Plain keys that are null when empty, in a list and in a single record; the others are "" (T33).
_NULL_IN_LIST = frozenset({"birth_date", "address_street_no", "municipality", "phone_3"})
_NULL_IN_SINGLE = frozenset({"birth_date", "address_street_no", "care_of_name"})


@dataclass(frozen=True, slots=True)
class RecordBuilder:
    """Turns the customers of one CRM into records of one family."""

    family: Family
    crm: Crm
    definitions: Sequence[Definition]
    traps: Traps
    seed: int
    change_log: bool
    single: bool = False

    def records(self, customers: Sequence[Customer]) -> list[Record]:
        """Build a record for each customer."""
        formatter = ValueFormatter(self.traps, self.seed)
        make = {
            "underscores": self._underscores,
            "plain": self._plain,
            "draft": self._plain,
            "2016": self._2016,
        }[self.family]
        return [make(customer, formatter) for customer in customers]

    def _underscores(self, customer: Customer, formatter: ValueFormatter) -> Record:
        empty = None if self.traps.empty_standard == "null" else ""
        customer_id: object = customer.customer_id
        if self.traps.customer_id_integer:
            customer_id = _integer(customer.customer_id, empty)
        record: Record = {
            "crm__customer_id": customer_id or empty,
            "crm__standard_info__name": customer.name or empty,
            "crm__standard_info__phone_1": customer.phone_1 or empty,
            "crm__standard_info__phone_2": customer.phone_2 or empty,
            "crm__standard_info__phone_3": customer.phone_3 or empty,
            "crm__standard_info__email": customer.email or empty,
        }
        if self.change_log:
            record["crm__change_log__updated"] = format_day(customer.updated) or empty
            record["crm__change_log__updated_by"] = customer.updated_by or empty
            record["crm__change_log__update_method"] = customer.update_method or empty
        custom = customer.custom
        for definition in self.definitions:
            value = formatter.format(definition, custom, customer.id)
            if not is_empty(value):
                record[f"crm__custom_info__{definition.number}"] = value
            elif self.traps.empty_customs != "absent":
                empty_custom = None if self.traps.empty_customs == "null" else ""
                record[f"crm__custom_info__{definition.number}"] = empty_custom
        return record

    def _plain(self, customer: Customer, formatter: ValueFormatter) -> Record:
        nulls = _NULL_IN_SINGLE if self.single else _NULL_IN_LIST
        values = _values(customer)
        record: Record = {"id": customer.id}
        if not self.single:
            record["customer_id"] = _integer(customer.customer_id, None)
        if self.family == "draft":
            record["crm_type_id"] = self.crm.type_number
        else:
            record["assignment_id"] = self.crm.assignment
        for key in _PLAIN:
            value = values.get(key)
            record[key] = self._empty(key in nulls) if is_empty(value) else value
        self._labels(record, customer, formatter, "null")
        if self.single:
            record["external_customer_id"] = _integer(customer.customer_id, None)
        return record

    def _2016(self, customer: Customer, formatter: ValueFormatter) -> Record:
        values = _values(customer)
        record: Record = {
            "customer_id": _integer(customer.customer_id, None),
            "name": customer.name,
            "gender": values.get("gender"),
            "birth_date": values.get("birth_date"),
            "assignment_id": self.crm.assignment,
        }
        for key in _2016:
            value = {} if key == "more_info_fields" else values.get(key)
            record[key] = self._empty(null=True) if is_empty(value) else value
        self._labels(record, customer, formatter, "absent")
        return record

    def _empty(self, null: bool) -> str | None:  # noqa: FBT001 - the flag is the only argument
        if self.traps.empty_standard is not None:
            null = self.traps.empty_standard == "null"
        return None if null else ""

    def _labels(
        self, record: Record, customer: Customer, formatter: ValueFormatter, default: str
    ) -> None:
        """Add custom fields under their bare labels; a fixed key of that name wins (T49)."""
        default = default if self.traps.empty_customs is None else self.traps.empty_customs
        custom = customer.custom
        for definition in self.definitions:
            value = formatter.format(definition, custom, customer.id)
            if not is_empty(value):
                record.setdefault(definition.key, value)
            elif default != "absent":
                record.setdefault(definition.key, None if default == "null" else "")


def definition_record(definition: Definition, traps: Traps) -> Record:
    """Build the record of a custom field in one of the variants of section 4."""
    lookup = {"lookup__id": f"crm__custom_info__{definition.number}"}
    start: Record = {"id": definition.number, "key": definition.key}
    if traps.definitions == "data__type":
        return {**start, "data__type": definition.type, **lookup}
    start |= {
        "type": definition.type,
        "max_length": definition.max_length,
        "hint": definition.hint,
    }
    return start if traps.definitions == "no-lookup" else {**start, **lookup}


def _values(customer: Customer) -> Record:
    """All values of a customer by plain names, also empty ones."""
    return {
        **customer.extra,
        "name": customer.name,
        "phone_1": customer.phone_1,
        "phone_2": customer.phone_2,
        "phone_3": customer.phone_3,
        "email": customer.email,
        "updated": format_day(customer.updated),
        "updated_by": customer.updated_by,
        "update_method": customer.update_method,
    }


def _integer(customer_id: str, empty: str | None) -> int | str | None:
    """Return an id as an integer if that keeps every character."""
    if not customer_id:
        return empty
    return int(customer_id) if str(_int_or_zero(customer_id)) == customer_id else customer_id


def _int_or_zero(text: str) -> int:
    return int(text) if text.isdecimal() else 0
