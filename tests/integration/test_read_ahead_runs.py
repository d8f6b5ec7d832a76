"""Runs that read ahead: links, counts, errors and limits are handled as without lookahead.

`read` itself checks that no thread is left after a run.
"""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault, Traps
from tests.support.breaking import assert_complete
from tests.support.ending import SECONDS as SOON
from tests.support.ending import assert_cut_short, wait_until
from tests.support.runs import (
    CRM,
    CUSTOMERS,
    bookmarks,
    complaint,
    ids,
    only,
    read,
    read_at,
    settings_for,
)
from tests.support.singer_check import check
from tests.support.sizes import by_turns, scaled
from tests.support.tap_process import TapRun, started_tap

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from cube_sandbox import Request, Sandbox

SECONDS = 50
"""How long a broken test may hang; less than the timeout, after which a retry counts twice."""

EVENTS = {"C5", "C6", "C7", "C8", "C9", "C10", "C11"}
SAME = "/api/v1/data_owners/2/B2B/customers/"
HOLD_SECONDS = 0.005
"""Seconds that a request is held, so that concurrent ones are seen."""


def prefetch_threads() -> list[threading.Thread]:
    """The threads of this process that read ahead."""
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


class Flight:
    """Counts the requests that are in flight.

    Args:
        cube: The account, whose requests are watched from now on.
        since: The first page of customers to count; None counts every request.
        together: Pages that are held until all of them are requested.
    """

    def __init__(
        self, cube: Sandbox, *, since: int | None = None, together: Collection[int] = ()
    ) -> None:
        """Watch the requests of an account."""
        self.most = 0
        self.threads = 0
        self.has_met = False
        self._since = since
        self._together = together
        self._barrier = threading.Barrier(len(together) or 1)
        self._lock = threading.Lock()
        self._now = 0
        self._cube = cube
        cube.before_request = self._see

    def _see(self, request: Request) -> None:
        if request.row == "C2" and request.page in self._together and not self.has_met:
            self._barrier.wait(SECONDS)
            self.has_met = True
        if self._since is not None and (request.row != "C2" or request.page < self._since):
            return
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            self.threads = max(self.threads, len(prefetch_threads()))
        self._cube.closing.wait(HOLD_SECONDS)
        with self._lock:
            self._now -= 1


def requested_pages(cube: Sandbox) -> set[int]:
    """The pages of customers that were requested so far."""
    return {request.page for request in list(cube.requests) if request.row == "C2"}


LINKS: dict[str, object] = {
    "back": f"{SAME}?page=2",
    "too far": f"{SAME}?page=9",
    "elsewhere": "/api/v1/data_owners/2/B2C/customers/?page=5",
    "nowhere": None,
    "no link": 7,
}


@pytest.mark.parametrize(("name", "read_ahead"), by_turns(LINKS, [4, 1]))
def test_a_link_that_disagrees_with_the_prefetched_page(
    cube: Sandbox, name: str, read_ahead: int
) -> None:
    """Page 4 of 6 links to another page than the prefetched one; each row is emitted once."""
    link = LINKS[name]

    def replace(real: str | None) -> object:
        return link if real and real.endswith(f"{SAME}?page=5") else real

    cube.reset(customers=30, traps=Traps(next_value=replace))
    run = read(cube, read_ahead=read_ahead, **only(CRM))
    assert_complete(cube, run)
    assert run.stderr.count("counting pages instead") == (link is not None)
    assert requested_pages(cube) == set(range(1, 7))


def once_at(cube: Sandbox, page: int, edit: Callable[[], object]) -> None:
    """Call `edit` before the first response for a page of customers."""
    has_happened = threading.Event()
    lock = threading.Lock()

    def see(request: Request) -> None:
        with lock:
            if request.row == "C2" and request.page == page and not has_happened.is_set():
                has_happened.set()
                edit()

    cube.before_request = see


def read_sliding(cube: Sandbox, **settings: Any) -> TapRun:  # noqa: ANN401 - settings
    """Read ahead while rows move to other pages, so that one can be emitted twice (T16)."""
    run = read_at(cube.url, auth_token=cube.token, read_ahead=4, **only(CRM), **settings)
    check(run.stdout, may_repeat=True)
    return run


