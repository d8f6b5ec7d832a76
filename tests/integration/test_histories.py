"""Complete runs over real sockets, with random edits and faults meanwhile."""

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

EXAMPLES = scaled(12, 45)
READ_AHEAD = [0, 1, 4]
RETRIES = 3
ASIDE = {"C1", *(f"C{number}" for number in range(4, 12))}
"""Endpoints of `docs/api.md` that are not served, to keep discovery short."""

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
    # No more than one request can retry: only edits may make a run fail.
    max_size=RETRIES,
)


class History:
    """Edits and faults between the requests for pages of one CRM, and all versions of its rows.

    Args:
        cube: The account.
        moments: The edits before each response, from the first page of the sync on.
        faults: Kinds of faults, by the number of the response.
    """

    def __init__(self, cube: Sandbox, moments: list[list[Edit]], faults: Mapping[int, Any]) -> None:
        """Keep the initial rows of the account."""
        self._cube = cube
        self._moments = moments
        self._faults = faults
        self._lock = threading.Lock()
        self._request = -1  # discovery requests one page, before the first edit
        self.versions = {row["crm__customer_id"]: [row] for row in rows_of(cube)}
        self.stayed = list(self.versions)
        self.inserted: set[str] = set()
        self.disturbed = 0
        self._is_over = False

    def end(self) -> None:
        """Stop edits and faults, also for prefetched pages."""
        self._cube.before_request = None
        with self._lock:
            self._is_over = True

    def before_request(self, request: Request) -> None:
        """Apply the edits and the fault of the next request."""
        if request.row != "C2":
            return
        with self._lock:
            if self._is_over:
                return
            now, self._request = self._request, self._request + 1
            moment = self._moments[now] if 0 <= now < len(self._moments) else []
            for kind, times, where in moment:
                self._edit(kind, times, where)
            fault = self._faults.get(now)
            if fault:
                self._cube.faults.append(Fault(fault, at=request.number, times=1))
            # A missing page looks like deleted rows.
            self.disturbed += fault == "404" or any(kind != "update" for kind, _, _ in moment)

    def _edit(self, kind: str, times: int, where: float) -> None:
        account = self._cube.account
        if kind in {"insert", "both"}:
            # They stay: a pass can miss a row that is added and deleted again.
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
        # Before the update: a response can contain it at once.
        versions.append({**versions[-1], **changed})
        self._cube.account.update_customer(CRM, customer, email=email)


def rows_of(cube: Sandbox) -> list[dict[str, str]]:
    """All rows of the CRM as Cube sends them on one page, without custom fields."""
    response = requests.get(
        f"{cube.url}/api/v1/data_owners/{CRM[0]}/{CRM[1]}/customers/",
        headers={"Authorization": f"Token {cube.token}"},
        timeout=300,
    )
    # The tap converts custom fields; other tests cover them.
    return [
        {key: value for key, value in row.items() if not key.startswith("crm__custom_info__")}
        for row in response.json()["results"]
    ]


# One test per value, so that workers of pytest share the load.
@pytest.mark.parametrize("read_ahead", READ_AHEAD)
@settings(
    max_examples=-(-EXAMPLES // len(READ_AHEAD)),
)
@given(
    pages=st.integers(1, 9),
    size=st.integers(1, 6),
    lacking=st.integers(0, 6),
    newest_first=st.booleans(),
    moments=st.lists(edits, max_size=15),
    faults=faults,
)
def test_a_run_is_complete_or_fails(  # noqa: PLR0913 - one history
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
    """Each row that stays is emitted in one of its versions; no other row is emitted."""
    running.reset(
        generation="2020",
        without=ASIDE,
        outcomes=0,
        # Most accounts have a last page that is not full, so that edits move rows.
        customers=max(0, pages * size - lacking),
        page_size=100,
        traps=Traps(newest_first=newest_first),
    )
    history = History(running, moments, faults)
    running.page_size = size
    running.before_request = history.before_request
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
        # Only an account that changed during every pass may end in an error.
        assert "Run again when the account changes less" in complaint(run)
        assert history.disturbed >= MAX_PASSES
        return
    emitted = {record["customer_id"]: record for record in run.records[CUSTOMERS]}
    assert set(history.stayed) <= emitted.keys()
    assert emitted.keys() <= history.versions.keys() | history.inserted
    for customer in emitted.keys() - history.inserted:
        arrived = emitted[customer]
        assert any(row.items() <= arrived.items() for row in history.versions[customer])
