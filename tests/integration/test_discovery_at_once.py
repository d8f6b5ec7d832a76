"""Discovery sends requests concurrently where it knows the next one already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.meeting import Meeting
from tests.support.runs import read

if TYPE_CHECKING:
    from cube_sandbox import Sandbox


@pytest.mark.parametrize("rows", [{"C2", "C4"}, {"C6", "C9", "C11"}], ids=["a CRM", "events"])
@pytest.mark.usefixtures("full_width")
@pytest.mark.parametrize("read_ahead", [3, 4])
def test_known_requests_are_sent_concurrently(
    cube: Sandbox, rows: set[str], read_ahead: int
) -> None:
    """As many requests are in flight as `read_ahead` allows, and never more."""
    cube.reset(generation="2020", customers=3, outcomes=1)
    meeting = Meeting(cube, rows)
    run = read(cube, read_ahead=read_ahead)
    assert run.returncode == 0, run.stderr
    assert not meeting.together.broken
    assert meeting.most <= read_ahead


def test_the_crms_after_the_first_are_requested_concurrently(cube: Sandbox) -> None:
    """After the endpoint for the customers of one CRM is found, the others do not wait."""
    cube.reset(generation="2020", customers=3, outcomes=1)
    read(cube)
    crms = sorted({request.path for request in cube.requests if request.row == "C2"})
    assert len(crms) == 3
    meeting = Meeting(cube, set(crms[1:]))
    run = read(cube)
    assert run.returncode == 0, run.stderr
    assert not meeting.together.broken
