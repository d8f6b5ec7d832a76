"""The connection test (`--test`): whether each stream can be read, without its data."""

from __future__ import annotations

import typing as t

from tap_cube.errors import CubeError, RunError
from tap_cube.logs import escaped

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable, MutableSequence, Sequence

    from singer_sdk.helpers.types import Context
    from singer_sdk.streams import Stream

    from tap_cube.records.rows import Row
    from tap_cube.streams.base import CubeStream

MAX_PARTITIONS = 5
"""Partitions without rows after which a stream counts as readable and empty."""


class ConnectionTest:
    """Reads the first rows of each selected stream, and writes a line about it.

    Args:
        write_line: Writes a line of output.
        failures: A sentence for each failure, to which the streams add theirs.
    """

    def __init__(self, write_line: Callable[[str], object], failures: MutableSequence[str]) -> None:
        self._write_line = write_line
        self._failures = failures

    def run(self, streams: Iterable[Stream]) -> None:
        """Test streams; child streams with the first row of their parent.

        Raises:
            RunError: If the other streams would fail in the same way.
        """
        for stream in streams:
            is_read = stream.selected or stream.has_selected_descendents
            if is_read and not stream.parent_stream_type:
                self._test(stream, stream.partitions or [{}])

    def _test(self, stream: Stream, contexts: Sequence[Context]) -> None:
        cube_stream = t.cast("CubeStream[Row]", stream)
        known, context = len(self._failures), contexts[0]
        try:
            for context in contexts[:MAX_PARTITIONS]:
                self._read(cube_stream, context)
                if cube_stream.stats.rows or len(self._failures) > known:
                    break
        except RunError as error:
            self._write(stream, str(error))
            raise
        except CubeError as error:  # of a stream map
            self._failures.append(str(error))
        failed = self._failures[known:]
        self._write(stream, failed[0] if failed else f"ok, {cube_stream.stats.rows} rows seen")
        for child in stream.child_streams:
            if child.selected:
                self._test(child, [context])

    def _read(self, stream: CubeStream[Row], context: Context) -> None:
        """Read the first row, and those that are encoded with it; all rows of a bare list."""
        for record in stream.get_records(context):
            if stream.has_selected_descendents:
                list(stream.generate_child_contexts(record, context))
            if stream.selected:
                # Through the stream maps, which may fail. It removes deselected columns.
                stream.json_lines(record)
            if stream.has_selected_descendents or not stream.resource.is_list:
                return

    def _write(self, stream: Stream, text: str) -> None:
        if stream.selected:
            self._write_line(f"{stream.name}: {escaped(text)}\n")
