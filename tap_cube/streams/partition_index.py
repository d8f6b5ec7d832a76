"""The partitions of a stream, found by their contexts."""

from __future__ import annotations

import typing as t

from tap_cube.account.model import ACCOUNT, partition_name
from tap_cube.singer.versions import MARKS

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tap_cube.account.model import Partition


class PartitionIndex:
    """Finds partitions by their context. There may be thousands.

    Args:
        partitions: The partitions in their order; none if the stream is not partitioned.
        context_of: Returns the context of a partition.
    """

    def __init__(
        self,
        partitions: Sequence[Partition],
        context_of: Callable[[Partition], Mapping[str, t.Any]],
    ) -> None:
        self.partitions, self.context_of = partitions, context_of
        contexts = (frozenset(context_of(partition).items()) for partition in partitions)
        self._places = {context: place for place, context in enumerate(contexts)}

    def of(self, context: Mapping[str, t.Any] | None) -> Partition:
        """The partition with a context; the account without one."""
        place = self._places.get(frozenset((context or {}).items()))
        return ACCOUNT if place is None else self.partitions[place]

    def gone(self, parts: Iterable[Mapping[str, t.Any]]) -> list[str]:
        """Names of the partitions that earlier runs read, by their state, and this one does not."""
        if not self.partitions:
            return []
        read = (part for part in parts if part.keys() & MARKS)
        contexts = (part["context"] for part in read)
        return [partition_name(each) for each in contexts if self.of(each) is ACCOUNT]

    def after(self, context: Mapping[str, t.Any]) -> Iterator[Partition]:
        """The partitions after the one with this context."""
        places = len(self.partitions)
        place = self._places.get(frozenset(context.items()), places)
        return (self.partitions[each] for each in range(place + 1, places))
