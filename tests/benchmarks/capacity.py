"""How much a server bears: each request waits, queues or is refused by the same rule.

A rule is written as `delay:MILLISECONDS`, `pool:MILLISECONDS:WORKERS` or
`limit:MILLISECONDS:MOST[:RETRY_AFTER]`.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Answer = Callable[[bool], None]


@dataclass(slots=True)
class Capacity:
    """Decides when a request is answered, and keeps a record of it.

    Attributes:
        seconds: The time that a response takes, once it is begun.
        workers: How many responses are begun at once; 0 for any number.
        most: How many requests may be in flight; what is above is refused. 0 for any number.
        retry_after: The seconds that a refusal names; "" for none.
        record: For each response: seconds until it was sent since the server's start, seconds
            since its request, how many other requests queued then, and its status.
    """

    seconds: float
    workers: int = 0
    most: int = 0
    retry_after: str = ""
    record: list[tuple[float, float, int, int]] = field(default_factory=list)
    _queue: deque[Callable[[], None]] = field(default_factory=deque)
    _busy: int = 0
    _in_flight: int = 0

    @classmethod
    def of(cls, rule: str) -> Capacity:
        """Read a rule.

        Raises:
            ValueError: There is no such rule.
        """
        match rule.split(":"):
            case ["delay", milliseconds]:
                return cls(int(milliseconds) / 1000)
            case ["pool", milliseconds, workers]:
                return cls(int(milliseconds) / 1000, workers=int(workers))
            case ["limit", milliseconds, most]:
                return cls(int(milliseconds) / 1000, most=int(most))
            case ["limit", milliseconds, most, retry_after]:
                return cls(int(milliseconds) / 1000, most=int(most), retry_after=retry_after)
        raise ValueError(rule)

    def take(self, answer: Answer) -> None:
        """Have a request answered when its time has come.

        Args:
            answer: Sends the response; it is told whether the request is refused.
        """
        began, queued = time.monotonic(), len(self._queue)
        self._in_flight += 1
        is_refusal = bool(self.most) and self._in_flight > self.most

        def end() -> None:
            self._in_flight -= 1
            now = time.monotonic()
            self.record.append((now, now - began, queued, 429 if is_refusal else 200))
            answer(is_refusal)

        if is_refusal:
            end()
        else:
            self._queue.append(end)
            self._begin()

    def taken(self) -> bytes:
        """The record since the last call, as JSON."""
        record = json.dumps(self.record).encode()
        self.record.clear()
        return record

    def _begin(self) -> None:
        while self._queue and (not self.workers or self._busy < self.workers):
            self._busy += 1
            asyncio.get_running_loop().call_later(self.seconds, self._end, self._queue.popleft())

    def _end(self, end: Callable[[], None]) -> None:
        self._busy -= 1
        end()
        self._begin()
