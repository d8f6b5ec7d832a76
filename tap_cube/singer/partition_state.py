"""State of streams with thousands of partitions; overrides the SDK's, which searches and copies."""

from __future__ import annotations

import typing as t

from singer_sdk.helpers._state import StateWriter
from singer_sdk.streams._state import StreamStateManager
from typing_extensions import override

from tap_cube.records.codec import encode

if t.TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, TapState
    from singer_sdk.streams import Stream

    from tap_cube.singer.messages import BufferedWriter


class IndexedState(StreamStateManager):
    """The state of one stream, in which a partition is found without a search."""

    _indexed: list[dict[str, t.Any]] | None = None
    """The list of partitions whose contexts are in the index."""

    @classmethod
    def of(cls, stream: Stream) -> t.Self:
        """Make the state of a stream, as the SDK makes it."""
        return cls(
            stream_name=stream.name,
            tap_state=stream.tap_state,
            is_sorted=stream.is_sorted,
            check_sorted=stream.check_sorted,
            tap_name=stream.tap_name,
            state_partitioning_keys=stream.state_partitioning_keys,
        )

    @override
    def get_context_state(self, context: Context | None) -> dict[str, t.Any]:
        own = self.get_state_partition_context(context) if context else None
        if not own:
            return self.stream_state
        partitions: list[dict[str, t.Any]] = self.stream_state.setdefault("partitions", [])
        if self._indexed is not partitions:
            self._indexed = partitions
            self._by_context = {frozenset(each["context"].items()): each for each in partitions}
        key = frozenset(own.items())
        if (state := self._by_context.get(key)) is None:
            state = self._by_context[key] = {"context": dict(own)}
            partitions.append(state)
        return state


class EncodedStateWriter(StateWriter):
    """Writes the state if its text has changed, and keeps only the text.

    Args:
        writer: Writes the messages.
    """

    def __init__(self, writer: BufferedWriter) -> None:
        super().__init__(writer)
        self._writer = writer
        self._written = b""

    @override
    def write_state(self, state: TapState) -> None:
        text = encode(state)
        if text != self._written:
            self._writer.write_line(b'{"type":"STATE","value":%b}\n' % text)
            self._writer.flush()
            self._written = text

    def repeat(self) -> None:
        """Write the last state again: some targets forget it when another record follows."""
        if self._written:
            self._writer.write_line(b'{"type":"STATE","value":%b}\n' % self._written)
            self._writer.flush()
