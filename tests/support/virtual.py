"""A tap and a server in virtual time, to see what a limit makes of a server."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

from tap_cube.http.limit import AdaptiveLimit

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_cube.http.rounds import Permit

RETRY_SECONDS = 0.75
"""Time until a refused page is requested again."""

REFUSAL_SECONDS = 0.01


@dataclass(frozen=True)
class Server:
    """A server.

    Attributes:
        seconds: The time that it needs for a page.
        workers: Pages that it works on at once; further requests queue.
        refuses: Whether it refuses a request, by the time and the requests in flight.
    """

    seconds: Callable[[int], float] = lambda _: 0.1
    workers: int = 64
    refuses: Callable[[float, int], bool] = lambda *_: False


class Flight:
    """A tap that reads pages in order, from the first to the last.

    Args:
        server: The server.
        pages: The number of pages.
        cpu: Seconds that the tap computes for each page.
        upper: The most requests that may be in flight.

    Attributes:
        limit: The limit at the end.
        seconds: The time until the last page was processed.
        processed: The number of pages that were processed.
        in_flight: The requests in flight at the server, at each request.
        refused: The number of requests that were refused.
        mean_queue: Requests that waited for a worker, on average.
    """

    def __init__(
        self, server: Server, pages: int = 200, *, cpu: float = 0.0, upper: int = 16
    ) -> None:
        """Read all pages."""
        self._server, self._pages, self._cpu = server, pages, cpu
        self.seconds = self._computed = self._busy_until = self._queued = 0.0
        self.processed = self.refused = self._started = self._at_server = 0
        self.in_flight: list[int] = []
        self.limit = AdaptiveLimit(upper, clock=lambda: self.seconds, cpu=lambda: self._computed)
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = count()
        self._free = [0.0] * server.workers
        self._due: list[int] = []
        self._there: set[int] = set()
        self._go_on()
        while self._events:
            self.seconds, _, event = heappop(self._events)
            event()
            self._go_on()
        self.mean_queue = self._queued / self.seconds

    def _at(self, moment: float, event: Callable[[], object]) -> None:
        heappush(self._events, (moment, next(self._numbers), event))

    def _go_on(self) -> None:
        """Process the pages that are there, and send the requests that are allowed."""
        while self.processed in self._there and self._busy_until <= self.seconds:
            self.processed += 1
            self._computed += self._cpu
            self._busy_until = self.seconds + self._cpu
            self._at(self._busy_until, bool)
        if self.processed < self._pages and self._busy_until <= self.seconds:
            self.limit.note_wait()
        last = min(self._pages, self.processed + 1 + self.limit.lookahead)
        self._due += range(self._started, last)
        self._started = max(self._started, last)
        while self._due and self.limit.is_open:
            self._send(self._due.pop(0))

    def _send(self, page: int) -> None:
        permit = self.limit.begin("customers")
        self.in_flight.append(self._at_server + 1)
        if self._server.refuses(self.seconds, self._at_server + 1):
            self.refused += 1
            permit.is_refused = True
            self._at(self.seconds + REFUSAL_SECONDS, lambda: self._refused(permit, page))
            return
        self._at_server += 1
        permit.size = 1000
        begun = max(self.seconds, heappop(self._free))
        self._queued += begun - self.seconds
        ended = begun + self._server.seconds(page)
        heappush(self._free, ended)
        self._at(ended, lambda: self._received(permit, page))

    def _refused(self, permit: Permit, page: int) -> None:
        self.limit.end(permit)
        self._at(self.seconds + RETRY_SECONDS, lambda: self._due.insert(0, page))

    def _received(self, permit: Permit, page: int) -> None:
        self._at_server -= 1
        self.limit.end(permit)
        self._there.add(page)
