"""Pages fetched ahead of the one being processed."""

from __future__ import annotations

import typing as t
from collections import deque
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = t.TypeVar("T")
_Job: t.TypeAlias = "tuple[Future[T], str]"


class ReadAhead(t.Generic[T]):
    """Fetches a few targets at once and hands them out in order.

    Threads are daemons, so that a stalled socket cannot hold up the end of the process; with a
    width of 0 there are none, and everything is fetched by the caller.

    Args:
        fetch: Gets one target; may be called by several threads at once.
        width: Requests in flight at most.
        on_wait: Called before the caller has to wait for a target.
    """

    def __init__(
        self, fetch: Callable[[str], T], width: int, on_wait: Callable[[], object] = bool
    ) -> None:
        """Start no thread before the first target is taken."""
        self._fetch = fetch
        self._width = width
        self._on_wait = on_wait
        self._jobs: SimpleQueue[_Job[T] | None] = SimpleQueue()
        self._ahead: deque[_Job[T]] = deque()
        self._threads: list[Thread] = []

    def __enter__(self) -> t.Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Drop what was fetched ahead and let the threads end."""
        self.drop()
        for _thread in self._threads:
            self._jobs.put(None)

    def take(self, target: str, then: Sequence[str] = ()) -> T:
        """Get a target, and begin to fetch those that are expected next.

        Args:
            target: What is needed now. If it is not what was expected, all that was fetched
                ahead is dropped.
            then: Targets expected after it, in order; the first few are begun.

        Raises:
            Exception: What ``fetch`` raised for this very target.
        """
        if not self._width:
            self._on_wait()
            return self._fetch(target)
        if not self._ahead or self._ahead[0][1] != target:
            self.drop()
            self._begin(target)
        job, _ = self._ahead.popleft()
        known = {ahead for _, ahead in self._ahead}
        for expected in then[: self._width]:
            if expected not in known:
                self._begin(expected)
        if not job.done():
            self._on_wait()
        return job.result()

    def drop(self) -> None:
        """Forget what was fetched ahead; what has not begun never will."""
        for job, _ in self._ahead:
            job.cancel()
        self._ahead.clear()

    def _begin(self, target: str) -> None:
        if len(self._threads) < self._width:
            thread = Thread(target=self._work, name="read-ahead", daemon=True)
            self._threads.append(thread)
            thread.start()
        job: _Job[T] = (Future(), target)
        self._ahead.append(job)
        self._jobs.put(job)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, target = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(self._fetch(target))
            except BaseException as error:  # noqa: BLE001 - it is raised where the page is used
                future.set_exception(error)
