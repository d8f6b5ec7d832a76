"""A prefetcher returns results in order, limits requests in flight, and ends its threads."""

from __future__ import annotations

import threading
import weakref
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_cube.http import prefetch
from tap_cube.http.prefetch import Prefetcher
from tests.support.pools import pool_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS = 60
"""Longest time a failing test may hang; a passing test waits for no clock."""


@pytest.fixture(scope="module", autouse=True)
def _threads_end_at_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prefetch, "IDLE_SECONDS", 0)
        yield


@contextmanager
def prefetching(fetch: Callable[[str], str], size: int) -> Iterator[Prefetcher[str, str]]:
    """A prefetcher whose threads must have ended after the block."""
    before = set(threading.enumerate())
    with closing(Prefetcher(fetch, pool_of(size))) as fetched:
        yield fetched
        own = set(threading.enumerate()) - before
    assert len(own) <= size
    for thread in own:
        thread.join(SECONDS)
        assert not thread.is_alive()


@pytest.mark.parametrize("size", [0, 1, 2, 4, 16])
def test_targets_come_in_order_and_once(size: int) -> None:
    """A result fetched ahead is returned when its target is taken."""
    calls: list[str] = []

    def fetch(target: str) -> str:
        calls.append(target)
        return f"page {target}"

    targets = [str(n) for n in range(30)]
    with prefetching(fetch, size) as fetched:
        pages = [fetched.take(t, targets[n + 1 :]) for n, t in enumerate(targets)]
    assert pages == [f"page {target}" for target in targets]
    assert sorted(calls) == sorted(targets)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_the_pool_size_limits_requests_in_flight(size: int) -> None:
    """As many requests are in flight as the pool has threads, and never more."""
    together = threading.Barrier(size)
    lock = threading.Lock()
    started: list[str] = []
    running: set[str] = set()
    max_running = 0

    def fetch(target: str) -> str:
        nonlocal max_running
        with lock:
            started.append(target)
            is_first = len(started) <= size
            running.add(target)
            max_running = max(max_running, len(running))
        if is_first:
            together.wait(SECONDS)
        with lock:
            running.remove(target)
        return target

    targets = [str(n) for n in range(40)]
    with prefetching(fetch, size) as fetched:
        for n, target in enumerate(targets):
            fetched.take(target, targets[n + 1 :])
    assert max_running == size


def test_an_unexpected_target_drops_fetched_results() -> None:
    """A result of a dropped target is never used, even if the target is needed later."""
    is_moved = threading.Event()

    def fetch(target: str) -> str:
        return f"{target} {'new' if is_moved.is_set() else 'old'}"

    with prefetching(fetch, 3) as fetched:
        assert fetched.take("1", ["2", "3", "4"]) == "1 old"
        is_moved.set()
        assert fetched.take("x") == "x new"
        assert fetched.take("2") == "2 new"
        assert fetched.take("3", ["4"]) == "3 new"


@pytest.mark.parametrize("size", [0, 1, 3])
def test_an_error_is_raised_where_its_page_is_taken(size: int) -> None:
    """A failed target raises when it is taken; the targets around it do not."""

    def fetch(target: str) -> str:
        if target == "2":
            raise LookupError(target)
        return target

    with prefetching(fetch, size) as fetched:
        assert fetched.take("1", ["2", "3"]) == "1"
        with pytest.raises(LookupError, match="2"):
            fetched.take("2", ["3"])
        assert fetched.take("3") == "3"


def test_an_error_of_a_target_never_taken_is_ignored() -> None:
    """A failed target that was dropped raises nothing."""

    def fetch(target: str) -> str:
        if target != "1":
            raise LookupError(target)
        return target

    with prefetching(fetch, 2) as fetched:
        assert fetched.take("1", ["2", "3"]) == "1"
        assert fetched.take("1") == "1"


def test_even_an_exit_is_raised_in_the_callers_thread() -> None:
    """No exception is lost in a thread."""

    def fetch(target: str) -> str:
        raise SystemExit(target)

    with prefetching(fetch, 1) as fetched, pytest.raises(SystemExit, match="1"):
        fetched.take("1")


