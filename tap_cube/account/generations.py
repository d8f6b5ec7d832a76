"""The API's generations as data: endpoints in the order to try, and fixed fields by payload.

An account serves one or more generations; discovery probes which. Rows (S1, C2, …) and section
numbers are those of docs/api.md.
"""

from __future__ import annotations

import typing as t
from types import MappingProxyType

from singer_sdk import typing as th

from tap_cube.account.endpoint import Endpoint

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

JSONType: t.TypeAlias = "th.JSONTypeHelper[t.Any]"

ASSIGNMENT_CUSTOMERS = (
    Endpoint("S1", "/api/v1/assignments/{assignment_id}/customers/"),
    Endpoint("S7", "/crm/customers?assignment_id={assignment_id}", payload="legacy"),
    Endpoint("S8", "/crm/assignment_id/{assignment_id}/customers", payload="legacy"),
)
DATA_OWNER_CUSTOMERS = (
    Endpoint("C2", "/api/v1/data_owners/{data_owner_id}/{crm_type}/customers/"),
    Endpoint(
        "S5", "/api/v1/data_owners/{data_owner_id}/crm/{crm_type}/customers/", payload="plain"
    ),
)
CALLFLOW_CUSTOMERS = (
    Endpoint("C6", "/api/v1/campaigns/{campaign__id}/callflow_customers/"),
    Endpoint("C5", "/api/v1/data_owners/{data_owner_id}/crm/{crm_type}/callflow_customers/"),
)
CALL_OUTCOMES = (
    Endpoint("C9", "/api/v1/campaigns/{campaign__id}/call_outcomes/", is_dated=True),
    Endpoint(
        "C8", "/api/v1/data_owners/{data_owner_id}/crm/{crm_type}/call_outcomes/", is_dated=True
    ),
    Endpoint("C7", "/api/v1/call_outcomes/", is_dated=True),
)
PRODUCT_REGISTRATIONS = (
    Endpoint("C11", "/api/v1/campaigns/{campaign__id}/product_registrations/", is_dated=True),
    Endpoint(
        "C10",
        "/api/v1/data_owners/{data_owner_id}/crm/{crm_type}/product_registrations/",
        is_dated=True,
    ),
)
ASSIGNMENT_CUSTOMER = (
    Endpoint("S2", "/api/v1/assignments/{assignment_id}/customers/{customer_id}"),
)
DATA_OWNER_CUSTOMER = (
    Endpoint("C3", "/api/v1/data_owners/{data_owner_id}/{crm_type}/customers/{customer_id}"),
    Endpoint("S6", "/api/v1/data_owners/{data_owner_id}/crm/{crm_type}/customers/{customer_id}"),
)
CAMPAIGNS = (Endpoint("C1", "/api/v1/campaigns"),)
ASSIGNMENT_DEFINITIONS = (
    Endpoint("H2", "/api/v1/assignments/{assignment_id}/crm_custom_fields/"),
    Endpoint("H2 without slash", "/api/v1/assignments/{assignment_id}/crm_custom_fields"),
)
DATA_OWNER_DEFINITIONS = (
    Endpoint("C4", "/api/v1/data_owners/{data_owner_id}/{crm_type}/crm_custom_fields/"),
    Endpoint(
        "C4 with /crm/", "/api/v1/data_owners/{data_owner_id}/crm/{crm_type}/crm_custom_fields/"
    ),
)


def _fields(type_: JSONType, names: Iterable[str]) -> dict[str, JSONType]:
    return dict.fromkeys(names, type_)


_text, _date, _moment, _integer, _number, _boolean = (
    th.StringType(),
    th.DateType(),
    th.DateTimeType(),
    th.IntegerType(),
    th.NumberType(),
    th.BooleanType(),
)

STANDARD_FIELDS: Mapping[str, JSONType] = MappingProxyType({
    **_fields(_text, [
        "crm__customer_id",
        "crm__standard_info__name",
        "crm__standard_info__phone_1",
        "crm__standard_info__phone_2",
        "crm__standard_info__phone_3",
        "crm__standard_info__email",
    ]),
    "crm__change_log__updated": _date,
    "crm__change_log__updated_by": _text,
    "crm__change_log__update_method": _text,
})  # fmt: skip
"""Fixed fields of the standard payload (since 2018-10-17; docs/api.md, section 3.2)."""

_ADDRESS = [
    "care_of_name", "address_street", "address_street_no", "address_entrance", "zip_code",
    "city", "municipality", "county", "country", "phone_1", "phone_2", "phone_3", "email",
]  # fmt: skip
PLAIN_FIELDS: Mapping[str, JSONType] = MappingProxyType({
    "id": _integer,
    **_fields(_text, ["customer_id", "external_customer_id"]),
    "crm_type_id": _integer,
    **_fields(_text, ["name", "gender"]),
    "birth_date": _date,
    **_fields(_text, ["need_to_know", "zone_name", *_ADDRESS]),
})  # fmt: skip
"""Fixed fields of the plain payload of 2017 to 2019 (section 3.6); labels name custom fields."""

