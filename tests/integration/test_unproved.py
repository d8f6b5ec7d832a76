"""`on_incomplete_read: warn`: what was found is delivered, bookmarks stay, nothing is lost."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from cube_sandbox import Fault
from tests.integration.conftest import TODAY
from tests.support.event_runs import (
    DAY,
    MERSALG,
    OUTCOMES,
    begin,
    by_key,
    days_read,
    night,
)
from tests.support.runs import logged

if TYPE_CHECKING:
    from cube_sandbox import Request, Sandbox

CUT_SHORT = '{"count": 0, "next": null, "results": []}'
PATH = f"/api/v1/campaigns/{MERSALG}/call_outcomes/"


def test_a_window_that_is_never_proved_hides_no_later_one(cube: Sandbox) -> None:
    """Later days arrive, too, but do not move the bookmark past the window."""
    begin(cube, page_size=5)
    cube.account.add_outcomes(MERSALG, 60, date(2005, 1, 1), date(2005, 3, 1))
    cube.account.add_outcomes(MERSALG, 60, TODAY - 9 * DAY, TODAY)

    def cut_early_years(request: Request) -> None:
        if request.path == PATH and "from_date=20000101" in request.query and request.page == 2:
            cube.faults.append(Fault("not-json", at=request.number, body=CUT_SHORT))

    cube.before_request = cut_early_years
    first = night(cube, on_incomplete_read="warn")
    days = {record["submitted_at"][:4] for record in first.records[OUTCOMES]}
    assert days == {"2005", str(TODAY.year)}
    assert MERSALG not in days_read(first.state or {})
    (warning,) = [line for line in logged(first, "WARNING") if "not certain" in line]
    assert warning.startswith(f"{OUTCOMES} of campaigns/{MERSALG}: after 5 passes")
    cube.before_request = None
    second = night(cube, TODAY + DAY, state=first.state, on_incomplete_read="warn")
    assert len(by_key(second.records[OUTCOMES])) == cube.account.outcome_count(MERSALG) == 120
    assert days_read(second.state or {})[MERSALG] == TODAY + DAY
