"""Column names of custom fields: Cube's own or label names, one for each field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.runs import ASSIGNED, CRM, CUSTOMERS, only, sync

if TYPE_CHECKING:
    from cube_sandbox import Sandbox
    from tests.support.tap_process import TapRun

B2C = (2, "B2C")
LABEL: dict[str, Any] = {"custom_field_names": "label"}
MAX_LENGTH_IN_POSTGRESQL = 63
UNUSUAL = {
    "Antall år igjen": "custom__antall_ar_igjen",
    "ÆØÅ": "custom__aeoa",
    "12345": "custom__12345",
    "😀": "custom__grinning",
    "select": "custom__select",
    "customer_id": "custom__customer_id",
    "crm__standard_info__name": "custom__crm_standard_info_name",
    "unparsed_values": "custom__unparsed_values",
    "L" * 300: "custom__" + "l" * 43,
    'Per\'s "felt"; DROP TABLE kunder --': "custom__per_s_felt_drop_table_kunder",
}


def names(run: TapRun, stream: str = CUSTOMERS) -> set[str]:
    """The columns of a stream."""
    return set(run.schemas[stream]["schema"]["properties"])


def test_unusual_labels_become_valid_column_names(cube: Sandbox) -> None:
    """The name is made of plain characters, and the title is the label."""
    numbers = {label: cube.account.add_definition(CRM, label) for label in UNUSUAL}
    target = cube.account.add_customer(CRM, custom={n: f"verdi {n}" for n in numbers.values()})
    run = sync(cube, **LABEL, **only(CRM))
    (record,) = [r for r in run.records[CUSTOMERS] if r["customer_id"] == target]
    properties = run.schemas[CUSTOMERS]["schema"]["properties"]
    for label, column in UNUSUAL.items():
        assert record[column] == f"verdi {numbers[label]}"
        assert properties[column]["title"] == label
        assert len(column) <= MAX_LENGTH_IN_POSTGRESQL
    assert record["customer_id"] == target
    assert record.get("unparsed_values") is None


def test_original_names_do_not_depend_on_labels(cube: Sandbox) -> None:
    """By default a column has Cube's name, whatever its label."""
    numbers = {label: cube.account.add_definition(CRM, label) for label in ("", "  ", *UNUSUAL)}
    target = cube.account.add_customer(CRM, custom={n: f"verdi {n}" for n in numbers.values()})
    run = sync(cube, **only(CRM))
    (record,) = [r for r in run.records[CUSTOMERS] if r["customer_id"] == target]
    for number in numbers.values():
        assert record[f"crm__custom_info__{number}"] == f"verdi {number}"
    assert not any(name.startswith("custom__") for name in names(run))


def test_labels_without_letters_are_named_by_their_ids(cube: Sandbox) -> None:
    """Empty labels and punctuation give no name, so the name is the id."""
    numbers = [cube.account.add_definition(CRM, label) for label in ("", "  ", "%", "---")]
    target = cube.account.add_customer(CRM, custom={n: f"verdi {n}" for n in numbers})
    run = sync(cube, **LABEL, **only(CRM))
    (record,) = [r for r in run.records[CUSTOMERS] if r["customer_id"] == target]
    assert [record[f"custom____{n}"] for n in numbers] == [f"verdi {n}" for n in numbers]


def test_long_labels_that_differ_at_the_end_are_two_columns(cube: Sandbox) -> None:
    """Truncated names get ids, within the maximum length of PostgreSQL."""
    numbers = [cube.account.add_definition(CRM, "Lang " * 60 + end) for end in ("en", "to")]
    cube.account.add_customer(CRM, custom={number: str(number) for number in numbers})
    run = sync(cube, **LABEL, **only(CRM))
    found = {r[n]: n for r in run.records[CUSTOMERS] for n in r if n.startswith("custom__lang_")}
    columns = [found[str(number)] for number in numbers]
    assert [column.rpartition("__")[2] for column in columns] == [str(n) for n in numbers]
    assert all(len(column) <= MAX_LENGTH_IN_POSTGRESQL for column in columns)


@pytest.mark.parametrize("options", [{}, LABEL], ids=["original", "label"])
def test_a_field_has_the_same_name_in_all_streams(cube: Sandbox, options: dict[str, Any]) -> None:
    """Assignment 9 is the CRM (2, "B2B"): its customers have the same columns in both streams."""
    cube.account.add_definition(CRM, "Antall år?")  # collides with "Antall år", only in this CRM
    run = sync(cube, **options)
    columns = [
        {
            name
            for record in run.records[stream]
            if context.items() <= record.items()
            for name in record
            if name.startswith(("custom__", "crm__custom_info__"))
        }
        for stream, context in (
            (ASSIGNED, {"assignment_id": 9}),
            (CUSTOMERS, {"data_owner_id": 2, "crm_type": "B2B"}),
        )
    ]
    assert len(columns[0]) == 23
    assert columns[0] == columns[1]


def test_one_label_in_two_crms_is_one_column(cube: Sandbox) -> None:
    """Label names put fields with different ids and the same label into one column."""
    number, other = (cube.account.add_definition(where, "Årlig rabatt") for where in (CRM, B2C))
    first = cube.account.add_customer(CRM, custom={number: "ti"})
    second = cube.account.add_customer(B2C, custom={other: "tolv"})
    run = sync(cube, **LABEL, **only(CRM, B2C))
    column = "custom__arlig_rabatt"
    found = {r["customer_id"]: r[column] for r in run.records[CUSTOMERS] if r[column]}
    assert found == {first: "ti", second: "tolv"}


def test_colliding_labels_get_ids_in_all_crms(cube: Sandbox) -> None:
    """Two labels with one name get their ids in every CRM, in any order."""
    number = cube.account.add_definition(CRM, "Rabatt %")
    other = cube.account.add_definition(B2C, "rabatt")
    for crms in ((CRM, B2C), (B2C, CRM)):
        found = names(sync(cube, **LABEL, **only(*crms)))
        assert {name for name in found if "rabatt" in name} == {
            f"custom__rabatt__{number}",
            f"custom__rabatt__{other}",
        }


MODES: dict[str, dict[str, Any]] = {"original": {}, "label": LABEL}


def test_a_renamed_label_is_a_new_column(cube: Sandbox) -> None:
    """A label name changes with the label, as docs/columns.md warns; Cube's name does not."""
    found, number = [], 0
    for label in ("Næring", "Næringsgruppe"):
        cube.reset()
        number = cube.account.add_definition(CRM, label)  # the same id after each reset
        found.append({m: names(sync(cube, **MODES[m], **only(CRM))) for m in MODES})
    before, after = found
    assert f"crm__custom_info__{number}" in before["original"]
    assert after["original"] == before["original"]
    assert before["label"] - after["label"] == {"custom__naering"}
    assert after["label"] - before["label"] == {"custom__naeringsgruppe"}


@pytest.mark.parametrize("generation", ["2017", "2019-draft"])
def test_generations_without_definitions_keep_their_labels(cube: Sandbox, generation: str) -> None:
    """Without definitions Cube's keys are labels already, and are used unchanged where possible."""
    cube.reset(generation=generation)
    settings = {"assignment_ids": [9]} if generation == "2017" else only(CRM)
    stream = ASSIGNED if generation == "2017" else CUSTOMERS
    run = sync(cube, **LABEL, **settings)
    found = names(run, stream)
    assert {"Antall år", "Fast ansatt over 50 percent", "gen info 1", "id"} <= found
    assert [name for name in found if name.startswith("ID_")]  # 'id' is a fixed field