LEGACY_FIELDS: Mapping[str, JSONType] = MappingProxyType({
    **_fields(_text, ["customer_id", "name", "gender"]),
    "birth_date": _date,
    "assignment_id": _integer,
    **_fields(_text, _ADDRESS),
    "more_info_fields": th.ObjectType(additional_properties=True),
    "updated": _date,
    **_fields(_text, [
        "updated_by", "update_method", "org_number", "org_number_main", "org_name", "nace_code",
        "nace_text", "number_of_employees", "company_type", "established", "credit_rating",
        "need_to_know", "url", "company_email", "revenue", "po_box", "postal_address",
        "postal_zip", "postal_city",
    ]),
})  # fmt: skip
"""Fixed fields of the payload of 2016 (section 3.7); labels name custom fields that are set."""

CAMPAIGN_FIELDS: Mapping[str, JSONType] = MappingProxyType({
    "campaign__id": _integer,
    "campaign__name": _text,
    **_fields(_date, ["campaign__start_date", "campaign__end_date", "campaign__archived_date"]),
    "campaign__is_active": _boolean,
    "campaign__crm_type": _text,
    "service__id": _integer,
    "service__name": _text,
    "data_owner__id": _integer,
    "data_owner__name": _text,
})  # fmt: skip
"""Fields of a campaign in the newest documents (section 3.5)."""

EARLIER_CAMPAIGN_FIELDS: Mapping[str, JSONType] = MappingProxyType({
    **_fields(_text, ["campaign__description", "campaign__type"]),
    "crm_type__id": _integer,
    "crm_type__name": _text,
    "assignment__id": _integer,
    **_fields(_text, ["assignment__name", "assignment__description"]),
    "client__id": _integer,
    **_fields(_text, ["client__short_name", "client__full_name"]),
})  # fmt: skip
"""Fields of campaigns in earlier documents; an account in transition may still send them."""

_NAMES = _fields(
    _text, ["campaign__name", "campaign__crm_type", "data_owner__name", "segment__name"]
)

CALLFLOW_FIELDS: Mapping[str, JSONType] = MappingProxyType({
    **STANDARD_FIELDS,
    "callflow__attempts_status__attempts": _integer,
    **_fields(_text, ["callflow__callstate__name", "callflow__last_change__user"]),
    "callflow__last_change__when": _moment,
    **_fields(_text, [
        "callflow__last_change__cause",
        "callflow__last_change__alternative",
        "callflow__last_change__comment",
    ]),
    **_NAMES,
})  # fmt: skip
"""Fixed fields of a customer's place in a campaign's call flow."""

OUTCOME_FIELDS: Mapping[str, JSONType] = MappingProxyType({
    **STANDARD_FIELDS,
    **_fields(_text, [
        "call_outcome__comment",
        "call_outcome__report_as__submitted_by",
        "call_outcome__report_as__submitted_in_team",
        "call_outcome__type",
        "call_outcome__subtype",
    ]),
    "call_outcome__report_as__submitted_when": _moment,
    "call_outcome__report_as__submitted_when_timestamp": _moment,
    **_NAMES,
})  # fmt: skip
"""Fixed fields of a call outcome in the newest documents."""

REGISTRATION_FIELDS: Mapping[str, JSONType] = MappingProxyType({
    **{
        name: type_
        for name, type_ in OUTCOME_FIELDS.items()
        if name != "call_outcome__report_as__submitted_when_timestamp"
    },
    **_fields(_text, ["product__code", "product__title"]),
    "product__price": _number,
})  # fmt: skip
"""Fixed fields of a product registration in the newest documents."""

EARLIER_EVENT_FIELDS: Mapping[str, JSONType] = MappingProxyType({
    **_fields(_moment, [
        "call_outcome__submitted_when",
        "meeting__time__from_date_time",
        "meeting__time__to_date_time",
    ]),
})  # fmt: skip
"""Fields of events that only earlier documents have and that are not text."""

DEFINITION_FIELDS: Mapping[str, JSONType] = MappingProxyType({
    "id": _integer,
    **_fields(_text, ["key", "type"]),
    "max_length": _integer,
    **_fields(_text, ["hint", "lookup__id"]),
})  # fmt: skip
"""Attributes of a custom field's definition in the newest documents."""


def family_of(keys: Iterable[str], endpoint: Endpoint) -> Mapping[str, JSONType]:
    """Fixed fields of the payload that has these keys.

    S1 may serve the plain payload of 2017 or the standard one, so the keys decide. Without keys
    (an empty page) the endpoint decides.
    """
    names = set(keys)
    if any(name.startswith("crm__") for name in names):
        return STANDARD_FIELDS
    is_plain = names and endpoint.payload == "standard"
    families = {"standard": STANDARD_FIELDS, "plain": PLAIN_FIELDS, "legacy": LEGACY_FIELDS}
    return families["plain" if is_plain else endpoint.payload]
