"""How far along a stream is: a bar on a terminal, lines of log elsewhere, a summary at the end."""

from __future__ import annotations

import sys
import time
import typing as t
from contextlib import ExitStack
from dataclasses import dataclass

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from tqdm import tqdm

INTERVAL = 10
"""Seconds between two lines of log."""


@dataclass(slots=True)
class StreamStats:
    """What a stream did in one run.

    Attributes:
        rows: Records emitted.
        unchanged: Rows left out since they did not change.
        unparsed: Values that did not fit the type of their column.
        seconds: How long it took.
    """

    rows: int = 0
    unchanged: int = 0
    unparsed: int = 0
    seconds: float = 0

    def summary(self, requests: int, retries: int) -> str:
        """One line that tells it, with what it took."""
        return (
            f"{self.rows} rows emitted, {self.unchanged} unchanged skipped, {requests} requests, "
            f"{retries} of them retries, {self.unparsed} unparsed values, {self.seconds:.1f} s"
        )


MAX_UNTHROTTLED_PARTITIONS = 50
"""Partitions whose state is small enough to be written as often as there is news."""


class StateThrottle:
    """Says when the state may be written again: with many partitions once a second at most.

    Args:
        partitions: How many the state has.
        clock: Tells seconds.
    """

    def __init__(self, partitions: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Let the first time be at once."""
        self._pause = 0 if partitions <= MAX_UNTHROTTLED_PARTITIONS else 1
        self._clock = clock
        self._next = 0.0

    def is_due(self) -> bool:
        """Whether it is time again; if so, the time begins anew."""
        now = self._clock()
        is_due = now >= self._next
        if is_due:
            self._next = now + self._pause
        return is_due


class Progress:
    """Tells how many of a stream's rows were read, while they are.

    Args:
        name: The stream.
        logger: Where it is told when nobody looks at a terminal.
        parts: How many partitions it has; how many rows there are is known for one at a time.
        clock: Tells seconds.
    """

    def __init__(
        self,
        name: str,
        logger: logging.Logger,
        parts: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Show nothing before there are rows."""
        self._name = name
        self._logger = logger
        self._parts = parts
        self._clock = clock
        self._part = 1
        self._rows = self._done = self._total = 0
        self._began = self._storage_errors = 0.0
        self._bar: tqdm[t.NoReturn] | None = None
        self._open = ExitStack()

    @property
    def _place(self) -> str:
        return self._name if self._parts < 2 else f"{self._name}, {self._part} of {self._parts}"

    def expect(self, rows: int | None) -> None:
        """Say how many rows, or how many more, there are to read; None if nobody knows."""
        if not self._began:
            self._began = self._storage_errors = self._clock()
        # Where the records themselves run over the screen, a bar would stand in their midst.
        if self._bar is None and sys.stderr.isatty() and not sys.stdout.isatty():
            self._show()
        self._total += rows or 0
        if self._bar is not None:
            self._bar.total = self._total
            self._bar.refresh()

    def advance(self, rows: int) -> None:
        """Say that so many more were read."""
        self._rows += rows
        self._done += rows
        now = self._clock()
        if self._bar is not None:
            self._bar.update(rows)
        elif now - self._storage_errors >= INTERVAL:
            self._storage_errors = now
            self._tell(self._rows / (now - self._began))

    def end(self) -> None:
        """Say that a partition is through, and take the bar away."""
        self._open.close()
        self._bar = None
        self._done = self._total = 0
        self._part += 1

    def _show(self) -> None:
        from tqdm import tqdm  # noqa: PLC0415 - for people alone; a nightly run starts without it
        from tqdm.contrib.logging import logging_redirect_tqdm  # noqa: PLC0415 - like tqdm

        self._open.enter_context(logging_redirect_tqdm())
        self._bar = self._open.enter_context(
            tqdm(desc=self._place, total=0, unit=" rows", leave=False, dynamic_ncols=True)
        )

    def _tell(self, speed: float) -> None:
        is_known = 0 < self._total >= self._done
        share = f" of {self._total} ({self._done / self._total:.0%})" if is_known else ""
        left = f", {(self._total - self._done) / speed:.0f} s left" if is_known and speed else ""
        self._logger.info(
            "%s: %d rows%s read, %.0f a second%s", self._place, self._done, share, speed, left
        )
