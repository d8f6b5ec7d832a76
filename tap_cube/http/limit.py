"""How many requests may be in flight: as many as the server gains from, and no more.

The limit grows by one a round trip, faster at the start, while the tap waits for responses. It
halves when the server refuses requests (429, 503), and where more requests only wait longer: then
half as many bring as much. TCP controls congestion in the same way (AIMD).
"""

from __future__ import annotations

import time
import typing as t
from contextlib import contextmanager
from threading import Condition

from tap_cube.errors import TransientError
from tap_cube.http.rounds import Permit, Round

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from threading import Event

START = 2
"""Requests in flight at the start."""

AHEAD_BYTES = 32 * 2**20
"""Bytes of responses that may wait while others are processed, if they are as large as usual."""

_TOLERANCE = 1.4
"""How much longer than usual responses may take before half as many requests are tried."""

_WORTHWHILE = 0.85
"""The share of the responses at which half as many requests bring as much as all."""

_SLACK = 0.01
"""Seconds by which responses differ anyway."""

_GAIN = 0.01
"""Weight of a response in the usual time, which follows the depth of the pages."""

_MIN_ROUND = 8
"""Responses whose mean says something."""

_MANY = 4
"""Requests in flight at which the first responses of a stream do not show its usual time."""

_MAX_CPU = 0.9
"""Share of the time that the process computes; above it, further requests bring nothing."""

_MAX_CALM = 200
_CALM = 50
"""Good responses, by requests allowed, until more are tried than the server refused."""


