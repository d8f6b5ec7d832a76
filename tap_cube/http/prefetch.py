"""Responses fetched ahead of the one being processed."""

from __future__ import annotations

import typing as t
from collections import deque
from concurrent.futures import Future
from functools import partial
from itertools import islice
from threading import Lock, Thread

if t.TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    _Job: t.TypeAlias = "tuple[Future[t.Any], Callable[[], object]]"

K = t.TypeVar("K", bound="Hashable")
T = t.TypeVar("T")


class WorkerPool:
    """Threads that send requests, shared by all streams.

    A thread ends when there is no work. Threads are daemons, so that a stalled socket cannot
    delay the end of the process.

    Args:
        size: Most threads, and so most requests in flight, at once; 0 for none.
    """

    def __init__(self, size: int) -> None:
        """Start no thread before there is work."""
        self.size = size
        self._lock = Lock()
        self._jobs: deque[_Job] = deque()
        self._busy = 0

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """Have the next free thread make this call."""
        future: Future[T] = Future()
        with self._lock:
            self._jobs.append((future, call))
            is_needed = self._busy < self.size
            self._busy += is_needed
        if is_needed:
            Thread(target=self._work, name="prefetch", daemon=True).start()
        return future

    def _work(self) -> None:
        while job := self._next():
            future, call = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001 - it is raised where the page is used
                future.set_exception(error)

    def _next(self) -> _Job | None:
        with self._lock:
            if self._jobs:
                return self._jobs.popleft()
            self._busy -= 1
            return None


class Prefetcher(t.Generic[K, T]):
    """Fetches what is expected next, several at once, and returns it when it is needed.

    Args:
        fetch: Gets one target; several threads may call it at once.
        pool: Threads that call it; with a pool of size 0 the caller's thread does.
        on_wait: Called before the caller has to wait for a target.
    """

    def __init__(
        self, fetch: Callable[[K], T], pool: WorkerPool, on_wait: Callable[[], object] = bool
    ) -> None:
        """Fetch nothing yet."""
        self._fetch = fetch
        self._pool = pool
        self._on_wait = on_wait
        self._ahead: dict[K, Future[T]] = {}

    def close(self) -> None:
        """Drop what was fetched ahead, and cancel what has not begun."""
        self._keep(())

    def take(self, target: K, lookahead: Iterable[K] = ()) -> T:
        """Get a target, and begin to fetch those expected next.

        Args:
            target: What is needed now.
            lookahead: Targets expected after it, in order; the first few are begun. Targets
                that are no longer among them are dropped.

        Raises:
            Exception: What ``fetch`` raised for this target.
        """
        if not self._pool.size:
            self._on_wait()
            return self._fetch(target)
        wanted = [target, *islice(lookahead, self._pool.size)]
        self._keep(wanted)
        for each in wanted:
            if each not in self._ahead:
                self._ahead[each] = self._pool.submit(partial(self._fetch, each))
        future = self._ahead.pop(target)
        if not future.done():
            self._on_wait()
        return future.result()

    def _keep(self, wanted: Iterable[K]) -> None:
        for dropped in self._ahead.keys() - set(wanted):
            self._ahead.pop(dropped).cancel()
