"""What an account shows to anybody who asks, and the values in a form that all targets share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

import requests

from cube_sandbox.clock import OSLO
from cube_sandbox.custom_fields import KINDS
from tests.support.runs import ASSIGNED, CRM, CUSTOMERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cube_sandbox import Sandbox

Row: TypeAlias = "dict[str, Any]"
Reading: TypeAlias = Callable[[Any], object]

PATHS = {ASSIGNED: "assignments/9", CUSTOMERS: "data_owners/2/B2B"}
"""Two names of one CRM, whose values are compared one by one."""
STANDARD = [f"crm__standard_info__{name}" for name in ("name", "phone_1", "phone_2", "email")]
SUBMITTED = "call_outcome__report_as__submitted"


def _text(value: object) -> str:
    return str(value or "")


def _truth(value: object) -> bool:
    return {"true": True, "false": False}[str(value).lower()]


def _day(value: object) -> date:
    return datetime.fromisoformat(str(value)).date()


def _integer(value: object) -> int:
    number = float(str(value))
    assert number.is_integer()
    return int(number)


def _minute(value: object) -> datetime:
    """The minute that a value tells: with an offset, in UTC in a table, in Norway from the API."""
    is_told = isinstance(value, str)
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    assert isinstance(moment, datetime)
    zone = OSLO if is_told else UTC
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


READINGS: Mapping[str, Reading] = {
    "text": _text,
    "dropdown": _text,
    "number": lambda value: float(str(value)),
    "integer": _integer,
    "checkbox": _truth,
    "date": _day,
    "datetime": _minute,
}
"""How to read a value of each type of custom field, whoever wrote it."""

EVENTS: Mapping[str, Mapping[str, str]] = {
    "callflow_customers": {
        "crm__customer_id": "text",
        "callflow__callstate__name": "text",
        "callflow__attempts_status__attempts": "integer",
        "callflow__last_change__user": "text",
        "callflow__last_change__when": "datetime",
        "callflow__last_change__cause": "text",
    },
    "call_outcomes": {
        "crm__customer_id": "text",
        "call_outcome__type": "text",
        "call_outcome__subtype": "text",
        "call_outcome__comment": "text",
        f"{SUBMITTED}_by": "text",
        f"{SUBMITTED}_when": "datetime",
    },
    "product_registrations": {
        "crm__customer_id": "text",
        "product__code": "text",
        "product__title": "text",
        "product__price": "number",
        f"{SUBMITTED}_by": "text",
        f"{SUBMITTED}_when": "datetime",
    },
}
"""The columns of events that are compared, with their types."""


def read(kind: str, value: object) -> object:
    """A value in the form that all share; None where there is none and the type is no text."""
    is_missing = value in {None, ""} and READINGS[kind] is not _text
    return None if is_missing else READINGS[kind](value)


def pages(cube: Sandbox, path: str) -> Iterator[Row]:
    """The rows that an address of the API answers."""
    url = f"{cube.url}/api/v1/{path}"
    while url:
        headers = {"Authorization": f"Token {cube.token}"}
        page = requests.get(url, headers=headers, timeout=60).json()
        url = page["next"]
        yield from page["results"]


def fields(cube: Sandbox) -> dict[str, str]:
    """The type of every standard and custom field of the CRM, custom ones by their labels."""
    known = {kind.key: kind.type for kind in KINDS}
    labels = cube.account.definitions(CRM).values()
    return dict.fromkeys(STANDARD, "text") | {label: known.get(label, "text") for label in labels}


def customers(cube: Sandbox, stream: str, types: Mapping[str, str]) -> dict[str, Row]:
    """The CRM's customers by id, as the API shows them."""
    columns = {
        label: f"crm__custom_info__{n}" for n, label in cube.account.definitions(CRM).items()
    }
    return {
        row["crm__customer_id"]: values(row, types, columns)
        for row in pages(cube, f"{PATHS[stream]}/customers/")
    }


def values(row: Row, types: Mapping[str, str], columns: Mapping[str, str]) -> Row:
    """What a row has in fields of these types, by their names; columns may be called otherwise."""
    return {name: read(kind, row.get(columns.get(name, name))) for name, kind in types.items()}


def happened(cube: Sandbox, stream: str) -> Counter[tuple[object, ...]]:
    """The events of all campaigns, as the API shows them."""
    dates = "from_date=20000101&to_date=20401231"
    return identities(
        stream,
        (
            {**row, "campaign__id": campaign}
            for campaign in cube.account.campaigns
            for row in pages(cube, f"campaigns/{campaign}/{stream}/?{dates}")
        ),
    )


def identities(stream: str, rows: Iterable[Row]) -> Counter[tuple[object, ...]]:
    """What identifies events: their campaigns and the columns that are compared."""
    types = EVENTS[stream]
    return Counter((int(row["campaign__id"]), *values(row, types, {}).values()) for row in rows)
