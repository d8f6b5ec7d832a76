"""Whole runs over real sockets, while the account is edited and answers go wrong at random."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from cube_sandbox import Fault, Traps
from tap_cube.paging.complete import MAX_PASSES
from tests.support.runs import CRM, CUSTOMERS, complaint, only, read_at
from tests.support.singer_check import check
from tests.support.sizes import scaled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cube_sandbox import Sandbox
    from cube_sandbox.faults import Request

pytestmark = pytest.mark.slow

EXAMPLES = scaled(36, 500)
WIDTHS = [0, 1, 4]
RETRIES = 3
ASIDE = {"C1", *(f"C{number}" for number in range(4, 12))}
"""Endpoints of `docs/api.md` that are not served, so that discovery reads little else."""

Edit = tuple[str, int, float]

edits = st.lists(
    st.tuples(
        st.sampled_from(["insert", "delete", "both", "update"]),
        st.integers(1, 8),
        st.floats(0, 1, exclude_max=True),
    ),
    max_size=2,
)
faults = st.dictionaries(
    st.integers(0, 15),
    st.sampled_from(["429", "503", "reset", "truncate", "html", "404"]),
    # No more than one request has tries for: only edits may make a run fail.
    max_size=RETRIES,
)


class History:
    """What happens to one CRM between the requests for its pages, and what it held meanwhile.

    Args:
        cube: The account.
        moments: The edits before each answer, from the first page of the sync on.
        faults: What goes wrong with which of these answers.
    """

    def __init__(self, cube: Sandbox, moments: list[list[Edit]], faults: Mapping[int, Any]) -> None:
        """Remember how the account begins."""
        self._cube = cube
        self._moments = moments
        self._faults = faults
        self._lock = threading.Lock()
        self._asked = -1  # discovery looks at one page, and that before anything happens
        self.versions = {row["crm__customer_id"]: [row] for row in rows_of(cube)}
        self.stayed = list(self.versions)
        self.inserted: set[str] = set()
        self.disturbed = 0
        self._is_over = False

    def end(self) -> None:
        """Let nothing happen any more, not even for what was asked for ahead of its time."""
        self._cube.before_request = None
        with self._lock:
            self._is_over = True

    def happen(self, request: Request) -> None:
        """Let the next moment of the history happen."""
        if request.row != "C2":
            return
        with self._lock:
            if self._is_over:
                return
            now, self._asked = self._asked, self._asked + 1
            moment = self._moments[now] if 0 <= now < len(self._moments) else []
            for kind, times, where in moment:
                self._edit(kind, times, where)
            fault = self._faults.get(now)
            if fault:
                self._cube.faults.append(Fault(fault, at=request.number, times=1))
            # A page that is not there looks as if rows had gone.
            self.disturbed += fault == "404" or any(kind != "update" for kind, _, _ in moment)

    def _edit(self, kind: str, times: int, where: float) -> None:
        account = self._cube.account
        if kind in {"insert", "both"}:
            # They stay: no reader could see a row that comes in front and goes again.
            self.inserted.update(account.insert(CRM, times))
        chosen = self.stayed[int(where * len(self.stayed)) :][:times]
        if kind in {"delete", "both"}:
            account.delete(CRM, chosen)
            self.stayed = [row for row in self.stayed if row not in chosen]
        if kind == "update":
            for customer in chosen:
                self._update(customer)

    def _update(self, customer: str) -> None:
        versions = self.versions[customer]
        email = f"version.{len(versions)}@example.com"
        changed = {
            "crm__standard_info__email": email,
            "crm__change_log__updated": self._cube.day.isoformat(),
            "crm__change_log__update_method": "Manual update",
        }
        # Known first: an answer may be made as soon as the account has it.
        versions.append({**versions[-1], **changed})
        self._cube.account.update_customer(CRM, customer, email=email)


def rows_of(cube: Sandbox) -> list[dict[str, str]]:
    """All rows of the CRM as Cube sends them, without custom fields, on one page."""
    answer = requests.get(
        f"{cube.url}/api/v1/data_owners/{CRM[0]}/{CRM[1]}/customers/",
        headers={"Authorization": f"Token {cube.token}"},
        timeout=300,
    )
    # Custom fields are typed by the tap, and have tests of their own.
    return [
        {key: value for key, value in row.items() if not key.startswith("crm__custom_info__")}
        for row in answer.json()["results"]
    ]


# By width, so that workers of pytest share the load.
@pytest.mark.parametrize("read_ahead", WIDTHS)
@settings(
    max_examples=-(-EXAMPLES // len(WIDTHS)),
)
@given(
    pages=st.integers(1, 9),
    size=st.integers(1, 6),
    lacking=st.integers(0, 6),
    newest_first=st.booleans(),
    moments=st.lists(edits, max_size=15),
    faults=faults,
)
def test_a_run_is_complete_or_an_error_whatever_happens_meanwhile(  # noqa: PLR0913 - one history
    running: Sandbox,
    *,
    read_ahead: int,
    pages: int,
    size: int,
    lacking: int,
    newest_first: bool,
    moments: list[list[Edit]],
    faults: Mapping[int, str],
) -> None:
    """Rows that stay arrive as they were at some moment, and none that never was."""
    running.reset(
        generation="2020",
        without=ASIDE,
        outcomes=0,
        # Most accounts have some pages, and a last one that is not full: there rows slide.
        customers=max(0, pages * size - lacking),
        page_size=100,
        traps=Traps(newest_first=newest_first),
    )
    history = History(running, moments, faults)
    running.page_size = size
    running.before_request = history.happen
    try:
        run = read_at(
            running.url,
            auth_token=running.token,
            max_retries=RETRIES,
            read_ahead=read_ahead,
            **only(CRM),
        )
    finally:
        history.end()
    check(run.stdout, may_repeat=True)
    if run.returncode:
        # Only an account that changed during every reading may end in an error.
        assert "Run again when the account changes less" in complaint(run)
        assert history.disturbed >= MAX_PASSES
        return
    emitted = {record["customer_id"]: record for record in run.records[CUSTOMERS]}
    assert set(history.stayed) <= emitted.keys()
    assert emitted.keys() <= history.versions.keys() | history.inserted
    for customer in emitted.keys() - history.inserted:
        arrived = emitted[customer]
        assert any(row.items() <= arrived.items() for row in history.versions[customer])
