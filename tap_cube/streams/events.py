"""Call outcomes (rows C9, C8, C7) and product registrations (rows C11, C10)."""

from __future__ import annotations

import typing as t
from datetime import timedelta

from singer_sdk import typing as th
from typing_extensions import override

from tap_cube.paging.first_pages import keys_of
from tap_cube.paging.windows import MIN_DATE, Window, small_windows
from tap_cube.records.ids import imported_key
from tap_cube.records.rows import EventRow
from tap_cube.records.surrogates import EventKeys
from tap_cube.streams.base import CubeStream
from tap_cube.streams.campaign_rows import CampaignRows

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from singer_sdk.helpers.types import Context, Record

    from tap_cube.account.model import Account, Partition
    from tap_cube.records.decoder import RecordDecoder
    from tap_cube.records.page import Page
    from tap_cube.streams.spec import CubeTap, StreamSpec

_OWN_FIELDS = {"customer_id": th.StringType(), "submitted_at": th.DateTimeType()}


class EventsStream(CubeStream[EventRow]):
    """Submissions, read by windows of days; the bookmark is the last day that was read.

    A window is read again from ``lookback_days`` before the bookmark on, since outcomes are
    re-assigned, and shown with the customer's present data. State moves after every window that
    had rows.
    """

    replication_key = "submitted_at"
    row_type = EventRow
    rows: CampaignRows

    @override
    @classmethod
    def of_account(
        cls, tap: CubeTap, spec: StreamSpec, account: Account, streams: Mapping[str, t.Any]
    ) -> t.Self | None:
        del streams
        if spec.name not in account.resources:
            return None
        own = {**dict.fromkeys(spec.primary_keys, th.StringType()), **_OWN_FIELDS}
        rows = CampaignRows(account, spec, own)
        stream = cls(tap, spec, rows.resource, rows.columns)
        stream.rows = rows
        stream.added_columns = (*spec.primary_keys, "customer_id", "submitted_at", *rows.looked_up)
        return stream

    @property
    def _lookback(self) -> timedelta:
        return timedelta(days=self.settings.lookback_days)

    @override
    def target_of(self, partition: Partition) -> str | None:
        span = self._span(partition)
        return self._target(partition, span) if span else None

    @override
    def first_keys(self, partition: Partition) -> Iterable[str]:
        keys: dict[str, None] = {}

        def pages_of(window: Window) -> int:
            page = self.reader.look(partition, self._target(partition, window))
            keys.update(dict.fromkeys(keys_of(page)))
            return page.expected_pages

        if span := self._span(partition):
            next(small_windows(span, pages_of))
        return keys

    @override
    def records(
        self, partition: Partition, context: Context | None, decoder: RecordDecoder
    ) -> Iterator[Record]:
        span = self._span(partition)
        if span is None:
            return
        looks: dict[Window, Page] = {}
        is_empty, limit = True, span.last

        def pages_of(window: Window) -> int:
            looks.clear()
            looks[window] = self.reader.first_page(partition, self._target(partition, window))
            # The bookmark may pass an empty part of the span, so it is asked for once more.
            if window != span and not looks[window].rows:
                looks[window] = self.reader.first_page(partition, self._target(partition, window))
            return looks[window].expected_pages

        for window in small_windows(span, pages_of):
            target, first = self._target(partition, window), looks.pop(window)
            limit = self.bookmarks.limit(first).date()
            keys = EventKeys()
            for page, places in self.reader.pages(partition, target, first):
                kept, added = self._kept(partition, page, places, keys, decoder)
                yield from self.records_of(page, kept, added, decoder, context)
            # A window without rows costs one request, also the next time, and may be a mistake.
            if first.rows:
                is_empty = False
                # After an incomplete window, no later one must move the bookmark past it.
                if self.reader.is_complete:
                    self._move(context, window, limit)
        closing_day = self.bookmarks.today - self._lookback
        is_over = partition.ended is not None and partition.ended < closing_day
        is_read = is_over and self.reader.is_complete
        if is_read and self.bookmarks.may_close(context, is_empty=is_empty) and is_empty:
            self._move(context, span, limit)

    def _move(self, context: Context | None, window: Window, limit: date) -> None:
        self.bookmarks.move(context, min(window.last, limit).isoformat())
        self.write_state()

    def _kept(
        self,
        partition: Partition,
        page: Page,
        places: Iterable[int],
        keys: EventKeys,
        decoder: RecordDecoder,
    ) -> tuple[list[int], list[tuple[object, ...]]]:
        """Places of the events that get a key, and for each added column their values.

        Events that are equal in what identifies them are all in one window, since they have one
        time, so that the numbers of their keys are complete.
        """
        campaign = partition.columns.get("campaign__id")
        kept, added = [], []
        for place in places:
            event, row = page.rows[place], page.raw_rows[place]
            key = keys.key_of(event.digest(campaign, row))
            kept.append(place)
            submitted = _submitted_at(event, decoder)
            ids = self.rows.looked_up_values(event.names)
            added.append((key, imported_key(event.customer_id), submitted, *ids))
        return kept, [*zip(*added, strict=True)]

    def _target(self, partition: Partition, window: Window) -> str:
        return self.endpoint_of(partition).target(partition.context, window)

    def _span(self, partition: Partition) -> Window | None:
        """All days to read of a partition; None if it ended before them."""
        start = max(self.settings.start_date or MIN_DATE, MIN_DATE)
        if bookmark := self.bookmarks.get(self.context_of(partition) or None):
            start = max(start, max(bookmark.date(), MIN_DATE) - self._lookback)
        if partition.ended and partition.ended < start:
            return None
        last_day = self.bookmarks.last_day
        return Window(min(start, last_day), last_day)


def _submitted_at(event: EventRow, decoder: RecordDecoder) -> str | None:
    """The most precise time of submission that can be read."""
    less_precise = event.call_outcome__report_as__submitted_when, event.call_outcome__submitted_when
    for time in (event.submitted or "", *less_precise):
        try:
            moment: str | None = decoder.moment(time)
        except (ValueError, ArithmeticError):
            continue
        return moment
    return None
