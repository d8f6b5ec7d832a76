"""Fetches responses ahead of the one being processed."""

from __future__ import annotations

import typing as t
from collections import deque
from concurrent.futures import Future
from functools import partial
from itertools import islice
from threading import Condition, Thread

if t.TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from tap_cube.http.limit import AdaptiveLimit

    _Job: t.TypeAlias = "tuple[Future[t.Any], Callable[[], object]]"

K = t.TypeVar("K", bound="Hashable")
T = t.TypeVar("T")


IDLE_SECONDS = 5
"""Seconds after which a thread without work ends."""


class WorkerPool:
    """Threads that send requests, shared by all streams.

    As many threads start as requests may be in flight. Threads are daemons, so a stalled socket
    cannot delay the end of the process.

    Args:
        limit: How many requests may be in flight.
    """

    def __init__(self, limit: AdaptiveLimit) -> None:
        self.limit = limit
        self._changed = Condition()
        self._jobs: deque[_Job] = deque()
        self._threads = self._idle = 0

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """Queue a call for the next free thread."""
        future: Future[T] = Future()
        with self._changed:
            self._jobs.append((future, call))
            is_needed = self._idle < len(self._jobs) and self._threads < self.limit.width
            self._threads += is_needed
            self._changed.notify()
        if is_needed:
            self._start_thread()
        return future

    def _start_thread(self) -> None:
        try:
            Thread(target=self._work, name="prefetch", daemon=True).start()
        except RuntimeError:  # the machine allows no more
            with self._changed:
                self._threads -= 1
                if not self._threads:
                    raise

    def _work(self) -> None:
        while self._work_once():
            pass

    def _work_once(self) -> bool:
        # On its own, so that a thread that waits for work holds no result.
        if not (job := self._next()):
            return False
        future, call = job
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001 - the result's user raises it
                future.set_exception(error)
        return True

    def _next(self) -> _Job | None:
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._jobs, IDLE_SECONDS)
            self._idle -= 1
            if self._jobs:
                return self._jobs.popleft()
            self._threads -= 1
            return None


class Prefetcher(t.Generic[K, T]):
    """Fetches the targets expected next, several at once, and keeps their results until needed.

    Args:
        fetch: Fetches one target; several threads may call it at once.
        pool: Threads for the calls; with an upper limit of 0 the caller's own thread makes them.
        on_wait: Called before the caller has to wait for a result.
    """

    def __init__(
        self, fetch: Callable[[K], T], pool: WorkerPool, on_wait: Callable[[], object] = bool
    ) -> None:
        self._fetch = fetch
        self._pool = pool
        self._on_wait = on_wait
        self._ahead: dict[K, Future[T]] = {}

    def close(self) -> None:
        """Drop all results, and cancel the calls that have not started."""
        self._keep(())

    def take(self, target: K, lookahead: Iterable[K] = ()) -> T:
        """Return the result for a target, and start to fetch the targets expected next.

        Args:
            target: The target needed now.
            lookahead: Targets expected after it, in order. The pool's limit decides how many are
                started. Earlier targets that are no longer expected are dropped.

        Raises:
            Exception: The error of ``fetch`` for this target.
        """
        limit = self._pool.limit
        if not limit.upper:
            self._on_wait()
            return self._fetch(target)
        wanted = [target, *islice(lookahead, limit.upper)]
        self._keep(wanted)  # all of them: the limit may have been higher when they were started
        for each in wanted[: 1 + limit.lookahead]:
            if each not in self._ahead:
                self._ahead[each] = self._pool.submit(partial(self._fetch, each))
        future = self._ahead.pop(target)
        if not future.done():
            limit.note_wait()
            self._on_wait()
        return future.result()

    def _keep(self, wanted: Iterable[K]) -> None:
        for dropped in self._ahead.keys() - set(wanted):
            self._ahead.pop(dropped).cancel()