@pytest.mark.parametrize(
    "deleted", [slice(35), slice(20, 55), slice(0, None, 2), slice(None)], ids=str
)
def test_an_account_that_shrinks_while_pages_are_fetched(cube: Sandbox, deleted: slice) -> None:
    """Prefetched pages that no longer exist are no error; all remaining rows are emitted."""
    cube.reset(customers=60)
    before = cube.account.customer_ids(CRM)
    once_at(cube, 3, lambda: cube.account.delete(CRM, before[deleted]))
    run = read_sliding(cube)
    assert run.returncode == 0, run.stderr
    stayed = set(cube.account.customer_ids(CRM))
    assert stayed <= ids(run.records[CUSTOMERS]) <= set(before)


def test_a_count_that_shrinks_without_deletions(cube: Sandbox) -> None:
    """All rows are read although `count` becomes too low."""
    cube.reset(customers=60)
    once_at(cube, 3, lambda: setattr(cube, "traps", Traps(count=lambda _: 7)))
    run = read_sliding(cube)
    assert run.returncode == 0, run.stderr
    assert ids(run.records[CUSTOMERS]) == set(cube.account.customer_ids(CRM))


@pytest.mark.usefixtures("full_width")
def test_an_error_is_reported_in_the_order_of_pages(cube: Sandbox) -> None:
    """Page 4 fails before page 2 arrives; the error follows the rows of earlier pages."""
    cube.reset(customers=60, faults=[Fault("500", row="C2", page=4)])
    flight = Flight(cube, together=[2, 4])
    run = read(cube, read_ahead=4, max_retries=0, **only(CRM))
    assert flight.has_met
    assert f"{CUSTOMERS} of data_owners/2/B2B, page 4: HTTP 500" in complaint(run)
    written = [record["customer_id"] for record in run.records[CUSTOMERS]]
    assert 5 <= len(written) <= 15
    assert written == cube.account.customer_ids(CRM)[: len(written)]
    assert not (run.state and CUSTOMERS in run.state["bookmarks"] and bookmarks(run))


def test_an_error_of_a_page_beyond_the_end_is_ignored(cube: Sandbox) -> None:
    """Prefetched pages beyond the end of a shrunken account can fail."""
    cube.reset(customers=60)
    deleted = cube.account.customer_ids(CRM)[30:]

    def shrink() -> None:
        cube.account.delete(CRM, deleted)
        cube.faults = [Fault("500", row="C2", page=page) for page in range(7, 12)]

    once_at(cube, 12, shrink)  # requested right after the first, before any prefetching
    run = read_sliding(cube, max_retries=0)
    assert run.returncode == 0, run.stderr
    assert ids(run.records[CUSTOMERS]) == set(cube.account.customer_ids(CRM))
    assert requested_pages(cube) & set(range(7, 12))


@pytest.mark.parametrize("read_ahead", scaled([0, 4], [0, 1, 2, 4]))
def test_never_more_requests_at_once_than_the_setting(cube: Sandbox, read_ahead: int) -> None:
    """The limit covers all streams and partitions; with 0 there is no thread."""
    cube.reset(customers=30)
    flight = Flight(cube)
    run = read(cube, read_ahead=read_ahead)
    assert run.returncode == 0, run.stderr
    assert len(run.records[CUSTOMERS]) == 90
    assert flight.most <= max(1, read_ahead)
    assert bool(flight.threads) == bool(read_ahead)


@pytest.mark.parametrize("read_ahead", scaled([4], [2, 4]))
@pytest.mark.usefixtures("full_width")
def test_as_many_requests_at_once_as_the_setting(cube: Sandbox, read_ahead: int) -> None:
    """After the first page, up to `read_ahead` pages are requested at once."""
    cube.reset(customers=60)
    flight = Flight(cube, together=range(2, 2 + read_ahead))
    assert read(cube, read_ahead=read_ahead, **only(CRM)).returncode == 0
    assert flight.has_met


def test_a_signal_ends_the_run_while_every_thread_hangs(cube: Sandbox) -> None:
    """Stalled sockets do not delay the end."""
    # Without events: the pipe is not read before the signal and must not become full.
    stalled = [Fault("stall", row="C2", page=page) for page in range(2, 12)]
    cube.reset(customers=60, faults=stalled, without=EVENTS)
    with started_tap(settings_for(cube, read_ahead=4, **only(CRM))) as process:
        wait_until(lambda: {2, 3} <= requested_pages(cube), process)
        process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        stdout, stderr = process.communicate(timeout=SECONDS)
        assert time.monotonic() - begun < SOON
    assert_cut_short(TapRun(process.returncode, stdout.decode(), stderr.decode()))
