"""Targets fetched ahead come in order, a few at once, and leave no thread behind."""

from __future__ import annotations

import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_cube.http.prefetch import Prefetcher, WorkerPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS = 60
"""How long a broken test may hang; none waits for the clock."""


@contextmanager
def reading(fetch: Callable[[str], str], width: int) -> Iterator[Prefetcher[str, str]]:
    """A reader whose threads must have ended afterwards."""
    before = set(threading.enumerate())
    with closing(Prefetcher(fetch, WorkerPool(width))) as fetched:
        yield fetched
        own = set(threading.enumerate()) - before
    assert len(own) <= width
    for thread in own:
        thread.join(SECONDS)
        assert not thread.is_alive()


@pytest.mark.parametrize("width", [0, 1, 2, 4, 16])
def test_targets_come_in_order_and_once(width: int) -> None:
    """What was fetched ahead is handed out when its turn comes."""
    calls: list[str] = []

    def fetch(target: str) -> str:
        calls.append(target)
        return f"page {target}"

    targets = [str(n) for n in range(30)]
    with reading(fetch, width) as fetched:
        pages = [fetched.take(t, targets[n + 1 :]) for n, t in enumerate(targets)]
    assert pages == [f"page {target}" for target in targets]
    assert sorted(calls) == sorted(targets)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_so_many_at_once_and_never_more(width: int) -> None:
    """As many requests are in flight as the width says."""
    together = threading.Barrier(width)
    lock = threading.Lock()
    begun: list[str] = []
    running: set[str] = set()
    most = 0

    def fetch(target: str) -> str:
        nonlocal most
        with lock:
            begun.append(target)
            is_first = len(begun) <= width
            running.add(target)
            most = max(most, len(running))
        if is_first:
            together.wait(SECONDS)
        with lock:
            running.remove(target)
        return target

    targets = [str(n) for n in range(40)]
    with reading(fetch, width) as fetched:
        for n, target in enumerate(targets):
            fetched.take(target, targets[n + 1 :])
    assert most == width


def test_another_target_than_expected_drops_what_was_fetched() -> None:
    """An answer fetched for the old way is never used, not even for the same target later."""
    is_moved = threading.Event()

    def fetch(target: str) -> str:
        return f"{target} {'new' if is_moved.is_set() else 'old'}"

    with reading(fetch, 3) as fetched:
        assert fetched.take("1", ["2", "3", "4"]) == "1 old"
        is_moved.set()
        assert fetched.take("x") == "x new"
        assert fetched.take("2") == "2 new"
        assert fetched.take("3", ["4"]) == "3 new"


@pytest.mark.parametrize("width", [0, 1, 3])
def test_an_error_is_raised_where_its_page_is_taken(width: int) -> None:
    """A page fetched ahead fails at its own turn; the pages around it do not."""

    def fetch(target: str) -> str:
        if target == "2":
            raise LookupError(target)
        return target

    with reading(fetch, width) as fetched:
        assert fetched.take("1", ["2", "3"]) == "1"
        with pytest.raises(LookupError, match="2"):
            fetched.take("2", ["3"])
        assert fetched.take("3") == "3"


def test_an_error_of_a_page_that_is_never_taken_is_nobodys() -> None:
    """What went wrong on a way that was left is not told."""

    def fetch(target: str) -> str:
        if target != "1":
            raise LookupError(target)
        return target

    with reading(fetch, 2) as fetched:
        assert fetched.take("1", ["2", "3"]) == "1"
        assert fetched.take("1") == "1"


def test_even_an_exit_is_raised_by_the_one_who_takes() -> None:
    """No exception is lost in a thread."""

    def fetch(target: str) -> str:
        raise SystemExit(target)

    with reading(fetch, 1) as fetched, pytest.raises(SystemExit, match="1"):
        fetched.take("1")


def test_what_has_not_begun_is_cancelled() -> None:
    """After an error the targets that wait for a thread are never fetched."""
    is_over, is_third_begun = threading.Event(), threading.Event()
    calls: list[str] = []

    def fetch(target: str) -> str:
        calls.append(target)
        if target == "3":
            is_third_begun.set()
        if target in {"3", "next"}:  # hold both threads until the reader is left
            is_over.wait(SECONDS)
        if target == "wrong":
            raise LookupError(target)
        return target

    with reading(fetch, 2) as fetched:
        fetched.take("1", ["2", "3"])
        is_third_begun.wait(SECONDS)
        with pytest.raises(LookupError), closing(fetched):
            fetched.take("wrong", ["next", "never"])
        is_over.set()
    assert "never" not in calls


def test_width_0_fetches_in_the_callers_thread() -> None:
    """Without width there is no thread, and nothing is fetched ahead."""
    threads: list[threading.Thread] = []
    calls: list[str] = []

    def fetch(target: str) -> str:
        threads.append(threading.current_thread())
        calls.append(target)
        return target

    with reading(fetch, 0) as fetched:
        assert fetched.take("1", ["2", "3"]) == "1"
        assert fetched.take("9") == "9"
    assert calls == ["1", "9"]
    assert set(threads) == {threading.current_thread()}


def test_no_thread_before_the_first_target() -> None:
    """A reader that reads nothing starts nothing, and can be left at once."""
    before = set(threading.enumerate())
    with closing(Prefetcher(str, WorkerPool(4))):
        assert set(threading.enumerate()) <= before


def test_threads_do_not_hold_up_the_end_of_the_process() -> None:
    """Threads are daemons: a stalled socket is left alone."""
    with reading(lambda _: str(threading.current_thread().daemon), 1) as fetched:
        assert fetched.take("1") == "True"


targets = st.sampled_from("abcdef")


@given(
    st.lists(st.tuples(targets, st.lists(targets, max_size=4)), max_size=8),
    st.integers(0, 3),
    st.sets(targets, max_size=2),
)
def test_any_way_gets_what_it_takes(
    way: list[tuple[str, list[str]]], width: int, broken: set[str]
) -> None:
    """Whatever is expected next, each take gets its own target's page or error."""

    def fetch(target: str) -> str:
        if target in broken:
            raise LookupError(target)
        return target

    with reading(fetch, width) as fetched:
        for target, then in way:
            if target in broken:
                with pytest.raises(LookupError, match=target):
                    fetched.take(target, then)
            else:
                assert fetched.take(target, then) == target
