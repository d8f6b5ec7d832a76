"""Ids come as numbers, as numbers in text or with a fraction of zero, and are the same ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.runs import CRM, CUSTOMERS, ids, logged, only, read_at, sync, unversioned
from tests.support.singles import OF_CUSTOMERS, read_details
from tests.support.sizes import scaled
from tests.support.strange_server import pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from cube_sandbox import Sandbox

Record = dict[str, Any]
IDS = {"campaign__id", "data_owner__id", "assignment__id", "id"}


def spell(
    cube: Sandbox,
    patch: pytest.MonkeyPatch,
    spelled: Callable[[int], object],
    crm_type: Callable[[str], str],
) -> None:
    """Let an account write the ids of campaigns and definitions in its own way."""
    from cube_sandbox import views  # noqa: PLC0415 - needs Django set up

    def respelled(make: Callable[..., Record]) -> Callable[..., Record]:
        def record(*args: Any) -> Record:  # noqa: ANN401 - those of the sandbox
            row = make(*args)
            row |= {n: spelled(v) for n, v in row.items() if n in IDS and isinstance(v, int)}
            name = "campaign__crm_type"
            return {**row, name: crm_type(row[name])} if name in row else row

        return record

    cube.keep_answers = False
    for name in ("campaign_record", "definition_record"):
        patch.setattr(views, name, respelled(getattr(views, name)))


@pytest.mark.parametrize(
    ("spelled", "crm_type"),
    [(str, str.lower), (float, " {} ".format)],
    ids=["text", "fraction"],
)
def test_every_spelling_is_read_in_full(
    cube: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    spelled: Callable[[int], object],
    crm_type: Callable[[str], str],
) -> None:
    """All streams have the same records, and ask for the same paths, as with plain numbers."""
    cube.reset(without=(), outcomes=2)
    plain = sync(cube, read_ahead=0)
    paths = [(request.path, request.query) for request in cube.requests]
    cube.requests.clear()
    spell(cube, monkeypatch, spelled, crm_type)
    run = sync(cube, read_ahead=0)
    assert [(request.path, request.query) for request in cube.requests] == paths
    expected, found = plain.records, run.records
    for campaign in (*expected["campaigns"], *found["campaigns"]):
        assert campaign.pop("campaign__crm_type").strip().upper() in {"B2B", "B2C"}
    assert found == expected
    assert unversioned(run.state) == unversioned(plain.state)
    assert not logged(run, "WARNING")


def test_ids_that_cannot_be_read_are_counted(
    cube: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their campaigns, CRMs and assignments are left out; one warning says how many, not which."""
    cube.reset(without=(), outcomes=2)
    plain = sync(cube)
    unreadable = {2: "Karihaug\n2", 8: -3, 12: 1.5}
    spell(cube, monkeypatch, lambda number: unreadable.get(number, number), str)
    run = sync(cube)
    told = [line for line in logged(run, "WARNING") if "not a whole number" in line]
    assert len(told) == 1
    assert told[0].endswith(
        "campaign__id in 2 campaigns, data_owner__id in 3 campaigns, assignment__id in 1 campaigns"
    )
    assert "Karihaug" not in run.stderr
    for stream in ("campaigns", "call_outcomes", "callflow_customers", "product_registrations"):
        expected = {record["campaign__id"] for record in plain.records[stream]} - {2, 8}
        assert {record["campaign__id"] for record in run.records[stream]} == expected
    assert {r["data_owner_id"] for r in run.records[CUSTOMERS]} == {1}


def test_ids_of_customers_in_every_spelling() -> None:
    """A number is the id that people read; an imported id never is the key of another customer."""
    day = {"crm__change_log__updated": "2024-05-17"}
    sent: list[Record] = [
        {"crm__customer_id": 900001.0, "crm__standard_info__name": "Kari"},
        {"crm__customer_id": "900001.0", "crm__standard_info__name": "Ola"},
        {"crm__customer_id": "007", "crm__standard_info__name": "Per"},
        {"crm__customer_id": 7.5, "crm__standard_info__name": "Anne"},
        {"crm__customer_id": "id:5", "crm__standard_info__name": "Nina"},
        {"crm__customer_id": "", "id": 5.0, "crm__standard_info__name": "Anonymized"},
    ]
    answer = {"count": len(sent), "next": None, "results": [{**row, **day} for row in sent]}
    with pages(lambda _: answer) as server:
        run = read_at(server.url, **only(CRM))
    assert run.returncode == 0, run.stderr
    names = {r["customer_id"]: r["crm__standard_info__name"] for r in run.records[CUSTOMERS]}
    assert names == {
        "900001": "Kari",
        "900001.0": "Ola",
        "007": "Per",
        "7.5": "Anne",
        "imported:id:5": "Nina",
        "id:5": "Anonymized",
    }


@pytest.mark.parametrize(
    ("found", "is_same"),
    [("007", True), ("7", False), (7.0, False), ("", False),
     *scaled([], [("0007", False), ("007.0", False), (" 007", False), ("+007", False),
                  ("\u0660\u0660\u0667", False)])],
)  # fmt: skip
def test_details_of_another_id_are_not_those_of_the_customer(
    cube: Sandbox, monkeypatch: pytest.MonkeyPatch, found: object, *, is_same: bool
) -> None:
    """Zeros in front count (T31). A record without an id may be anybody's."""
    cube.reset(page_size=50, keep_answers=False)
    cube.account.add_customer(CRM, customer_id="007")
    from cube_sandbox.payloads import RecordBuilder  # noqa: PLC0415 - needs Django set up

    made = RecordBuilder.records

    def records(builder: RecordBuilder, customers: Any) -> list[Record]:  # noqa: ANN401 - rows
        rows = made(builder, customers)
        for row in rows if builder.single else ():
            if row["crm__customer_id"] == "007":
                row["crm__customer_id"] = found
        return rows

    monkeypatch.setattr(RecordBuilder, "records", records)
    run = read_details(cube)
    assert "007" in ids(run.records[CUSTOMERS])
    assert ("007" in ids(run.records[OF_CUSTOMERS])) is is_same
