"""Each trap changes only what its name says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Traps

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

    from .conftest import Ask

S1 = "/api/v1/assignments/9/customers/"
C2 = "/api/v1/data_owners/2/B2B/customers/"
C6 = "/api/v1/campaigns/1/callflow_customers/"


@pytest.mark.parametrize(
    ("traps", "path", "link"),
    [
        ({}, S1, f"http://HOST{S1}?page=2"),
        ({"next_scheme": "https"}, S1, f"https://HOST{S1}?page=2"),
        ({"next_host": "demo.example.org"}, S1, f"http://demo.example.org{S1}?page=2"),
        ({"next_without_page": True}, S1, f"http://HOST{S1}"),
        ({"next_other_endpoint": True}, S1, "http://HOST/api/v1/call_outcomes/?page=2"),
        ({"next_other_id": True}, S1, "http://HOST/api/v1/assignments/12/customers/?page=2"),
        ({"next_other_id": True}, C2, "http://HOST/api/v1/data_owners/2/B2C/customers/?page=2"),
        ({"next_other_id": True}, C6, "http://HOST/api/v1/campaigns/2/callflow_customers/?page=2"),
        (
            {"next_double_question": True},
            "/crm/customers?assignment_id=9",
            "http://HOST/crm/customers?assignment_id=9/?page=2",
        ),
        (
            {"next_no_question_mark": True},
            S1,
            f"http://HOST{S1}from_date=20190101&page=2&to_date=2019033",
        ),
        (
            {"next_page_in_middle": True},
            S1,
            f"http://HOST{S1}?from_date=20190101&page=2&to_date=20190331",
        ),
        ({"next_page_after_path": True}, S1, f"http://HOST{S1}from_date/20160924/?page=2"),
        ({"next_missing_slash": True}, S1, f"http://HOST{S1[:-1]}?page=2"),
        ({"next_value": lambda link: [link]}, S1, [f"http://HOST{S1}?page=2"]),
    ],
)
def test_next_is_altered(
    cube: Sandbox, ask: Ask, traps: dict[str, Any], path: str, link: object
) -> None:
    """T1 to T11, and any value from Python."""
    cube.traps = Traps(**traps)
    host = cube.url.removeprefix("http://")
    answer = ask(path).json()["next"]
    assert json.dumps(answer) == json.dumps(link).replace("HOST", host)


def test_the_last_page_stays_the_last(cube: Sandbox, ask: Ask) -> None:
    """An altered `next` adds no pages; only `next_value` can."""
    cube.traps = Traps(next_without_page=True)
    assert ask(f"{S1}?page=3").json()["next"] is None
    cube.traps = Traps(next_value=lambda link: link or "again")
    assert ask(f"{S1}?page=3").json()["next"] == "again"


def test_count_can_be_wrong(cube: Sandbox, ask: Ask) -> None:
    """The envelope can have any count."""
    cube.traps = Traps(count=lambda count: count + 781)
    assert ask(S1).json()["count"] == 789


@pytest.mark.parametrize("path", ["/api/v1/campaigns", f"{C2[:-10]}crm_custom_fields/"])
def test_lists_without_pages_can_have_them(cube: Sandbox, ask: Ask, path: str) -> None:
    """Campaigns and definitions are bare lists by the documents; an account may page them."""
    bare = ask(path).json()
    cube.traps, cube.page_size = Traps(paged_lists=True), 3
    first, second = ask(path).json(), ask(f"{path}?page=2").json()
    assert first["count"] == len(bare) > 3
    assert first["results"] == bare[:3]
    assert second["results"] == bare[3:6]


def test_lists_can_be_bare_and_newest_first(cube: Sandbox, ask: Ask) -> None:
    """Without envelope all customers are returned at once (T13); T16 reverses the order."""
    cube.traps = Traps(bare_list=True, newest_first=True)
    ids = [record["crm__customer_id"] for record in ask(S1).json()]
    assert ids == cube.account.customer_ids(9)[::-1]


@pytest.mark.parametrize(
    ("trap", "values"),
    [
        ({}, ["233.0", 233, "True", "False", "", "x"]),
        ({"numbers": "strings"}, ["233.0", "233", "True", "False", "", "x"]),
        ({"numbers": "numbers"}, [233, 233, "True", "False", "", "x"]),
        ({"booleans": "python-strings"}, ["233.0", 233, "True", "False", "", "x"]),
        ({"booleans": "json"}, ["233.0", 233, True, False, "", "x"]),
        ({"booleans": "empty-for-false"}, ["233.0", 233, True, "", "", "x"]),
        ({"booleans": "norwegian"}, ["233.0", 233, "Ja", "Nei", "", "x"]),
        ({"empty_customs": "null"}, ["233.0", 233, "True", "False", None, "x"]),
        ({"empty_customs": "absent"}, ["233.0", 233, "True", "False", "gone", "x"]),
        (
            {"mistyped": 1.0},
            ["5,92 år", "Alder: 52 år", "kanskje", "kanskje", "", "x"],
        ),
    ],
)
def test_custom_values_have_the_requested_format(
    cube: Sandbox, ask: Ask, trap: dict[str, Any], values: list[object]
) -> None:
    """T28 to T36 change the format of values and of empty values, but not of text."""
    types = ("number", "integer", "checkbox", "checkbox", "date", "text")
    given = ("233.0", 233, "True", "False", "", "x")
    numbers = [cube.account.add_definition(9, key=f"new {kind}", type=kind) for kind in types]
    added = cube.account.add_customer(9, custom=dict(zip(numbers, given, strict=True)))
    cube.traps = Traps(**trap)
    record = ask(f"{S1}{added}").json()
    assert [record.get(f"crm__custom_info__{number}", "gone") for number in numbers] == values


def test_one_field_can_hold_three_types(cube: Sandbox, ask: Ask) -> None:
    """T30: number, empty and text in turn."""
    number = cube.account.add_definition(9, key="Alder", type="integer")
    for customer in cube.account.customer_ids(9):
        cube.account.update_customer(9, customer, custom={number: "36"})
    cube.traps = Traps(mixed_types=True, bare_list=True)
    values = [record[f"crm__custom_info__{number}"] for record in ask(S1).json()]
    assert {repr(value) for value in values} == {"36", "''", "'Alder: 52 år'"}


def test_standard_fields_can_be_null_and_ids_integers(cube: Sandbox, ask: Ask) -> None:
    """T34 and the integer ids of 2017 (T30); an id with a leading zero stays text."""
    cube.traps = Traps(empty_standard="null", customer_id_integer=True, bare_list=True)
    records = ask(S1).json()
    assert {record["crm__standard_info__phone_3"] for record in records} == {None}
    assert [record["crm__customer_id"] for record in records[:2]] == [1000, "050000001"]


def test_a_trap_is_refused_by_name() -> None:
    """An unknown value is an error at once."""
    with pytest.raises(ValueError, match="Trap numbers cannot be 'roman'"):
        Traps(numbers="roman")  # type: ignore[arg-type]
