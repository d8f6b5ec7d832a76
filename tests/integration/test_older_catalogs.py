"""Fields that were added or changed after the catalog was written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support.runs import (
    CRM,
    CUSTOMERS,
    discover,
    entry_of,
    logged,
    only,
    schemas,
    set_selected,
    sync,
)

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

CHANGES: list[tuple[str, str, object, object, object]] = [
    ("text", "number", 12.5, "12.5", None),
    ("number", "text", "12.5", 12.5, None),
    ("number", "text", "etter avtale", None, "etter avtale"),
    ("checkbox", "date", "2024-05-17", None, "2024-05-17"),
]
"""Type when the catalog was written, type now, value sent, value in the column and beside it."""


def test_a_field_newer_than_the_catalog_stays_out(cube: Sandbox) -> None:
    """A field that was defined after the catalog was written is named in a warning."""
    catalog = discover(cube, **only(CRM))
    number = cube.account.add_definition(CRM, "Rabatt")
    cube.account.add_customer(CRM, custom={number: "ny verdi"})
    run = sync(cube, catalog=catalog, **only(CRM))
    assert schemas(run) == [entry_of(catalog)["schema"]["properties"]]
    assert "ny verdi" not in run.stdout
    (warning,) = [text for text in logged(run, "WARNING") if f"crm__custom_info__{number}" in text]
    assert "'use_cached_catalog: false'" in warning


def test_a_field_deselected_before_it_exists_stays_out(cube: Sandbox) -> None:
    """A catalog can deselect a field that is not in its schema."""
    number = cube.account.add_definition(CRM, "Hemmelig")
    column = f"crm__custom_info__{number}"
    cube.account.add_customer(CRM, custom={number: "skal ikke ut"})
    catalog = discover(cube, **only(CRM))
    entry = entry_of(catalog)
    del entry["schema"]["properties"][column]
    set_selected(entry, column, selected=False)
    run = sync(cube, catalog=catalog, **only(CRM))
    assert not any(column in properties for properties in schemas(run))
    assert "skal ikke ut" not in run.stdout


def test_a_changed_type_follows_the_catalog(cube: Sandbox) -> None:
    """Columns keep the types of the catalog, and no value is lost."""
    numbers = [cube.account.add_definition(CRM, "Rabatt", type=then) for then, *_ in CHANGES]
    catalog = discover(cube, **only(CRM))
    cube.reset()
    again = [cube.account.add_definition(CRM, "Rabatt", type=now) for _, now, *_ in CHANGES]
    assert again == numbers
    sent = {number: value for number, (_, _, value, *_) in zip(numbers, CHANGES, strict=True)}
    target = cube.account.add_customer(CRM, custom=sent)
    run = sync(cube, catalog=catalog, **only(CRM))
    (record,) = [r for r in run.records[CUSTOMERS] if r["customer_id"] == target]
    unparsed = json.loads(record["unparsed_values"])
    for number, (*_, expected, beside) in zip(numbers, CHANGES, strict=True):
        column = f"crm__custom_info__{number}"
        assert record[column] == expected
        assert unparsed.get(column) == beside
    assert schemas(run) == [entry_of(catalog)["schema"]["properties"]]
