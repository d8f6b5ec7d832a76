"""Hashes of rows, in eight bytes each."""

from __future__ import annotations

import typing as t
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict

if t.TYPE_CHECKING:
    from collections.abc import Iterable

_BUCKETS = 256


class Hashes:
    """A multiset of hashes, in buckets small enough to sort and search fast.

    Hashes are either inserted in order, or added in any order and sorted when they are united.
    """

    def __init__(self) -> None:
        self._buckets: defaultdict[int, array[int]] = defaultdict(lambda: array("q"))

    def extend(self, keys: Iterable[int]) -> None:
        """Append hashes."""
        buckets = self._buckets
        for key in keys:
            buckets[key % _BUCKETS].append(key)

    def insert(self, key: int) -> int:
        """Insert a hash in order, and return how many equal ones were there."""
        bucket = self._buckets[key % _BUCKETS]
        end = bisect_right(bucket, key)
        bucket.insert(end, key)
        return end - bisect_left(bucket, key, 0, end)

    def count(self, key: int) -> int:
        """How often a hash is there, if the hashes are sorted."""
        bucket = self._buckets[key % _BUCKETS]
        return bisect_right(bucket, key) - bisect_left(bucket, key)

    def has(self, key: int) -> bool:
        """Whether a hash is there, in whatever order; slow."""
        return key in self._buckets[key % _BUCKETS]

    def __len__(self) -> int:
        """Number of hashes, equal ones included."""
        return sum(map(len, self._buckets.values()))

    @property
    def distinct(self) -> int:
        """Number of different hashes."""
        return sum(len(set(bucket)) for bucket in self._buckets.values())

    def unite(self, other: Hashes) -> None:
        """Add the hashes of another multiset, and keep each once, sorted."""
        for number, bucket in other._buckets.items():
            self._buckets[number] = array("q", sorted({*self._buckets[number], *bucket}))

    def is_within(self, other: Hashes) -> bool:
        """Whether another multiset has each hash at least as often."""
        pairs = ((bucket, other._buckets[number]) for number, bucket in self._buckets.items())
        return all(Counter(mine) <= Counter(theirs) for mine, theirs in pairs)
