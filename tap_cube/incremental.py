"""Streams whose unchanged rows are left out before they are decoded."""

from __future__ import annotations

import logging
import typing as t
from abc import abstractmethod

from typing_extensions import override

from tap_cube.bookmarks import BookmarkedStream
from tap_cube.heads import CustomerHead
from tap_cube.rows import Surrogates, decode_row

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk.helpers.types import Context, Record

    from tap_cube.records import RecordDecoder
    from tap_cube.sources import Source

H = t.TypeVar("H", bound=CustomerHead)


class IncrementalStream(BookmarkedStream, t.Generic[H]):
    """Rows that tell when they were last changed, though the API has no filter on it (T22).

    All pages are read, and rows from before the bookmark are left out by a look at the field
    that decides. Moments are texts that sort by time.
    """

    _is_told_full = False

    @abstractmethod
    def moment_of(self, head: H) -> str | None:
        """When a row was last changed; None where it does not say."""

    @abstractmethod
    def added_of(self, source: Source, head: H, key: str) -> Sequence[object]:
        """Values of `added_columns`; the key is the customer's id or a surrogate."""

    @abstractmethod
    def start_of(self, bookmark: str) -> str:
        """The first moment to read again, by a bookmark."""

    @abstractmethod
    def bookmark_of(self, moment: str) -> str:
        """The bookmark that a moment makes, as it stands in the state."""

    @abstractmethod
    def run_began(self) -> str:
        """The moment the run began; no bookmark passes it."""

    def after_page(self, context: Context | None) -> None:
        """Do what is to be done when the records of a page were written."""

    def end_of(self, source: Source) -> str:
        """The last moment of a source that has ended; "" of others."""
        del source
        return ""

    @override
    def records(
        self, source: Source, context: Context | None, decoder: RecordDecoder
    ) -> Iterator[Record]:
        start = self._start(context)
        surrogates = Surrogates()
        emitted = unchanged = dated = 0
        highest = self.end_of(source)
        for page, places in self.read(source):
            surrogates.begin(self.reading)
            kept, added = [], []
            for place in places:
                head = page.heads[place]
                moment = self.moment_of(head)
                if moment is not None:
                    dated += 1
                    if moment < start:
                        unchanged += 1
                        continue
                key = head.key or surrogates.key_of(decode_row(page.rows[place]))
                if key is None:
                    continue
                if moment is not None and moment > highest:
                    highest = moment
                kept.append(place)
                added.append(self.added_of(source, head, key))
            emitted += len(kept)
            columns = list(zip(*added, strict=True))
            yield from self.records_of(page, kept, columns, decoder, context)
            self.after_page(context)
        # A row without a date says nothing, and a date that lies ahead must not be the bookmark.
        if highest:
            self.move_bookmark(context, self.bookmark_of(min(highest, self.run_began())))
        self.tally.unchanged += unchanged
        self.logger.log(
            logging.DEBUG if "campaign__id" in source.context else logging.INFO,
            "%s: %d rows emitted, %d unchanged since %s left out",
            source.name or self.name, emitted, unchanged, start or "ever",
        )  # fmt: skip
        if emitted and not dated and not self._is_told_full:
            self._is_told_full = True
            self.logger.info("Customers carry no date of change here, so every run is a full one")

    def _start(self, context: Context | None) -> str:
        """The moment before which unchanged rows are left out; "" for no such moment."""
        start = self.settings.start_date
        moments = [start.isoformat()] if start else []
        if bookmark := self.bookmark(context):
            moments.append(self.start_of(bookmark))
        return max(moments, default="")
