"""The data dictionary and dbt's sources: what each column means, from the streams themselves.

No account is asked: `made_streams` makes the streams of one that has everything, and the custom
fields are those that a new sandbox has.
"""

from __future__ import annotations

import importlib
import textwrap
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from cube_sandbox import project
from cube_sandbox.traps import Traps
from tap_cube.account import generations
from tap_cube.account.campaigns import crm_name
from tap_cube.account.custom_fields import label_columns, property_schema, read_definitions
from tap_cube.account.descriptions import description_of
from tap_cube.records.decoder import UNPARSED
from tap_cube.streams.registry import STREAMS
from tests.repository.markdown import table
from tests.support.made_streams import made_streams

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_cube.account.custom_fields import CustomField
    from tap_cube.account.generations import JSONType
    from tap_cube.streams.spec import StreamSpec

TYPES: Mapping[str, str] = {
    "string": "text",
    "integer": "bigint",
    "number": "numeric",
    "boolean": "boolean",
    "object": "jsonb",
    "date": "date",
    "date-time": "timestamp",
}
"""PostgreSQL's types, as target-postgres makes them."""

_HEAD = ("Column", "Type", "Description")
_OF_CUSTOMERS = generations.STANDARD_FIELDS
_RARE = {**generations.EARLIER_CAMPAIGN_FIELDS, **generations.EARLIER_EVENT_FIELDS}
_OWN = {"assignment_id", "customer_id", "updated"}
"""Fields of earlier customers that are columns of the tap, as in newer ones."""


@cache
def columns() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """JSON Schema of each column that present accounts have, by table and name, in order."""
    return {
        name: {
            column: schema
            for column, schema in stream.selection.properties.items()
            if column not in _RARE
        }
        for name, stream in made_streams().items()
    }


def type_of(schema: Mapping[str, Any]) -> str:
    """Return the type of a column with this JSON Schema."""
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    (kind,) = (kind for kind in kinds if kind != "null")
    return TYPES[schema.get("format", kind)]


def of_customer() -> str:
    """Return the columns that every table about customers has."""
    return table(_HEAD, _rows("data_owner_customers", _OF_CUSTOMERS))


def tables() -> str:
    """Return a section about each table: its rows, its key and its columns."""
    return "\n".join(map(_section, STREAMS))


def _section(spec: StreamSpec) -> str:
    keys = ", ".join(f"`{key}`" for key in spec.primary_keys)
    intro = f"### {spec.name}\n\nOne row is {spec.meaning}. Key: {keys}.\n\n"
    if spec.parent:
        return f"{intro}The columns are those of [{spec.parent}](#{spec.parent}).\n"
    return intro + _columns_of(spec.name)


def _columns_of(stream: str) -> str:
    found = columns()[stream]
    own = [name for name in found if name not in {*_OF_CUSTOMERS, UNPARSED}]
    rows = [(f"`{name}`", type_of(found[name]), found[name]["description"]) for name in own]
    more = "\nAlso the [columns of the customer](#columns-of-the-customer).\n"
    return table(_HEAD, rows) + (more if _OF_CUSTOMERS.keys() <= found.keys() else "")


def sources() -> str:
    """Return the tables of dbt's source, with the columns that every account has."""
    tables = [
        {
            "name": spec.name,
            "description": f"One row is {spec.meaning}.",
            "columns": [
                {"name": name, "description": schema["description"]}
                for name, schema in columns()[spec.name].items()
            ],
        }
        for spec in STREAMS
    ]
    return textwrap.indent(yaml.safe_dump(tables, sort_keys=False, width=1000), "  ")


def of_example() -> str:
    """Return the custom fields of a new sandbox, by their labels, with their columns."""
    crms, fields = _fields_of_sandbox()
    names = label_columns(fields)
    by_name: defaultdict[str, list[CustomField]] = defaultdict(list)
    for field in fields:
        by_name[names[field.partition, field.id]].append(field)
    rows = []
    for name, same in by_name.items():
        schema, ids = property_schema(same), {field.partition: field.id for field in same}
        columns_of_crms = (f"`…{ids[crm]}`" if crm in ids else "" for crm in crms)
        rows.append((schema["title"], type_of(schema), same[0].hint, f"`{name}`", *columns_of_crms))
    return table(("Label", "Type", "Hint", "Readable name", *(f"`{crm}`" for crm in crms)), rows)


def _fields_of_sandbox() -> tuple[list[str], list[CustomField]]:
    """Names of the CRMs, and their custom fields."""
    project.set_up()  # its models need Django
    content = importlib.import_module("cube_sandbox.content")
    record = importlib.import_module("cube_sandbox.payloads").definition_record
    crms = {crm.id: crm_name(crm.data_owner, crm.crm_type) for crm in content.crms()}
    fields = [
        field
        for each in content.definitions()
        for field in read_definitions(crms[each.crm], [record(each, Traps())])
    ]
    return [*crms.values()], fields


def earlier() -> str:
    """Return the columns that only earlier accounts have."""
    fields = {**generations.PLAIN_FIELDS, **generations.LEGACY_FIELDS}
    customers = {name: type_ for name, type_ in fields.items() if name not in _OWN}
    of_customers = [
        (*row, _records_with(name))
        for name, row in zip(customers, _rows("assignment_customers", customers), strict=True)
    ]
    return (
        f"### Campaigns until 2020\n\n"
        f"{table(_HEAD, _rows('campaigns', generations.EARLIER_CAMPAIGN_FIELDS))}\n"
        f"### Call states and outcomes until 2020\n\n"
        f"{table(_HEAD, _rows('call_outcomes', generations.EARLIER_EVENT_FIELDS))}\n"
        f"### Customers until 2019\n\n{table((*_HEAD, 'Records of'), of_customers)}"
    )


def _records_with(field: str) -> str:
    payloads = {"2016": generations.LEGACY_FIELDS, "2017 to 2019": generations.PLAIN_FIELDS}
    return ", ".join(years for years, fields in payloads.items() if field in fields)


def _rows(stream: str, fields: Mapping[str, JSONType]) -> Iterable[tuple[str, str, str]]:
    return [
        (f"`{name}`", type_of(type_.to_dict()), description_of(stream, name))
        for name, type_ in fields.items()
    ]
