"""The limit of requests in flight finds what each server gains from, in virtual time."""

from __future__ import annotations

import random
import threading
from concurrent.futures import Future
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from tap_cube.errors import TransientError
from tap_cube.http import prefetch
from tap_cube.http.limit import AHEAD_BYTES, AdaptiveLimit
from tap_cube.http.prefetch import Prefetcher, WorkerPool
from tests.support.virtual import Flight, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

LENGTHS = [200, 2000]
SECONDS = 0.1


@pytest.mark.parametrize("pages", LENGTHS)
def test_a_server_that_answers_in_constant_time_gets_all_requests(pages: int) -> None:
    """The limit soon reaches the upper bound, and stays there."""
    flight = Flight(Server(), pages)
    assert flight.limit.width == max(flight.in_flight) == 16
    assert flight.seconds < pages * SECONDS / 16 + 0.6


@pytest.mark.parametrize("pages", LENGTHS)
@pytest.mark.parametrize("workers", [1, 2, 3, 4, 6])
def test_a_pool_of_workers_is_used_without_a_long_queue(pages: int, workers: int) -> None:
    """Requests beyond the workers only wait, so there are few of them."""
    flight = Flight(Server(workers=workers), pages)
    assert flight.seconds < 1.15 * pages * SECONDS / workers
    assert flight.mean_queue < 5


@pytest.mark.parametrize("pages", LENGTHS)
@pytest.mark.parametrize("most", [3, 6])
def test_a_server_that_refuses_requests_is_rarely_asked_for_more(pages: int, most: int) -> None:
    """What the server refuses becomes a ceiling, which is tried again much later."""
    flight = Flight(Server(refuses=lambda _, in_flight: in_flight > most), pages)
    assert flight.processed == pages
    assert flight.refused < 0.02 * len(flight.in_flight)
    assert flight.seconds < 1.3 * pages * SECONDS / most


@pytest.mark.parametrize("workers", [4, 64])
def test_deep_pages_are_slower_but_no_reason_to_slow_down(workers: int) -> None:
    """A page is compared with its neighbours; a queue is found nevertheless."""

    def seconds(page: int) -> float:
        return 0.05 + 0.0005 * page

    flight = Flight(Server(seconds, workers), 1000)
    best = sum(map(seconds, range(1000))) / min(workers, 16)
    assert flight.seconds < 1.15 * best
    assert flight.mean_queue < 5


def test_times_that_vary_do_not_slow_the_tap_down() -> None:
    """Chance makes some rounds slow; that alone does not lower the limit for long."""
    chance = random.Random(7)
    flight = Flight(Server(lambda _: 0.1 * chance.lognormvariate(0, 0.3)), 2000)
    assert flight.seconds < 2 * 2000 * SECONDS / 16


def test_a_burst_of_refusals_passes() -> None:
    """While the server refuses everything there are few requests; later there are many again."""
    server = Server(refuses=lambda now, _: 1 < now < 3)
    flight = Flight(server, 1000)
    assert flight.processed == 1000
    assert flight.refused < 60
    assert flight.limit.width == 16


def test_a_tap_that_is_busy_asks_for_no_more() -> None:
    """Further requests would bring nothing if the tap cannot process their responses."""
    flight = Flight(Server(), 500, cpu=SECONDS / 4)
    assert flight.seconds < 1.05 * 500 * SECONDS / 4
    assert max(flight.in_flight) <= 6


@pytest.mark.parametrize("is_awaited", [True, False])
def test_late_responses_count_only_while_the_tap_waits(*, is_awaited: bool) -> None:
    """A busy tap sees every response late, which says nothing of the server."""
    now, widths = 0.0, set[int]()
    limit = AdaptiveLimit(8, start=8, clock=lambda: now, cpu=lambda: 0)
    for seconds in [SECONDS] * 4 + [4 * SECONDS] * 4:
        permits = [limit.begin("customers") for _ in range(limit.width)]
        if is_awaited:
            limit.note_wait()
        now += seconds
        for permit in permits:
            permit.size = 1
            limit.end(permit)
        widths.add(limit.width)
    assert widths == ({8, 4} if is_awaited else {8})


class FastPool(WorkerPool):
    """A pool whose server responds at once."""

    @override
    def submit(self, call: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        future.set_result(call())
        return future


@pytest.mark.parametrize("size", [AHEAD_BYTES // 20, AHEAD_BYTES // 4, AHEAD_BYTES + 1])
def test_large_responses_are_not_fetched_ahead(size: int) -> None:
    """Together, the responses that wait stay within some megabytes."""
    limit = AdaptiveLimit(16, start=16)
    waiting: list[int] = []
    most = 0

    def fetch(number: int) -> int:
        nonlocal most
        with limit.request("customers", threading.Event()) as permit:
            permit.size = size
        waiting.append(number)
        most = max(most, len(waiting))
        return number

    with closing(Prefetcher(fetch, FastPool(limit))) as fetched:
        for number in range(40):
            # The first response says how large they are; nothing is fetched ahead of it.
            fetched.take(number, range(number + 1, 40) if number else ())
            waiting.remove(number)
    assert most == 1 + min(16, AHEAD_BYTES // size)


@given(
    st.integers(0, 2**32),
    st.integers(0, 16),
    st.integers(1, 20),
    st.integers(1, 20),
    st.sampled_from([0, 0.01, 0.2]),
)
def test_every_page_is_read_within_the_bounds(
    seed: int, upper: int, workers: int, most: int, cpu: float
) -> None:
    """Whatever the server does, all pages come, and the limit is at least one."""
    chance = random.Random(seed)
    server = Server(
        lambda _: chance.choice([0.001, 0.1, 5]),
        workers,
        lambda _, in_flight: in_flight > most or chance.randrange(5) == 0,
    )
    flight = Flight(server, 60, cpu=cpu, upper=upper)
    assert flight.processed == 60
    assert max(flight.in_flight) <= max(1, upper)
    assert 1 <= flight.limit.width <= max(1, upper)


@pytest.fixture(scope="module", autouse=True)
def _threads_end_at_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prefetch, "IDLE_SECONDS", 0)
        yield


@given(st.lists(st.sampled_from(["good", "refused", "failed"]), max_size=40), st.integers(0, 5))
def test_every_call_of_a_thread_ends(fates: list[str], upper: int) -> None:
    """Requests that are refused or fail make room for others, like good ones."""
    limit = AdaptiveLimit(upper)
    lock, most, now = threading.Lock(), 0, 0

    def fetch(number: int) -> int | None:
        nonlocal most, now
        try:
            with limit.request("customers", threading.Event()) as permit:
                with lock:
                    now += 1
                    most = max(most, now)
                try:
                    if fates[number] != "good":
                        raise TransientError(fates[number], is_overload=fates[number] == "refused")
                    permit.size = 1
                finally:
                    with lock:
                        now -= 1
        except TransientError:
            return None
        return number

    numbers = range(len(fates))
    with closing(Prefetcher(fetch, WorkerPool(limit))) as fetched:
        found = [fetched.take(number, numbers[number + 1 :]) for number in numbers]
    assert found == [number if fates[number] == "good" else None for number in numbers]
    assert most <= max(1, upper)
