"""Progress of a stream: a bar on a terminal, log lines elsewhere."""

from __future__ import annotations

import sys
import time
import typing as t
from contextlib import ExitStack

from tap_cube.logs import listed
from tap_cube.records.decoder import UNPARSED

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tqdm import tqdm

    from tap_cube.logs import AnyLogger

INTERVAL = 10
"""Seconds between two log lines."""

_MAX_EXPECTED = 2**63


MAX_UNTHROTTLED_PARTITIONS = 50
"""Partitions up to which the state is small enough to be written after each change."""


def unparsed_report(counts: Mapping[str, int], *, is_kept: bool) -> str:
    """Format how many values did not fit the type of their column, and where they are.

    Args:
        counts: Number of values by column.
        is_kept: Whether records have the column `UNPARSED`.
    """
    where = f"stand in '{UNPARSED}'" if is_kept else f"are null ('{UNPARSED}' is not selected)"
    texts = [f"{name} {number}" for name, number in sorted(counts.items())]
    return f"Values that do not fit the type of their column {where}: {listed(texts)}"


class StateThrottle:
    """Limits STATE messages to one a second if the stream has many partitions.

    Args:
        partitions: Number of partitions in the state.
        clock: Returns the time in seconds.
    """

    def __init__(self, partitions: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = 0 if partitions <= MAX_UNTHROTTLED_PARTITIONS else 1
        self._clock = clock
        self._next_due = 0.0

    def is_due(self) -> bool:
        """Whether the state may be written now; if so, the interval starts again."""
        now = self._clock()
        is_due = now >= self._next_due
        if is_due:
            self._next_due = now + self._interval
        return is_due


class Progress:
    """Shows how many rows of a stream have been read.

    Args:
        name: Name of the stream.
        logger: Logs the progress if there is no terminal.
        partitions: Number of partitions, which are read one after the other. The number of rows
            is known only for the current one.
        clock: Returns the time in seconds.
    """

    def __init__(
        self,
        name: str,
        logger: AnyLogger,
        partitions: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._logger = logger
        self._partitions = partitions
        self._clock = clock
        self._partition = 1
        self._rows = self._partition_rows = self._expected_rows = 0
        self._started_at = self._logged_at = 0.0
        self._bar: tqdm[t.NoReturn] | None = None
        self._bar_contexts = ExitStack()

    @property
    def _label(self) -> str:
        if self._partitions < 2:
            return self._name
        return f"{self._name}, {self._partition} of {self._partitions}"

    def expect(self, rows: int | None) -> None:
        """Add rows to the number expected in the current partition; None if unknown."""
        if not self._started_at:
            self._started_at = self._logged_at = self._clock()
        # A bar would be mixed up with the records if they go to the same terminal.
        if self._bar is None and sys.stderr.isatty() and not sys.stdout.isatty():
            self._show_bar()
        # A count may have any number of digits; what does not fit a float cannot be divided.
        self._expected_rows += rows if rows and rows < _MAX_EXPECTED else 0
        if self._bar is not None:
            self._bar.total = self._expected_rows
            self._bar.refresh()

    def advance(self, rows: int) -> None:
        """Add rows to the number read."""
        self._rows += rows
        self._partition_rows += rows
        now = self._clock()
        if self._bar is not None:
            self._bar.update(rows)
        elif now - self._logged_at >= INTERVAL:
            self._logged_at = now
            self._log_progress(self._rows / (now - self._started_at))

    def end(self) -> None:
        """End the current partition and remove the bar."""
        self._bar_contexts.close()
        self._bar = None
        self._partition_rows = self._expected_rows = 0
        self._partition += 1

    def _show_bar(self) -> None:
        from tqdm import tqdm  # noqa: PLC0415 - needed on a terminal only; runs start faster
        from tqdm.contrib.logging import logging_redirect_tqdm  # noqa: PLC0415 - like tqdm

        self._bar_contexts.enter_context(logging_redirect_tqdm())
        self._bar = self._bar_contexts.enter_context(
            tqdm(desc=self._label, total=0, unit=" rows", leave=False, dynamic_ncols=True)
        )

    def _log_progress(self, speed: float) -> None:
        rows, expected = self._partition_rows, self._expected_rows
        is_known = 0 < expected >= rows
        share = f" of {expected} ({rows / expected:.0%})" if is_known else ""
        left = f", {(expected - rows) / speed:.0f} s left" if is_known and speed else ""
        self._logger.info(
            "%s: %d rows%s read, %.0f a second%s", self._label, rows, share, speed, left
        )
