"""Keys: each customer has one, and every sync gives the same."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Traps
from tests.support.runs import ASSIGNED, CRM, CUSTOMERS, only, read, read_at
from tests.support.strange_server import CUSTOMERS_PATH, pages

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

Row = dict[str, Any]


def keys(cube: Sandbox, stream: str = CUSTOMERS, **settings: Any) -> list[str]:  # noqa: ANN401 - settings
    """The customer ids that a sync writes, sorted."""
    run = read(cube, **(settings or only(CRM)))
    assert run.returncode == 0, run.stderr
    return sorted(record["customer_id"] for record in run.records[stream])


@pytest.mark.parametrize("generation", ["2016-query", "2017", "2019-draft", "2020"])
def test_the_order_of_pages_does_not_change_keys(cube: Sandbox, generation: str) -> None:
    """Customers with and without ids have the same keys in both orders."""
    assigned = generation in {"2016-query", "2017"}
    stream = ASSIGNED if assigned else CUSTOMERS
    settings = {"assignment_ids": [9]} if assigned else only(CRM)
    found = []
    for newest_first in (False, True):
        cube.reset(
            generation=generation,
            customers=17,
            anonymised=6,
            undated=3,
            traps=Traps(newest_first=newest_first),
        )
        found.append(keys(cube, stream, **settings))
    assert found[0] == found[1]
    assert len(set(found[0])) == len(found[0]) == 17
    assert sum(key.startswith(("id:", "surrogate:")) for key in found[0]) == 6


def test_shuffled_pages_give_the_same_keys() -> None:
    """Rows of every kind, many of them equal, have the same keys in any order and page size."""
    rows: list[Row] = [
        *({"crm__customer_id": f"{n:03}", "crm__standard_info__name": "A"} for n in range(8)),
        *({"crm__customer_id": "", "crm__standard_info__name": "Anonymized"} for _ in range(7)),
        *({"crm__customer_id": None, "crm__standard_info__name": f"B {n}"} for n in range(4)),
        *({"crm__standard_info__name": "Anonymized", "crm__customer_id": ""} for _ in range(2)),
        *({"crm__customer_id": "", "id": n} for n in range(3)),
    ]
    found = []
    for seed, size in enumerate((5, 7, 100)):
        shuffled = [dict(Random(seed).sample(list(row.items()), len(row))) for row in rows]
        Random(seed).shuffle(shuffled)

        def page(number: int, size: int = size, shuffled: list[Row] = shuffled) -> Row:
            end = number * size
            more = f"?page={number + 1}" if end < len(shuffled) else None
            return {
                "count": len(shuffled),
                "next": more and f"http://127.0.0.1:{server.server_port}{CUSTOMERS_PATH}{more}",
                "previous": None,
                "results": shuffled[end - size : end],
            }

        with pages(page) as server:
            run = read_at(server.url, **only(CRM))
        assert run.returncode == 0, run.stderr
        found.append(sorted(record["customer_id"] for record in run.records[CUSTOMERS]))
    assert len(set(found[0])) == len(rows)
    assert found[0] == found[1] == found[2]
    assert {"id:0", "id:1", "id:2", "000", "007"} <= set(found[0])


def test_ids_of_every_form_are_unchanged(cube: Sandbox) -> None:
    """Ids are text: leading zeros, long numbers, blanks and letters are kept."""
    unusual = ["007", "7", "07", "000000000123", "123456789012", "9" * 40, "A-1", " 8", "Å/1", "0"]
    for customer_id in unusual:
        cube.account.add_customer(CRM, customer_id=customer_id)
    found = keys(cube)
    assert found == sorted(cube.account.customer_ids(CRM))
    assert set(unusual) <= set(found)


def test_integers_on_the_wire_are_text_in_the_key(cube: Sandbox) -> None:
    """Ids that are sent as integers (T30) give the same keys as text."""
    cube.reset(customers=3)
    for customer_id in ("123456789012", "18446744073709551616"):
        cube.account.add_customer(CRM, customer_id=customer_id)
    as_text = keys(cube)
    cube.traps = Traps(customer_id_integer=True)
    run = read(cube, **only(CRM))
    as_integers = sorted(record["customer_id"] for record in run.records[CUSTOMERS])
    # The integer has no leading zero any more.
    assert {"123456789012", "18446744073709551616"} <= set(as_integers)
    assert {key.lstrip("0") for key in as_integers} == {key.lstrip("0") for key in as_text}


@pytest.mark.parametrize("generation", ["2017", "2019-draft"])
def test_rows_with_only_an_internal_id_have_it_as_key(cube: Sandbox, generation: str) -> None:
    """Cube's internal id (T41) with prefix `id:` is the key of an anonymised row."""
    cube.reset(generation=generation, customers=7, anonymised=7)
    assigned = generation == "2017"
    stream = ASSIGNED if assigned else CUSTOMERS
    run = read(cube, **({"assignment_ids": [9]} if assigned else only(CRM)))
    records = run.records[stream]
    assert [r["customer_id"] for r in records] == [f"id:{r['id']}" for r in records]
    assert len(records) == 7


def test_an_edit_of_a_customer_keeps_the_key(cube: Sandbox) -> None:
    """Changes of name, custom fields and date do not change the key."""
    before = keys(cube)
    edited = cube.account.customer_ids(CRM)[3]
    cube.account.update_customer(CRM, edited, name="Nytt Navn AS", custom={62: "0001"})
    assert keys(cube) == before


def test_one_id_in_two_crms_is_two_rows(cube: Sandbox) -> None:
    """An id is unique only within its CRM."""
    for where in (CRM, (2, "B2C")):
        cube.account.add_customer(where, customer_id="4711")
    run = read(cube, **only(CRM, (2, "B2C")))
    found = [r["crm_type"] for r in run.records[CUSTOMERS] if r["customer_id"] == "4711"]
    assert sorted(found) == ["B2B", "B2C"]
