"""Answers fetched ahead of the one being processed."""

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


class Workers:
    """The threads that ask, shared by all streams: never more requests in flight than threads.

    A thread ends when there is nothing to do. They are daemons, so that a stalled socket cannot
    hold up the end of the process.

    Args:
        width: How many there may be at once.
    """

    def __init__(self, width: int) -> None:
        """Start no thread before there is work."""
        self.width = width
        self._lock = Lock()
        self._jobs: deque[_Job] = deque()
        self._busy = 0

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """Let a thread make this call as soon as one is free."""
        future: Future[T] = Future()
        with self._lock:
            self._jobs.append((future, call))
            is_needed = self._busy < self.width
            self._busy += is_needed
        if is_needed:
            Thread(target=self._work, name="read-ahead", daemon=True).start()
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


class ReadAhead(t.Generic[K, T]):
    """Fetches what is expected next, a few at once, and hands it out when it is needed.

    Args:
        fetch: Gets one target; may be called by several threads at once.
        workers: Who calls it; with a width of 0 everything is fetched by the caller.
        on_wait: Called before the caller has to wait for a target.
    """

    def __init__(
        self, fetch: Callable[[K], T], workers: Workers, on_wait: Callable[[], object] = bool
    ) -> None:
        """Fetch nothing yet."""
        self._fetch = fetch
        self._workers = workers
        self._on_wait = on_wait
        self._ahead: dict[K, Future[T]] = {}

    def __enter__(self) -> t.Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Drop what was fetched ahead."""
        self._keep(())

    def take(self, target: K, then: Iterable[K] = ()) -> T:
        """Get a target, and begin to fetch those that are expected next.

        Args:
            target: What is needed now.
            then: Targets expected after it, in order; the first few are begun. What is not
                among them any more is dropped.

        Raises:
            Exception: What ``fetch`` raised for this very target.
        """
        if not self._workers.width:
            self._on_wait()
            return self._fetch(target)
        wanted = [target, *islice(then, self._workers.width)]
        self._keep(wanted)
        for each in wanted:
            if each not in self._ahead:
                self._ahead[each] = self._workers.submit(partial(self._fetch, each))
        job = self._ahead.pop(target)
        if not job.done():
            self._on_wait()
        return job.result()

    def _keep(self, wanted: Iterable[K]) -> None:
        """Forget the rest; of it, what has not begun never will."""
        for gone in self._ahead.keys() - set(wanted):
            self._ahead.pop(gone).cancel()
