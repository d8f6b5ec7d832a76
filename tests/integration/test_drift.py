"""Drift: fields that appear, change or disappear during a sync."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.in_process import run_in_process
from tests.support.runs import (
    ASSIGNED,
    CRM,
    CUSTOMERS,
    discover,
    only,
    schemas,
    settings_for,
    sync,
)

if TYPE_CHECKING:
    from cube_sandbox import Sandbox
    from tests.support.tap_process import TapRun

B2C = (2, "B2C")
NAME = "crm__standard_info__name"
EMAIL = "crm__standard_info__email"
ON_THE_LAST_PAGE = -1
REBATE = 12.5


def add_meanwhile(cube: Sandbox, label: str = "Nytt felt", value: str = "ny verdi") -> list[int]:
    """Let an administrator add a field with a value before the response to page 2.

    Returns:
        A list that will contain the id of the field.
    """
    added: list[int] = []

    def edit(request: Any) -> None:  # noqa: ANN401 - the sandbox's Request
        if request.row == "C2" and request.page == 2 and not added:
            added.append(cube.account.add_definition(CRM, label, type="number"))
            target = cube.account.customer_ids(CRM)[ON_THE_LAST_PAGE]
            cube.account.update_customer(CRM, target, custom={added[0]: value})

    cube.before_request = edit
    return added


def values(run: TapRun, column: str, stream: str = CUSTOMERS) -> dict[str, Any]:
    """The values of one column by customer, where the record has it."""
    return {r["customer_id"]: r[column] for r in run.records[stream] if column in r}


FLAT = {"flattening_enabled": True, "flattening_max_depth": 2}
MAPS: list[tuple[str, dict[str, Any]]] = [
    ("alone", {}),
    ("stream maps", {"stream_maps": {CUSTOMERS: {NAME: None, "hash": f"md5({EMAIL})"}}}),
    ("flattening", FLAT),
    ("both", {"stream_maps": {CUSTOMERS: {NAME: None}}, **FLAT}),
    ("read ahead", {"read_ahead": 4}),
]


@pytest.mark.parametrize(("name", "options"), MAPS, ids=[name for name, _ in MAPS])
def test_a_new_field_is_emitted_in_the_same_run(
    cube: Sandbox, name: str, options: dict[str, Any]
) -> None:
    """A new SCHEMA adds only this column, as the last, before its first value; maps still apply."""
    added = add_meanwhile(cube)
    run = sync(cube, **{"read_ahead": 0, **only(CRM), **options})
    column = f"crm__custom_info__{added[0]}"
    target = cube.account.customer_ids(CRM)[ON_THE_LAST_PAGE]
    found = values(run, column)
    assert found[target] == "ny verdi"
    assert set(found.values()) == {"ny verdi", ""}
    before, after = schemas(run)
    assert [*after] == [*before, column]
    assert {key: after[key] for key in before} == before
    if "stream_maps" in options:
        assert NAME not in after
        assert not any(NAME in record for record in run.records[CUSTOMERS])
    if name == "stream maps":
        assert all("hash" in record for record in run.records[CUSTOMERS])


def test_a_map_with_else_null_excludes_new_fields(cube: Sandbox) -> None:
    """With `__else__: null` schema and records have only the mapped fields."""
    added = add_meanwhile(cube)
    maps = {CUSTOMERS: {"navn": NAME, "customer_id": "customer_id", "updated": "updated",
                        "data_owner_id": "data_owner_id", "crm_type": "crm_type",
                        "__else__": None}}  # fmt: skip
    run = run_in_process(settings_for(cube, read_ahead=0, stream_maps=maps, **only(CRM)))
    assert run.returncode == 0, run.stderr
    names = {"navn", "customer_id", "updated", "data_owner_id", "crm_type"}
    assert added
    assert all(properties.keys() == names for properties in schemas(run))
    assert all(record.keys() == names for record in run.records[CUSTOMERS])


def test_the_next_run_uses_the_defined_type(cube: Sandbox) -> None:
    """The field is text in the run in which it appears, and a number afterwards."""
    added = add_meanwhile(cube, value="12.5")
    first = sync(cube, read_ahead=0, **only(CRM))
    second = sync(cube, **only(CRM))
    column = f"crm__custom_info__{added[0]}"
    target = cube.account.customer_ids(CRM)[ON_THE_LAST_PAGE]
    assert values(first, column)[target] == "12.5"
    assert values(second, column)[target] == REBATE
    assert schemas(second)[0][column]["type"] == ["number", "null"]
    assert len(schemas(second)) == 1


def test_a_new_field_is_selected_in_a_supplied_catalog(cube: Sandbox) -> None:
    """A field that appears during the run is selected with its stream."""
    catalog = discover(cube, **only(CRM))
    added = add_meanwhile(cube)
    run = sync(cube, catalog=catalog, read_ahead=0, **only(CRM))
    column = f"crm__custom_info__{added[0]}"
    before, after = schemas(run)
    assert after.keys() - before.keys() == {column}
    assert "ny verdi" in values(run, column).values()


def test_a_deleted_field_is_absent(cube: Sandbox) -> None:
    """After a definition is deleted during a run, records have no value for it."""
    column = "crm__custom_info__15"
    kept: list[str] = []

    def edit(request: Any) -> None:  # noqa: ANN401 - the sandbox's Request
        if request.row == "C2" and request.page == 2 and not kept:
            kept.extend(cube.account.customer_ids(CRM)[:5])
            cube.account.delete_definition(CRM, 15)

    catalog = discover(cube, **only(CRM))
    cube.before_request = edit
    run = sync(cube, read_ahead=0, **only(CRM))
    assert values(run, column).keys() == set(kept)
    assert len(run.records[CUSTOMERS]) == 12
    again = sync(cube, catalog=catalog, **only(CRM))
    assert column in schemas(again)[0]
    assert not values(again, column)
    assert column not in schemas(sync(cube, **only(CRM)))[0]


def test_a_new_key_in_several_crms_is_declared_once(cube: Sandbox) -> None:
    """CRMs with the same new label share one column and one more SCHEMA message."""
    cube.reset(generation="2019-draft")
    targets: list[str] = []

    def edit(request: Any) -> None:  # noqa: ANN401 - the sandbox's Request
        if request.row == "S5" and request.page == 2 and not targets:
            for where in (CRM, B2C):
                number = cube.account.add_definition(where, "Nytt felt")
                targets.append(cube.account.customer_ids(where)[ON_THE_LAST_PAGE])
                cube.account.update_customer(where, targets[-1], custom={number: "ny verdi"})

    cube.before_request = edit
    run = sync(cube, read_ahead=0, **only(CRM, B2C))
    assert ["Nytt felt" in properties for properties in schemas(run)] == [False, True]
    found = [
        (r["crm_type"], r["customer_id"])
        for r in run.records[CUSTOMERS]
        if r.get("Nytt felt") == "ny verdi"
    ]
    assert found == [("B2B", targets[0]), ("B2C", targets[1])]


def test_two_fields_appear_at_different_times(cube: Sandbox) -> None:
    """Each is declared when it is first seen, and both stay declared."""
    numbers: dict[int, int] = {}

    def edit(request: Any) -> None:  # noqa: ANN401 - the sandbox's Request
        if request.row == "C2" and request.page in {2, 3} and request.page not in numbers:
            numbers[request.page] = cube.account.add_definition(CRM, f"Felt {request.page}")

    cube.before_request = edit
    run = sync(cube, read_ahead=0, **only(CRM))
    names = [{f"crm__custom_info__{n}" for n in numbers.values()} & s.keys() for s in schemas(run)]
    counts = [len(found) for found in names]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (0, 2)


def test_each_stream_declares_a_new_field_itself(cube: Sandbox) -> None:
    """A field that appears while assignments are read is added to each stream's schema."""
    added: list[int] = []

    def edit(request: Any) -> None:  # noqa: ANN401 - the sandbox's Request
        if request.row == "S1" and request.page == 2 and not added:
            added.append(cube.account.add_definition(CRM, "Nytt felt"))

    cube.before_request = edit
    run = sync(cube, read_ahead=0)
    column = f"crm__custom_info__{added[0]}"
    for stream in (ASSIGNED, CUSTOMERS):
        assert [column in properties for properties in schemas(run, stream)] == [False, True]


def test_a_new_field_has_its_label_name_from_the_next_run_on(cube: Sandbox) -> None:
    """Its label is unknown in the run in which it appears, so it has Cube's own name."""
    added = add_meanwhile(cube, "Årlig rabatt", "12.5")
    options = {"custom_field_names": "label", "read_ahead": 0, **only(CRM)}
    first = sync(cube, **options)
    second = sync(cube, **options)
    target = cube.account.customer_ids(CRM)[ON_THE_LAST_PAGE]
    assert values(first, f"crm__custom_info__{added[0]}")[target] == "12.5"
    assert values(second, "custom__arlig_rabatt")[target] == REBATE
    assert f"crm__custom_info__{added[0]}" not in schemas(second)[0]
