"""Lists that are documented without pages, campaigns and definitions: read to their end.

An account may serve them as pages all the same. Then the first page alone would hide the other
campaigns, and with them all that happened in them.
"""

from __future__ import annotations

import typing as t
from collections import Counter

from typing_extensions import override

from tap_cube.errors import CubeError
from tap_cube.http.body import MAX_BODY_BYTES
from tap_cube.paging.complete import CompleteReader
from tap_cube.paging.pages import PageReader
from tap_cube.records.codec import decode_row
from tap_cube.records.limits import values_of
from tap_cube.records.page import PageDecoder
from tap_cube.records.rows import Row
from tap_cube.singer.stats import ListStats, Result

if t.TYPE_CHECKING:
    import logging

    from tap_cube.http.client import CubeClient
    from tap_cube.http.prefetch import WorkerPool
    from tap_cube.records.page import Page

_LIMITS: t.Final = {"rows": 50_000, "values": 1_000_000, "bytes": MAX_BODY_BYTES}
"""What a run keeps of all lists of one stream, at most: they stay decoded until it ends."""


class CampaignRow(Row):
    """The part of a campaign by which it is told from the others."""

    campaign__id: object = None

    @property
    @override
    def identity(self) -> object:
        return _hashable(self.campaign__id)


class DefinitionRow(Row):
    """The part of a definition by which it is told from the others."""

    id: object = None

    @property
    @override
    def identity(self) -> object:
        return _hashable(self.id)


def _hashable(value: object) -> object:
    return value if isinstance(value, str | int | float) else None


class ListReader:
    """Reads the lists of one stream.

    Args:
        stream: Name of the stream.
        row_type: What tells its rows apart.
        client: Client of the account.
        pool: Threads that fetch ahead.
        logger: Logs when pages have to be read again.
        may_be_incomplete: Whether to warn instead of raising an error if a list may lack rows.

    Attributes:
        decode: Decodes a first page.
    """

    def __init__(  # noqa: PLR0913 - a reader needs all of them
        self,
        stream: str,
        row_type: type[Row],
        client: CubeClient,
        pool: WorkerPool,
        logger: logging.Logger,
        *,
        may_be_incomplete: bool,
    ) -> None:
        self.decode = PageDecoder(row_type)
        self._stream = stream
        self._logger = logger
        self._may_be_incomplete = may_be_incomplete
        self._kept = Counter[str]()
        self._pages = PageReader(
            stream, client, pool, row_type=row_type, may_be_list=True, on_wait=bool
        )

    def rows(
        self, partition: str, target: str, first: Page
    ) -> tuple[list[dict[str, t.Any]], ListStats]:
        """Decode all rows of a list.

        Args:
            partition: Name of the partition; "" for the account.
            target: Path and query of the first page.
            first: The first page. A bare list is the only one.

        Returns:
            The rows, and what was counted. If it is not certain that these are all rows, the
            result says so.

        Raises:
            IncompleteReadError: If it is not certain, and lists may not be incomplete.
            CubeError: If this list and those before it are too large to keep.
        """
        subject = f"{self._stream} of {partition}" if partition else self._stream
        stats = ListStats()
        stats.begin()
        with self._pages.pages((partition, target), first, self._logger) as pages:
            reader = CompleteReader(
                pages,
                subject=subject,
                logger=self._logger,
                may_be_incomplete=self._may_be_incomplete,
            )
            raw_rows = (page.raw_rows[place] for page, places in reader for place in places)
            rows = [decode_row(self._counted(subject, row)) for row in raw_rows]
            stats.read = len(rows)
            stats.add(reader.counted, reader.passes)
            stats.end(Result.COMPLETE if reader.is_complete else Result.INCOMPLETE)
            return rows, stats

    def _counted(self, subject: str, row: bytes) -> bytes:
        """Count a row among all that are kept, and return it."""
        self._kept.update(rows=1, values=values_of(row), bytes=len(row))
        for unit, limit in _LIMITS.items():
            if self._kept[unit] > limit:
                msg = (
                    f"{subject}: with this list the stream has more than {limit:,} {unit} to keep. "
                    "Check 'api_url'."
                )
                raise CubeError(msg)
        return row
