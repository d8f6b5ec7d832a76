"""Writes through the API show in later reads."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

    from .conftest import Ask

TODAY = date(2024, 11, 5)


@pytest.fixture(autouse=True)
def day(cube: Sandbox) -> None:
    """Fix the account's day."""
    cube.reset(today=TODAY)


def test_s3_changes_a_customer(cube: Sandbox, ask: Ask) -> None:
    """A PUT with `__` keys changes values, date, user and method, and returns the record."""
    number = next(iter(cube.account.definitions(9)))
    body = {"crm__standard_info__phone_2": "1122344", f"crm__custom_info__{number}": "Å"}
    answer = ask("/api/v1/assignments/9/customers/1000", method="PUT", body=body)
    assert answer.status_code == 200
    assert answer.json().items() >= body.items()
    assert ask("/api/v1/assignments/9/customers/1000").json() == answer.json()
    record = ask("/api/v1/data_owners/2/B2B/customers/1000").json()
    assert record["crm__change_log__updated"] == "2024-11-05"
    assert record["crm__change_log__updated_by"] == cube.username
    assert record["crm__change_log__update_method"] == "Manual update"
    assert cube.requests[0].row == "S3"


def test_s3_of_2017_takes_plain_names(cube: Sandbox, ask: Ask) -> None:
    """A PUT with plain keys works with and without the ids in the body (T58)."""
    cube.reset(generation="2017")
    body = {"gender": "Male", "assignment_id": 9, "Klassifisering": "C"}
    answer = ask("/api/v1/assignments/9/customers/1000", method="PUT", body=body)
    assert (answer.json()["gender"], answer.json()["Klassifisering"]) == ("Male", "C")


def test_s4_creates_a_customer(cube: Sandbox, ask: Ask) -> None:
    """A POST to a URL with a new id adds a customer, once."""
    path, body = "/api/v1/assignments/9/customers/05029249275", {"name": "Ny Kunde"}
    assert ask(path, method="POST", body=body).status_code == 200
    assert cube.account.customer_ids((2, "B2B"))[-1] == "05029249275"
    assert ask(path, method="POST", body=body).status_code == 400
    assert cube.account.count(9) == 9


def test_s9_and_s10_create_and_change(cube: Sandbox, ask: Ask) -> None:
    """The writes of 2016 name the assignment in the body."""
    body = {"customer_id": 77123, "assignment_id": 12, "name": "Ny Kunde"}
    created = ask("/crm/customers", method="POST", body=body).json()
    assert created.items() >= body.items()
    changed = ask("/crm/customers/77123", method="PUT", body={"city": "ELVERUM"}).json()
    assert changed == {**created, "city": "ELVERUM"}
    assert changed["updated"] == "2024-11-05"
    assert cube.account.count(12) == 9


def test_s10_requires_the_assignment_for_an_ambiguous_id(ask: Ask) -> None:
    """The same imported id may exist in two assignments."""
    answer = ask("/crm/customers/1000", method="PUT", body={"city": "OSLO"})
    assert answer.status_code == 400
    body = {"city": "OSLO", "assignment_id": 9}
    assert ask("/crm/customers/1000", method="PUT", body=body).json()["assignment_id"] == 9


@pytest.mark.parametrize("body", [["x"], {"no such key": 1}])
def test_invalid_bodies_are_400(ask: Ask, body: object) -> None:
    """An unknown key is an error."""
    answer = ask("/api/v1/assignments/9/customers/1000", method="PUT", body=body)
    assert answer.status_code == 400