def test_targets_not_started_are_cancelled() -> None:
    """After an error, targets still in the queue are never fetched."""
    is_over, is_third_started = threading.Event(), threading.Event()
    calls: list[str] = []

    def fetch(target: str) -> str:
        calls.append(target)
        if target == "3":
            is_third_started.set()
        if target in {"3", "next"}:  # hold both threads until the prefetcher is closed
            is_over.wait(SECONDS)
        if target == "wrong":
            raise LookupError(target)
        return target

    with prefetching(fetch, 2) as fetched:
        fetched.take("1", ["2", "3"])
        is_third_started.wait(SECONDS)
        with pytest.raises(LookupError), closing(fetched):
            fetched.take("wrong", ["next", "never"])
        is_over.set()
    assert "never" not in calls


def test_size_0_fetches_in_the_callers_thread() -> None:
    """Without a pool there is no thread, and nothing is fetched ahead."""
    threads: list[threading.Thread] = []
    calls: list[str] = []

    def fetch(target: str) -> str:
        threads.append(threading.current_thread())
        calls.append(target)
        return target

    with prefetching(fetch, 0) as fetched:
        assert fetched.take("1", ["2", "3"]) == "1"
        assert fetched.take("9") == "9"
    assert calls == ["1", "9"]
    assert set(threads) == {threading.current_thread()}


def test_no_thread_before_the_first_target() -> None:
    """An unused prefetcher starts no thread, and can be closed at once."""
    before = set(threading.enumerate())
    with closing(Prefetcher(str, pool_of(4))):
        assert set(threading.enumerate()) <= before


def test_threads_do_not_hold_up_the_end_of_the_process() -> None:
    """Threads are daemons, so a stalled socket delays nothing."""
    with prefetching(lambda _: str(threading.current_thread().daemon), 1) as fetched:
        assert fetched.take("1") == "True"


def test_threads_that_cannot_start_are_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container may allow few threads: those that there are do the work."""
    start = threading.Thread.start
    started: list[threading.Thread] = []

    def start_one(thread: threading.Thread) -> None:
        if started:
            raise RuntimeError
        started.append(thread)
        start(thread)

    monkeypatch.setattr(prefetch, "IDLE_SECONDS", SECONDS)  # or the one thread might end
    monkeypatch.setattr(threading.Thread, "start", start_one)
    targets = [str(n) for n in range(8)]
    pool = pool_of(4)
    with closing(Prefetcher(str, pool)) as fetched:
        assert [fetched.take(t, targets[n + 1 :]) for n, t in enumerate(targets)] == targets
    assert len(started) == 1
    monkeypatch.setattr(prefetch, "IDLE_SECONDS", 0)
    pool.submit(bool).result(SECONDS)  # ends the thread


targets = st.sampled_from("abcdef")


@given(
    st.lists(st.tuples(targets, st.lists(targets, max_size=4)), max_size=8),
    st.integers(0, 3),
    st.sets(targets, max_size=2),
)
def test_every_take_returns_its_own_target(
    takes: list[tuple[str, list[str]]], size: int, broken: set[str]
) -> None:
    """Each take returns or raises the result of its own target, whatever was expected."""

    def fetch(target: str) -> str:
        if target in broken:
            raise LookupError(target)
        return target

    with prefetching(fetch, size) as fetched:
        for target, lookahead in takes:
            if target in broken:
                with pytest.raises(LookupError, match=target):
                    fetched.take(target, lookahead)
            else:
                assert fetched.take(target, lookahead) == target


class Result:
    """A result that says when it is gone."""


def test_threads_without_work_hold_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """A result is gone when its user has dropped it, not when its thread has other work."""
    monkeypatch.setattr(prefetch, "IDLE_SECONDS", 10 * SECONDS)
    fetched: Prefetcher[str, Result] = Prefetcher(lambda _: Result(), pool_of(1))
    with closing(fetched):
        is_gone = threading.Event()
        weakref.finalize(fetched.take(""), is_gone.set)
        assert is_gone.wait(SECONDS)
        monkeypatch.setattr(prefetch, "IDLE_SECONDS", 0)
        fetched.take("ends the thread")
