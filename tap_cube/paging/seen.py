"""The rows of one pass: which of them are new, and which came twice."""

from __future__ import annotations

import typing as t
from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import takewhile

from tap_cube.paging.copies import Copies
from tap_cube.records.hashes import Hashes
from tap_cube.records.page import Page
from tap_cube.records.rows import Row, decode_as, identities
from tap_cube.records.surrogates import content_digest

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PASSED_ROWS = 5_000
"""Rows whose order is kept; a list that grows by more between two pages takes another pass."""

_PAGE_ROWS = 500


@dataclass(slots=True)
class Emitted:
    """Rows that earlier passes yielded, and how often all passes yielded each content."""

    identified: Hashes = field(default_factory=Hashes)
    contents: Hashes = field(default_factory=Hashes)


class SeenRows:
    """The rows of one pass: in eight bytes each, up to 32 without an identity.

    Rows without an identity may be equal to the letter and still be several. Those of one
    response certainly are, so the pass yields them; those of two pages are if no row has moved,
    so `rest` yields them at the end. The same holds for events whose time is not exact enough to
    tell, where one page ends with a row that equals the first of the next.

    Args:
        emitted: The rows that earlier passes yielded.

    Attributes:
        seen: Rows of the pass, each counted once; set by `close`.
        repeats: How often a row with an identity came again on another page; set by `close`.
        explained: How often that happened where the list had grown in front of the row.
        doubtful: Rows that may have come again in the same way, or may be rows of their own.
    """

    def __init__(self, emitted: Emitted) -> None:
        self._emitted = emitted
        self.is_first = not len(emitted.identified) and not len(emitted.contents)
        self._identified, self._contents = Hashes(), Hashes()
        self._copies = Copies()
        self._row_type: type[Row] = Row
        self._passed: deque[int] = deque(maxlen=_PASSED_ROWS)
        self._ahead: deque[int] = deque()
        self._read = self._shift = 0
        self._held: set[int] = set()
        self._tie: object = None
        self._run = Hashes()
        self.seen = self.repeats = self.explained = 0
        self.doubtful: Counter[int] = Counter()

    def take(self, page: Page, grown: int) -> Sequence[int]:
        """Read the next page, and return the places of its new rows.

        Args:
            page: The page.
            grown: Rows by which the list grew since the page before. If they came in front, as
                many rows moved from there to this page.
        """
        self._shift += grown
        keys = self._keys_of(page)
        self._pass(keys, grown)
        places = self._new_places(page, keys)
        self._shift = max(0, self._shift - len(keys))
        return places

    def close(self) -> None:
        """Count the rows after the last page."""
        distinct = self._identified.distinct
        self.repeats, self.seen = self._read - distinct, distinct + len(self._contents)

    def take_again(self, page: Page) -> list[int]:
        """Read a page once more after `close`; return the places of rows not seen so far."""
        self._tie = None
        keys = {n: key for n, key in enumerate(self._keys_of(page)) if key is not None}
        fresh = {n: key for n, key in keys.items() if not self._identified.has(key)}
        self.seen += len(fresh)
        return [n for n, key in fresh.items() if self._is_new(page, n, key)]

    def accept_doubtful(self) -> None:
        """Take the doubtful rows for rows of their own."""
        self.seen += self.doubtful.total()
        for key in self.doubtful.elements():
            self._contents.insert(key)
        self.doubtful.clear()

    def rest(self) -> Iterator[Page]:
        """Yield the rows that equal another one, some at a time."""
        for key, text in self._copies:
            row, digest = decode_as(text, self._row_type), content_digest(text)
            given, total = self._emitted.contents.count(key), self._contents.count(key)
            for start in range(given, total, _PAGE_ROWS):
                ordinals = range(start + 1, min(start + _PAGE_ROWS, total) + 1)
                contents = {place: (digest, ordinal) for place, ordinal in enumerate(ordinals)}
                texts = [text] * len(ordinals)
                body = b"[%b]" % b",".join(texts)
                yield Page(body, [row] * len(texts), contents=contents, _raw_rows=texts)

    def is_within(self, other: SeenRows) -> bool:
        """Whether another pass saw every row of this one."""
        pairs = (self._identified, other._identified), (self._contents, other._contents)
        return all(mine.is_within(theirs) for mine, theirs in pairs)

    def hand_over(self) -> None:
        """Count the rows among those that earlier passes yielded."""
        self._emitted.identified.unite(self._identified)

    def _keys_of(self, page: Page) -> list[int | None]:
        """A hash for each row with an identity; rows of one response that share one are several."""
        rows = page.rows
        keys = [None if own is None else hash(own) for own in identities(rows)]
        plain = list(keys)
        tied = 0 if self._tie is None else _length(rows, self._tie)
        before = [(0 if key is None else self._run.count(key)) for key in plain[:tied]]
        self._held = {place for place, number in enumerate(before) if number}
        numbers = Counter({plain[place]: before[place] for place in self._held})
        if numbers or len({*keys}) < len(keys) - max(0, keys.count(None) - 1):
            for place, key in enumerate(plain):
                if key is not None:
                    keys[place] = hash((key, numbers[key])) if numbers[key] else key
                    numbers[key] += 1
        self._tie = rows[-1].tie if rows else None
        if tied < len(rows) or self._tie is None:
            self._run = Hashes()
        last = 0 if self._tie is None else _length(rows[::-1], self._tie)
        for key in plain[len(plain) - last :]:
            if key is not None:
                self._run.insert(key)
        return keys

    def _pass(self, keys: Sequence[int | None], grown: int) -> None:
        """Remember the order of the rows, and count those that came again for a reason.

        When a list grows in front, the last rows that were passed lie ahead again, in order.
        """
        for _ in range(min(grown, len(self._passed))):
            self._ahead.appendleft(self._passed.pop())
        for place, key in enumerate(keys if self._ahead else ()):
            if place < self._shift and key in self._ahead:
                self.explained += 1
                while (before := self._ahead.popleft()) != key:
                    self._passed.append(before)
        self._passed.extend(filter(None, keys))
        if len(keys) >= self._shift:
            self._ahead.clear()

    def _new_places(self, page: Page, keys: Sequence[int | None]) -> Sequence[int]:
        on_page: Counter[int] = Counter()
        if self.is_first and page.rows and page.rows[0].has_own_key:
            known = [key for key in keys if key is not None]
            self._read += len(known)
            self._identified.extend(known)
            if len(known) == len(keys):  # nearly all pages are such
                return range(len(keys))
            places = enumerate(keys)
            return [n for n, key in places if key is not None or self._give(page, n, on_page)]
        return [
            place
            for place, key in enumerate(keys)
            if (self._give(page, place, on_page) if key is None else self._is_new(page, place, key))
        ]

    def _is_new(self, page: Page, place: int, key: int) -> bool:
        is_given = bool(self._emitted.identified.count(key))
        if place in self._held and not is_given:
            self.doubtful[key] += 1
            self._keep(page, place, key)
            return False
        self._read += 1
        if page.rows[0].has_own_key:
            self._identified.extend((key,))  # a row that is yielded twice does no harm
            return not is_given
        return not self._identified.insert(key) and not is_given

    def _give(self, page: Page, place: int, on_page: Counter[int]) -> bool:
        """Whether to yield a row without an identity now."""
        text = page.raw_rows[place]
        digest = content_digest(text)
        key = hash(digest)
        before, given = self._contents.count(key), self._emitted.contents.count(key)
        on_page[key] += 1
        if before and place < self._shift:
            self.doubtful[key] += 1
        else:
            self._contents.insert(key)
            if on_page[key] > given:
                page.contents[place] = digest, self._emitted.contents.insert(key) + 1
                return True
        self._keep(page, place, key)
        return False

    def _keep(self, page: Page, place: int, key: int) -> None:
        self._row_type = type(page.rows[place])
        self._copies.add(key, page.raw_rows[place])


def _length(rows: Sequence[Row], tie: object) -> int:
    """How many rows have this tie, from the first on."""
    return sum(1 for _ in takewhile(lambda row: row.tie == tie, rows))


def tokens_of(page: Page) -> list[object]:
    """What each row of a page is recognised by: its identity, or its text if it has none."""
    owns = enumerate(identities(page.rows))
    return [page.raw_rows[place] if own is None else own for place, own in owns]
