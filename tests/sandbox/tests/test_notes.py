"""The invented endpoint of notes: there on request only."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from cube_sandbox import Traps
from cube_sandbox.clock import OSLO

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

    from .conftest import Ask

NOTES = "/api/v1/campaigns/2/notes/"


def test_no_account_has_notes_unasked(ask: Ask) -> None:
    """The endpoint is invented, so nobody finds it who did not ask for it."""
    assert ask(NOTES).status_code == 404


@pytest.mark.parametrize("newest_first", [False, True])
def test_notes_come_in_pages(cube: Sandbox, ask: Ask, *, newest_first: bool) -> None:
    """Pages are those of the other endpoints; a change shows at once, to the minute."""
    cube.reset(notes=4, traps=Traps(newest_first=newest_first))
    last = cube.account.notes(2)[-1]
    cube.account.change_note(last, "Ring igjen", datetime(2024, 5, 17, 9, 30, tzinfo=OSLO))
    pages = [ask(NOTES).json(), ask(f"{NOTES}?page=2").json()]
    assert [page["count"] for page in pages] == [4, 4]
    rows = [row for page in pages for row in page["results"]]
    order = "note__changed_when" if newest_first else "note__id"
    values = [row[order] for row in rows]
    assert values == sorted(values, reverse=newest_first)
    assert {row["note__id"] for row in rows} == {*cube.account.notes(2)}
    (changed,) = (row for row in rows if row["note__id"] == last)
    assert changed == {
        "note__id": last,
        "note__text": "Ring igjen",
        "note__changed_when": "2024-05-17 09:30",
        "crm__customer_id": changed["crm__customer_id"],
        "campaign__name": "Mersalg B2B",
        "data_owner__name": "Fjordmedia AS",
    }
    assert changed["crm__customer_id"] in cube.account.customer_ids((2, "B2B"))


def test_notes_go_with_their_customer(cube: Sandbox, ask: Ask) -> None:
    """A deleted customer leaves no note behind."""
    cube.reset(notes=8)
    first, *_ = cube.account.customer_ids((2, "B2B"))
    cube.account.delete_customer((2, "B2B"), first)
    assert ask(NOTES).json()["count"] == 7


def test_an_unknown_campaign_has_no_notes(cube: Sandbox, ask: Ask) -> None:
    """A campaign that does not exist is a 404 like everywhere."""
    cube.reset(notes=1)
    answer = ask("/api/v1/campaigns/7777/notes/")
    assert (answer.status_code, answer.json()) == (
        404,
        {"detail": "No Campaign matches the given query."},
    )
