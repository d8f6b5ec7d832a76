"""Which rows of a partition changed since its bookmark, and the bookmark of the next run."""

from __future__ import annotations

import typing as t
from datetime import timedelta

from tap_cube.records.hashes import Hashes
from tap_cube.records.rows import record_keys
from tap_cube.records.surrogates import surrogate_key
from tap_cube.singer.stats import counted

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from singer_sdk.helpers.types import Context

    from tap_cube.records.page import Page
    from tap_cube.settings import Settings
    from tap_cube.streams.bookmarks import Bookmarks
    from tap_cube.streams.cursors import Cursor


def rows_and_keys(page: Page, places: Sequence[int]) -> tuple[Sequence[t.Any], Sequence[str]]:
    """The rows of a page that have these places, and the primary keys of their records."""
    rows = [page.rows[place] for place in places]
    keys = zip(places, record_keys(rows), strict=True)
    return rows, [key or surrogate_key(*page.contents[place]) for place, key in keys]


class Changes:
    """The changes of one partition.

    Rows count as changed from ``lookback_days`` before the bookmark on. So nothing is lost if the
    account's clock is wrong or shows another zone, or if a change is entered late.

    Args:
        cursor: When a row was last changed.
        bookmarks: The stream's bookmarks.
        context: The partition's context.
        ended: Last day on which rows can have changed; None if the partition has not ended.
        settings: First day to read, and days to read again.

    Attributes:
        since: The value from which on rows count as changed; "" if all do.
        emitted: Rows that count as changed.
        unchanged: Rows left out.
        has_dates: Whether a row said when it was changed.
        has_rows: Whether the partition had any rows.
    """

    def __init__(
        self,
        cursor: Cursor,
        bookmarks: Bookmarks,
        context: Context | None,
        ended: date | None,
        settings: Settings,
    ) -> None:
        self._cursor, self._bookmarks, self._context = cursor, bookmarks, context
        self._bookmark = bookmarks.get(context)
        lookback = timedelta(days=settings.lookback_days)
        is_over = ended is not None and ended < bookmarks.today - lookback
        self._end = cursor.closed_at(ended + lookback) if ended and is_over else ""
        since = [settings.start_date.isoformat()] if settings.start_date else []
        if self._bookmark:
            since.append(cursor.resume_from(self._bookmark - lookback))
        self.since = max(since, default="")
        self.emitted = self.unchanged = 0
        self.has_dates = self.has_rows = False
        self._without_key, self._without_import = 0, Hashes()
        self._highest = self._bound = ""

    @property
    def are_complete(self) -> bool:
        """Whether the partition has ended, and was read after the last change could be entered."""
        if not self._end or self._bookmark is None:
            return False
        return self._bookmark >= self._bookmarks.parse(self._cursor.bookmark_for(self._end))

    @property
    def without_id(self) -> int | None:
        """Number of rows of anonymised customers (T40); None if no run need read the partition."""
        return self._without_key + self._without_import.distinct if self._bound else None

    def report(self, where: str) -> str:
        """Format how many rows of a partition, or of a stream, were emitted and skipped."""
        skipped = f", {self.unchanged} unchanged since {self.since} skipped" if self.since else ""
        return f"{where}: {counted(self.emitted, 'row')} emitted{skipped}"

    def places(self, page: Page, places: Sequence[int]) -> list[int]:
        """The places of the next page whose rows count as changed, or do not say when they were."""
        # No bookmark passes the time at which the first page was requested.
        self._bound = self._bound or self._cursor.upper_bound(self._bookmarks.limit(page))
        self.has_rows |= bool(page.rows)
        values, since = self._cursor.values_of(page.rows), self.since
        self.has_dates = self.has_dates or any(values[place] is not None for place in places)
        changed = [place for place in places if (value := values[place]) is None or value >= since]
        dated = [value for place in changed if (value := values[place]) is not None]
        is_all_dated = len(dated) == len(changed)
        undated = () if is_all_dated else [place for place in changed if values[place] is None]
        self._highest = max(self._highest, max(dated, default=""))
        self.emitted += len(changed)
        self.unchanged += len(places) - len(changed)
        self._count_without_id(page, places, undated)
        return changed

    def _count_without_id(self, page: Page, places: Iterable[int], undated: Iterable[int]) -> None:
        """Count the rows of a page that look anonymised: no id, or neither imported id nor date."""
        if page.contents:
            self._without_key += sum(place in page.contents for place in places)
        for place in undated:
            if place in page.contents:
                continue  # counted above
            row = page.rows[place]
            # Some generations keep Cube's own id (T41). A row with an id may come on two pages.
            if row.customer_id is None and (own := row.identity):
                self._without_import.insert(hash(own))

    def move_bookmark(self) -> None:
        """Move the bookmark, since all rows were written."""
        if not self._bound:
            return  # an earlier run read it to its end
        if self._end and self._bookmarks.may_close(self._context, is_empty=not self.has_rows):
            self._highest = max(self._highest, self._end)
        # A row without a date says nothing, and a date in the future must not be the bookmark.
        if self._highest:
            value = self._cursor.bookmark_for(min(self._highest, self._bound))
            self._bookmarks.move(self._context, value)
