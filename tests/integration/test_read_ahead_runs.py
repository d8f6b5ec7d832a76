"""Whole runs that read ahead: links, counts, errors and limits, as if pages came one by one.

That each of them leaves no thread behind is seen by `read` itself.
"""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

from cube_sandbox import Fault, Traps
from tests.integration.test_ends import SECONDS as SOON
from tests.integration.test_ends import assert_cut_short, wait_until
from tests.support.breaking import assert_complete
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
"""How long a broken test may hang: a request that timed out would be another one beside itself."""

EVENTS = {"C5", "C6", "C7", "C8", "C9", "C10", "C11"}
SAME = "/api/v1/data_owners/2/B2B/customers/"
HELD = 0.005
"""Seconds that a request is held, so that another one may be seen beside it."""


def readers() -> list[threading.Thread]:
    """The threads that read ahead in this process, where the sandbox lives too."""
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


class Flight:
    """Counts the requests that are with the server at once.

    Args:
        cube: The account, whose requests are watched from now on.
        since: The first page of customers that counts; None counts every request.
        together: Pages that are held until all of them have been asked for.
    """

    def __init__(
        self, cube: Sandbox, *, since: int | None = None, together: Collection[int] = ()
    ) -> None:
        """Watch."""
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
            self.threads = max(self.threads, len(readers()))
        self._cube.closing.wait(HELD)
        with self._lock:
            self._now -= 1


def pages_asked(cube: Sandbox) -> set[int]:
    """The pages of customers that were asked for so far."""
    return {request.page for request in list(cube.requests) if request.row == "C2"}


BENT: dict[str, object] = {
    "back": f"{SAME}?page=2",
    "too far": f"{SAME}?page=9",
    "elsewhere": "/api/v1/data_owners/2/B2C/customers/?page=5",
    "nowhere": None,
    "no link": 7,
}


@pytest.mark.parametrize(("name", "read_ahead"), by_turns(BENT, [4, 1]))
def test_a_link_that_disagrees_with_what_was_fetched(
    cube: Sandbox, name: str, read_ahead: int
) -> None:
    """Page 4 of 6 names another page than the one fetched meanwhile; each row comes once."""
    link = BENT[name]

    def bend(real: str | None) -> object:
        return link if real and real.endswith(f"{SAME}?page=5") else real

    cube.reset(customers=30, traps=Traps(next_value=bend))
    run = read(cube, read_ahead=read_ahead, **only(CRM))
    assert_complete(cube, run)
    assert run.stderr.count("counting pages instead") == (link is not None)
    assert pages_asked(cube) == set(range(1, 7))


def once_at(cube: Sandbox, page: int, edit: Callable[[], object]) -> None:
    """Let something happen just before a page of customers is answered for the first time."""
    has_happened = threading.Event()
    lock = threading.Lock()

    def see(request: Request) -> None:
        with lock:
            if request.row == "C2" and request.page == page and not has_happened.is_set():
                has_happened.set()
                edit()

    cube.before_request = see


def read_sliding(cube: Sandbox, **settings: object) -> TapRun:
    """Read ahead while rows move to other pages, so that one may come twice (T16)."""
    run = read_at(cube.url, auth_token=cube.token, read_ahead=4, **only(CRM), **settings)
    check(run.stdout, may_repeat=True)
    return run


@pytest.mark.parametrize(
    "gone", [slice(35), slice(20, 55), slice(0, None, 2), slice(None)], ids=str
)
def test_an_account_that_shrinks_while_pages_are_fetched(cube: Sandbox, gone: slice) -> None:
    """Pages that are no more when their turn comes are no error, and no row that stays is lost."""
    cube.reset(customers=60)
    before = cube.account.customer_ids(CRM)
    once_at(cube, 3, lambda: cube.account.delete(CRM, before[gone]))
    run = read_sliding(cube)
    assert run.returncode == 0, run.stderr
    stayed = set(cube.account.customer_ids(CRM))
    assert stayed <= ids(run.records[CUSTOMERS]) <= set(before)


