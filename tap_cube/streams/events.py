"""Call outcomes (rows C9, C8, C7) and product registrations (rows C11, C10)."""

from __future__ import annotations

import typing as t
from datetime import date, timedelta

from singer_sdk import typing as th
from typing_extensions import override

from tap_cube import generations
from tap_cube.bookmarks import BookmarkedStream
from tap_cube.errors import CubeError, ForbiddenError
from tap_cube.events import Event, Ordinals
from tap_cube.streams.of_campaigns import CampaignsRowsStream
from tap_cube.windows import EARLIEST, Window, small_windows

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk.helpers.types import Context, Record

    from tap_cube.generations import JSONType
    from tap_cube.pages import Page
    from tap_cube.records import RecordDecoder
    from tap_cube.sources import Source


class EventsStream(CampaignsRowsStream, BookmarkedStream):
    """Submissions, read by windows of days; the bookmark is the last day that was read.

    A window is read again from ``lookback_days`` before the bookmark on, since outcomes are
    re-assigned, and shown with the customer's present data. State moves after every window.
    """

    replication_key = "submitted_at"
    head_kind = Event

    @override
    def target_of(self, source: Source) -> str | None:
        span = self._span(source)
        return self._target(source, span) if span else None

    @override
    def records(
        self, source: Source, context: Context | None, decoder: RecordDecoder
    ) -> Iterator[Record]:
        span = self._span(source)
        if span is None:
            return
        looks: dict[Window, Page] = {}

        def pages_of(window: Window) -> int:
            looks.clear()
            try:
                looks[window] = self.first_page(source, self._target(source, window))
            except ForbiddenError as error:
                if window.first == span.first:
                    raise
                # What was readable a moment ago is not left out.
                raise CubeError(str(error)) from None
            return looks[window].expected_pages

        for window in small_windows(span, pages_of):
            yield from self._window(source, context, decoder, window, looks.pop(window))
            self.move_bookmark(context, window.last.isoformat())
            self.write_state()

    def _window(
        self,
        source: Source,
        context: Context | None,
        decoder: RecordDecoder,
        window: Window,
        first: Page,
    ) -> Iterator[Record]:
        ordinals = Ordinals()
        campaign = source.columns.get("campaign__id")
        for page, places in self.pages(source, self._target(source, window), first):
            kept, added = [], []
            for place in places:
                event, row = page.heads[place], page.rows[place]
                key = ordinals.key_of(event.digest(campaign, row), hash(row), self.reading)
                if key is None:
                    continue
                kept.append(place)
                submitted = self._submitted_at(event, decoder)
                added.append((key, event.key, submitted, *self.looked_up(event.names)))
            columns = list(zip(*added, strict=True))
            yield from self.records_of(page, kept, columns, decoder, context)

    def _target(self, source: Source, window: Window) -> str:
        return self._endpoints[source.name].target(source.context, window)

    @staticmethod
    def _submitted_at(event: Event, decoder: RecordDecoder) -> str | None:
        try:
            moment: str | None = decoder.moment(event.submitted or "")
        except (ValueError, ArithmeticError):
            return None
        return moment

    def _span(self, source: Source) -> Window | None:
        """All days to read of a source; None if it ended before them."""
        start = self.settings.start_date or EARLIEST
        if bookmark := self.bookmark(self.partition_of(source) or None):
            lookback = timedelta(days=self.settings.lookback_days)
            start = max(start, max(date.fromisoformat(bookmark[:10]), EARLIEST) - lookback)
        today = self.today()
        if source.ended and source.ended < start:
            return None
        return Window(min(start, today), today)


_ADDED = {"customer_id": th.StringType(), "submitted_at": th.DateTimeType()}


class CallOutcomesStream(EventsStream):
    """What came of each call."""

    name = "call_outcomes"
    primary_keys = ("call_outcome_key",)
    added_columns = ("call_outcome_key", "customer_id", "submitted_at")
    fixed_fields = generations.OUTCOME_FIELDS
    own_fields: t.ClassVar[Mapping[str, JSONType]] = {
        "call_outcome_key": th.StringType(),
        **_ADDED,
    }


class ProductRegistrationsStream(EventsStream):
    """The products that calls sold."""

    name = "product_registrations"
    primary_keys = ("product_registration_key",)
    added_columns = ("product_registration_key", "customer_id", "submitted_at")
    fixed_fields = generations.REGISTRATION_FIELDS
    own_fields: t.ClassVar[Mapping[str, JSONType]] = {
        "product_registration_key": th.StringType(),
        **_ADDED,
    }
