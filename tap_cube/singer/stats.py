"""What a run counts: of each list that it reads, and of each stream."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


class Result(StrEnum):
    """How the reading of a list ended."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    """The account changed all the time, and `on_incomplete_read` is ``warn``."""

    FAILED = "failed"
    SKIPPED = "skipped"
    """The credential may not see it, or it is not there, and no setting names it."""

    NOT_READ = "not read"
    """The run, or its stream, ended before."""


@dataclass(slots=True)
class ListStats:
    """What one run counted of the list of a partition.

    Attributes:
        counted: Rows by the account's own count; None if it sends none.
        read: Rows that came.
        emitted: Records emitted.
        unchanged: Rows skipped, since they are older than the bookmark.
        passes: Passes over all pages.
        unparsed: Values that did not fit the type of their column.
        anonymised: Rows without an id; None where that is not counted.
        result: How the reading ended.
        began: When it began; None if it did not.
        ended: When it ended.
    """

    counted: int | None = None
    read: int = 0
    emitted: int = 0
    unchanged: int = 0
    passes: int = 0
    unparsed: int = 0
    anonymised: int | None = None
    result: Result = Result.NOT_READ
    began: datetime | None = None
    ended: datetime | None = None

    def begin(self) -> None:
        """Note the time, once for a list that is read in several parts."""
        self.began = self.began or datetime.now(UTC)

    def end(self, result: Result) -> None:
        """Note the time and the result. A part that is complete hides no other that is not."""
        self.ended = datetime.now(UTC)
        if self.result in {Result.NOT_READ, Result.COMPLETE}:
            self.result = result

    def add(self, counted: int | None, passes: int) -> None:
        """Add what was read together: all pages, or those of a window of days.

        Args:
            counted: Rows by the account's own count.
            passes: Passes over the pages. Of several windows, the most count.
        """
        if counted is not None:
            self.counted = (self.counted or 0) + counted
        self.passes = max(self.passes, passes)


@dataclass(slots=True)
class StreamStats:
    """Totals of a stream in one run.

    Attributes:
        lists: Its lists, by the name of the partition; "" for the whole account.
        failures: Partitions and maps that failed.
        seconds: Duration.
    """

    lists: dict[str, ListStats] = field(default_factory=dict)
    failures: int = 0
    seconds: float = 0

    def of(self, partition: str) -> ListStats:
        """The numbers of the list of a partition."""
        return self.lists.setdefault(partition, ListStats())

    @property
    def rows(self) -> int:
        """Records emitted."""
        return sum(each.emitted for each in self.lists.values())

    def summary(self, requests: int, retries: int) -> str:
        """Format the totals as one line.

        Args:
            requests: Requests that the stream sent, retries included.
            retries: Retries among them.
        """
        lists: t.Collection[ListStats] = self.lists.values()
        unparsed = sum(each.unparsed for each in lists)
        return (
            f"{counted(self.rows, 'row')} emitted, "
            f"{sum(each.unchanged for each in lists)} unchanged skipped, "
            f"{counted(requests, 'request')}, {retries} of them retries, "
            f"{counted(unparsed, 'unparsed value')}, {self.seconds:.1f} s"
        )


def counted(number: int, thing: str) -> str:
    """Format a number of things, in the singular for one."""
    return f"{number} {thing}{'' if number == 1 else 's'}"