def test_a_count_that_shrinks_alone(cube: Sandbox) -> None:
    """A server that forgets what it counted hides no row of pages that are there."""
    cube.reset(customers=60)
    once_at(cube, 3, lambda: setattr(cube, "traps", Traps(count=lambda _: 7)))
    run = read_sliding(cube)
    assert run.returncode == 0, run.stderr
    assert ids(run.records[CUSTOMERS]) == set(cube.account.customer_ids(CRM))


def test_an_error_waits_for_its_turn(cube: Sandbox) -> None:
    """Page 4 fails while page 2 is still awaited: it is told as of page 4, after rows before it."""
    cube.reset(customers=60, faults=[Fault("500", row="C2", page=4)])
    flight = Flight(cube, together=[2, 4])
    run = read(cube, read_ahead=4, max_retries=0, **only(CRM))
    assert flight.has_met
    assert f"{CUSTOMERS} of data_owners/2/B2B, page 4: HTTP 500" in complaint(run)
    written = [record["customer_id"] for record in run.records[CUSTOMERS]]
    assert 5 <= len(written) <= 15
    assert written == cube.account.customer_ids(CRM)[: len(written)]
    assert not (run.state and CUSTOMERS in run.state["bookmarks"] and bookmarks(run))


def test_an_error_of_a_page_that_is_no_more_is_nobodys(cube: Sandbox) -> None:
    """What was asked for beyond the end of an account that shrank may fail as it likes."""
    cube.reset(customers=60)
    gone = cube.account.customer_ids(CRM)[30:]

    def shrink() -> None:
        cube.account.delete(CRM, gone)
        cube.faults = [Fault("500", row="C2", page=page) for page in range(7, 12)]

    once_at(cube, 12, shrink)  # looked at right after the first, before any is fetched ahead
    run = read_sliding(cube, max_retries=0)
    assert run.returncode == 0, run.stderr
    assert ids(run.records[CUSTOMERS]) == set(cube.account.customer_ids(CRM))
    assert pages_asked(cube) & set(range(7, 12))


@pytest.mark.parametrize("read_ahead", scaled([0, 4], [0, 1, 2, 4]))
def test_never_more_at_once_than_the_setting(cube: Sandbox, read_ahead: int) -> None:
    """Over all streams and partitions of an account; with 0 there is not even a thread."""
    cube.reset(customers=30)
    flight = Flight(cube)
    run = read(cube, read_ahead=read_ahead)
    assert run.returncode == 0, run.stderr
    assert len(run.records[CUSTOMERS]) == 90
    assert flight.most <= max(1, read_ahead)
    assert bool(flight.threads) == bool(read_ahead)


@pytest.mark.parametrize("read_ahead", scaled([4], [2, 4]))
def test_as_many_at_once_as_the_setting(cube: Sandbox, read_ahead: int) -> None:
    """After the first page alone, as many pages are asked for at once as may be."""
    cube.reset(customers=60)
    flight = Flight(cube, together=range(2, 2 + read_ahead))
    assert read(cube, read_ahead=read_ahead, **only(CRM)).returncode == 0
    assert flight.has_met


def test_a_signal_while_every_thread_hangs(cube: Sandbox) -> None:
    """Sockets that are stalled, four at once, hold up the end no longer than one."""
    # Without events: nobody reads the pipe before the signal, and it must not become full.
    stalled = [Fault("stall", row="C2", page=page) for page in range(2, 12)]
    cube.reset(customers=60, faults=stalled, without=EVENTS)
    with started_tap(settings_for(cube, read_ahead=4, **only(CRM))) as process:
        wait_until(lambda: {2, 3, 4, 5} <= pages_asked(cube), process)
        process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        stdout, stderr = process.communicate(timeout=SECONDS)
        assert time.monotonic() - begun < SOON
    assert_cut_short(TapRun(process.returncode, stdout.decode(), stderr.decode()))
