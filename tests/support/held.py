"""What an account shows to anybody who asks: every row of each table, read without the tap."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import requests

from cube_sandbox.clock import OSLO
from tests.support.runs import ASSIGNED, CUSTOMERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cube_sandbox import Sandbox

Row: TypeAlias = "dict[str, Any]"
Tables: TypeAlias = "dict[str, list[Row]]"

PATHS = {ASSIGNED: "assignments/9", CUSTOMERS: "data_owners/2/B2B"}
"""Two names of one CRM."""
EVENTS = {
    "callflow_customers": "callflow_key",
    "call_outcomes": "call_outcome_key",
    "product_registrations": "product_registration_key",
}
"""Streams of campaigns, and their keys, which the tap makes up."""
SUBMITTED = "call_outcome__report_as__submitted_when"
PRECISE = f"{SUBMITTED}_timestamp"
UNPARSED = "unparsed_values"
SURROGATE = "surrogate:"

INTEGERS = (
    "assignment_id", "data_owner_id", "campaign__id", "id", "max_length", "service__id",
    "data_owner__id", "assignment__id", "client__id", "callflow__attempts_status__attempts",
)  # fmt: skip
DAYS = (
    "updated", "crm__change_log__updated", "campaign__start_date", "campaign__end_date",
    "campaign__archived_date",
)  # fmt: skip
FIXED = {
    **dict.fromkeys(INTEGERS, "integer"),
    **dict.fromkeys(DAYS, "date"),
    **dict.fromkeys(
        ["submitted_at", "callflow__last_change__when", SUBMITTED, PRECISE], "datetime"
    ),
    "campaign__is_active": "checkbox",
    "product__price": "number",
    UNPARSED: "object",
}
"""The types of Cube's and the tap's own columns that are not text."""


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str).strip('"')


def _integer(value: object) -> int:
    number = Decimal(str(value))
    if number != int(number):
        raise ValueError
    return int(number)


def _truth(value: object) -> bool:
    words = {"true": True, "false": False, "1": True, "0": False}
    if str(value).lower() not in words:
        raise ValueError
    return words[str(value).lower()]


def _day(value: object) -> date:
    text = str(value)
    pattern = "%d.%m.%Y" if text[2:3] == "." else "%Y-%m-%d"
    return datetime.strptime(text, pattern).replace(tzinfo=UTC).date()


def _object(value: object) -> str:
    content = json.loads(value) if isinstance(value, str) else value
    return json.dumps(content, sort_keys=True, ensure_ascii=False)


READINGS: Mapping[str, Callable[[Any], object]] = {
    "text": _text,
    "dropdown": _text,
    "number": lambda value: float(Decimal(str(value))),
    "integer": _integer,
    "checkbox": _truth,
    "date": _day,
    "datetime": lambda value: datetime.fromisoformat(str(value)),
    "object": _object,
}
"""How to read a value of each type, whoever wrote it."""


def read(kind: str, value: object, zone: Any) -> object:  # noqa: ANN401 - a tzinfo
    """A value in the form that all share; None for an empty one whose type is no text.

    Args:
        kind: The type, as the account's definitions call it.
        value: The value, or a text that stands for it.
        zone: Zone of times that have none.
    """
    if value is None or (value == "" and READINGS[kind] is not _text):
        return None
    found = READINGS[kind](value)
    if isinstance(found, datetime):
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    return found


def pages(cube: Sandbox, path: str) -> Iterator[Row]:
    """The rows that an address of the API answers, as a list or in pages."""
    url = f"{cube.url}/api/v1/{path}"
    while url:
        headers = {"Authorization": f"Token {cube.token}"}
        response = requests.get(url, headers=headers, timeout=60)
        response.raise_for_status()
        content = response.json(parse_float=Decimal)
        is_page = isinstance(content, dict)
        yield from content["results"] if is_page else content
        url = content["next"] if is_page else ""


def places(cube: Sandbox) -> dict[str, dict[str, Row]]:
    """The columns that say where customers are, by path, of both streams of customers."""
    account = cube.account
    return {
        ASSIGNED: {
            f"assignments/{number}": {"assignment_id": number} for number in account.assignments
        },
        CUSTOMERS: {
            f"data_owners/{owner}/{crm_type}": {"data_owner_id": owner, "crm_type": crm_type}
            for owner, crm_type in account.crms
        },
    }


def kinds(cube: Sandbox) -> dict[str, str]:
    """The type of every column that is not text; text where two CRMs give a field two types."""
    found: dict[str, str] = dict(FIXED)
    for path in places(cube)[CUSTOMERS]:
        for field in pages(cube, f"{path}/crm_custom_fields/"):
            kind = found.setdefault(field["lookup__id"], field["type"])
            if kind != field["type"]:
                found[field["lookup__id"]] = "text"
    return found


def tables(cube: Sandbox) -> Tables:
    """All rows of all tables, without their empty values."""
    types = kinds(cube)
    held: Tables = {"campaigns": [], "custom_fields": []}
    for stream, found in places(cube).items():
        held[stream] = [
            customer(raw, types, columns)
            for path, columns in found.items()
            for raw in pages(cube, f"{path}/customers/")
        ]
        held["custom_fields"] += [
            row({**raw, **columns, "source": path, "column_name": raw["lookup__id"]}, types)
            for path, columns in found.items()
            for raw in pages(cube, f"{path}/crm_custom_fields/")
        ]
    campaigns = list(pages(cube, "campaigns"))
    for raw in campaigns:
        is_active = raw["campaign__is_active"] or False  # empty for false (T36)
        held["campaigns"].append(row({**raw, "campaign__is_active": is_active}, types))
    for stream in EVENTS:
        held[stream] = [event for raw in campaigns for event in events(cube, stream, raw, types)]
    return held


def customer(raw: Row, types: Mapping[str, str], columns: Row) -> Row:
    """The row of a customer; one without an id has a key that the tap makes up."""
    found = row({**raw, **columns, "customer_id": raw["crm__customer_id"] or SURROGATE}, types)
    updated = found.get("crm__change_log__updated")
    return {**found, **({"updated": updated} if updated else {})}


def events(cube: Sandbox, stream: str, campaign: Row, types: Mapping[str, str]) -> Iterable[Row]:
    """The rows of a campaign's events."""
    columns = {
        "campaign__id": campaign["campaign__id"],
        "data_owner_id": campaign["data_owner__id"],
        "crm_type": campaign["campaign__crm_type"],
        "assignment_id": campaign["assignment__id"],
    }
    dates = "from_date=20000101&to_date=20401231"
    for raw in pages(cube, f"campaigns/{columns['campaign__id']}/{stream}/?{dates}"):
        submitted = raw.get(PRECISE) or raw.get(SUBMITTED)
        own = {"customer_id": raw["crm__customer_id"] or None, "submitted_at": submitted}
        yield row({**raw, **columns, **own}, types)


def row(raw: Row, types: Mapping[str, str]) -> Row:
    """A row of a table: what does not fit its column's type stands in `unparsed_values`."""
    found: Row = {}
    unparsed: Row = {}
    for key, value in raw.items():
        column = key.replace("%", "percent")
        try:
            found[column] = read(types.get(key, "text"), value, OSLO)
        except (ValueError, ArithmeticError):
            unparsed[column] = value
    if unparsed:
        found[UNPARSED] = _object(unparsed)
    return {column: value for column, value in found.items() if value is not None}