class AdaptiveLimit:
    """The limit of requests in flight to one account. Threads share it.

    Args:
        upper: The most that it allows; 0 for one, with nothing fetched ahead.
        start: What it allows at first; `START` by default.
        clock: Returns the time in seconds.
        cpu: Returns the CPU time of the process in seconds.

    Attributes:
        upper: The most that it allows; 0 if nothing is fetched ahead.
        width: Requests that it allows now.
    """

    def __init__(
        self,
        upper: int,
        *,
        start: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.process_time,
    ) -> None:
        self.upper = upper
        self.width = max(1, min(START if start is None else start, upper))
        self._clock, self._cpu = clock, cpu
        self._changed = Condition()
        self._in_flight, self._held_until = 0, 0.0
        self._ceiling, self._calm = max(1, upper), 0
        self._is_starting, self._is_awaited, self._is_doubtful = True, False, False
        self._is_busy = False
        self._usual: dict[str, float] = {}
        self._size = 0.0
        self._epoch = 0
        self._tried: tuple[int, Round] | None = None
        self._begin_round()

    @property
    def lookahead(self) -> int:
        """Responses to fetch ahead, so that one is there whenever the tap has processed another."""
        room = int(AHEAD_BYTES / self._size) if self._size else self.upper
        return min(self.upper, 2 * self.width, room)

    @property
    def held(self) -> float:
        """Seconds until the server wants to see requests again."""
        return max(0.0, self._held_until - self._clock())

    @property
    def is_open(self) -> bool:
        """Whether a request may be sent now."""
        return self._in_flight < self.width and not self.held

    def note_wait(self) -> None:
        """Note that the tap has nothing to do until a response comes."""
        self._is_awaited = self._round.is_awaited = True

    @contextmanager
    def request(self, stream: str, stopping: Event) -> Iterator[Permit]:
        """Wait until a request may be sent; it ends with the block, which sets its `size`.

        Args:
            stream: The stream that the request belongs to.
            stopping: Ends a wait that the server asked for.
        """
        while (permit := self._permit(stream)) is None and not stopping.wait(self.held):
            pass
        permit = permit or self.begin(stream)
        try:
            yield permit
        except TransientError as error:
            permit.is_refused = error.is_overload
            self._hold(error.retry_after or 0)
            raise
        finally:
            self.end(permit)

    def _permit(self, stream: str) -> Permit | None:
        """Wait for other requests to end; None if the server wants to see none for some time."""
        with self._changed:
            self._changed.wait_for(lambda: self.is_open or self.held)
            return None if self.held else self.begin(stream)

    def begin(self, stream: str) -> Permit:
        """Count a request that is about to be sent, whether or not the limit is open."""
        with self._changed:
            self._in_flight += 1
            self._round.peak = max(self._round.peak, self._in_flight)
            return Permit(stream, self._clock(), self._in_flight, self._epoch)

    def end(self, permit: Permit) -> None:
        """Count a request as done, and adapt the limit."""
        with self._changed:
            if permit.is_refused:
                self._refuse(permit)
            elif permit.size is not None:
                self._accept(permit, permit.size)
            self._in_flight -= 1
            self._changed.notify_all()

    def _hold(self, seconds: float) -> None:
        """Send no request for some time."""
        with self._changed:
            self._held_until = max(self._held_until, self._clock() + seconds)

    def _refuse(self, permit: Permit) -> None:
        if permit.epoch != self._epoch:
            return  # it was sent with those that the limit was halved for
        self._is_starting, self._tried = False, None
        self._cap(permit.in_flight - 1)
        self._move(self.width // 2)

    def _accept(self, permit: Permit, size: int) -> None:
        self._size = max(size, 0.9 * self._size)
        if self._calm:
            self._calm -= 1
        else:
            self._ceiling = max(1, self.upper)
        seconds = self._clock() - permit.asked + _SLACK
        if permit.stream not in self._usual:
            self._usual[permit.stream] = seconds
            self._is_doubtful |= self.width > _MANY
        if permit.epoch != self._epoch:
            return
        usual, here = self._usual[permit.stream], self._round
        here.ratios.append(seconds / usual)
        here.in_flight += permit.in_flight
        here.streams.add(permit.stream)
        self._usual[permit.stream] += _GAIN * (seconds - usual)
        if self._is_starting and len(here.ratios) % 2 == 0 and here.ratios[-1] <= _TOLERANCE:
            self._raise()
        if len(here.ratios) >= max(here.width, _MIN_ROUND):
            self._end_round()

    def _end_round(self) -> None:
        here = self._round
        wall, cpu = self._clock() - here.began[0], self._cpu() - here.began[1]
        self._is_busy = cpu >= _MAX_CPU * wall
        # A busy tap sees responses late, whatever the server does.
        is_full = here.is_awaited and here.peak >= here.width
        if self._tried:
            self._judge(*self._tried, is_full=is_full)
        elif self._is_doubtful and is_full and self.width > 1:
            self._try_half()
        else:
            # The next round decides: the slowest of many rounds is slow by chance.
            self._is_doubtful |= is_full and here.ratio > _TOLERANCE
            if not self._is_starting:
                self._raise()
            self._begin_round()

    def _try_half(self) -> None:
        self._tried = self.width, self._round
        self._move((self.width + 1) // 2)

    def _judge(self, width: int, full: Round, *, is_full: bool) -> None:
        """Go back to the limit before it was halved, if half as many brought less."""
        half = self._round
        is_worthwhile = not is_full or half.throughput >= _WORTHWHILE * full.throughput
        for stream in half.streams:
            self._usual[stream] *= half.ratio if is_worthwhile else full.ratio
        self._tried, self._is_doubtful = None, is_worthwhile and is_full
        if is_worthwhile:
            self._is_starting = False
            if is_full:
                self._cap(width - 1)
        self._move(self.width if is_worthwhile else width)

    def _raise(self) -> None:
        is_possible = self._round.peak >= self.width < self._ceiling
        is_settled = not (self._tried or self._is_doubtful)
        if is_possible and is_settled and self._is_awaited and not self._is_busy:
            self._is_awaited = False
            self.width += 1

    def _cap(self, width: int) -> None:
        """Allow no more than this until the server has responded well for some time."""
        self._ceiling = max(1, min(width, self.upper))
        self._calm = min(_MAX_CALM, _CALM * self._ceiling)

    def _move(self, width: int) -> None:
        """Set the limit. The responses to earlier requests do not count for it."""
        self.width = max(1, min(width, self._ceiling))
        self._epoch += 1
        self._begin_round()

    def _begin_round(self) -> None:
        self._round = Round(self.width, (self._clock(), self._cpu()))
