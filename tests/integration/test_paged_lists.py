"""Campaigns and definitions that come in pages, although the documents show bare lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Traps
from tests.support.runs import (
    CRM,
    CUSTOMERS,
    complaint,
    discover,
    entry_of,
    only,
    read,
    read_at,
    sync,
)
from tests.support.sizes import scaled
from tests.support.strange_server import pages

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

CAMPAIGNS = "/api/v1/campaigns"


def begin(cube: Sandbox, **traps: object) -> None:
    """Begin with seven campaigns and 22 custom fields, three a page."""
    cube.reset(generation="2020", without=(), campaigns=7, customers=2, outcomes=2, page_size=3)
    cube.traps = Traps(paged_lists=True, **traps)  # type: ignore[arg-type]  # any trap


@pytest.mark.parametrize("read_ahead", scaled([4], [0, 4]))
def test_lists_in_pages_are_read_to_their_end(cube: Sandbox, read_ahead: int) -> None:
    """The streams have all rows, and so have those whose partitions and columns they decide."""
    begin(cube)
    run = sync(cube, read_ahead=read_ahead)
    assert [row["campaign__id"] for row in run.records["campaigns"]] == cube.account.campaigns
    outcomes = run.records["call_outcomes"]
    assert {row["campaign__id"] for row in outcomes} == set(cube.account.campaigns)
    defined = [row["id"] for row in run.records["custom_fields"] if row["source"].endswith("B2B")]
    assert sorted(defined) == sorted(cube.account.definitions(CRM))
    paged = run.schemas[CUSTOMERS]
    cube.traps = Traps()
    assert sync(cube).schemas[CUSTOMERS] == paged


def test_a_list_that_is_not_certain_to_be_whole_ends_the_run(cube: Sandbox) -> None:
    """The account counts one campaign more than its pages have."""
    begin(cube, count=lambda number: number + 1)
    sentence = complaint(read(cube, **only(CRM)))
    assert sentence.startswith("campaigns: after")
    run = sync(cube, on_incomplete_read="warn", **only(CRM))
    assert len(run.records["campaigns"]) == 7
    assert "campaigns: after 5 passes it is not certain" in run.stderr


def test_discovery_reads_lists_to_their_end_as_well(cube: Sandbox) -> None:
    """The catalog has a column for each custom field."""
    begin(cube)
    columns = entry_of(discover(cube, **only(CRM)))["schema"]["properties"]
    assert {f"crm__custom_info__{n}" for n in cube.account.definitions(CRM)} <= columns.keys()


@pytest.mark.parametrize("values", [0, 100])
def test_a_list_without_end_is_not_kept(values: int) -> None:
    """Each page has new campaigns and a link to the next, for as long as anybody asks."""
    size = 20_000 if not values else 2_000
    rest = {f"key{n}": "" for n in range(values)}

    def answer(number: int) -> dict[str, Any]:
        ids = range(number * size, number * size + size)
        rows = [{"campaign__id": n, **rest} for n in ids]
        return {"next": f"{CAMPAIGNS}?page={number + 1}", "results": rows}

    with pages(answer) as server:
        server.path = CAMPAIGNS
        sentence = complaint(read_at(server.url, read_ahead=0))
    assert sentence.startswith("campaigns: with this list the stream has more than")
    assert len(server.asked) < 10
