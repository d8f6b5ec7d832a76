"""Records are written in blocks, and always before other messages."""

from __future__ import annotations

import io
import time
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING

import pytest
from singer_sdk.singerlib import (
    ActivateVersionMessage,
    RecordMessage,
    SchemaMessage,
    StateMessage,
)
from typing_extensions import override

from tap_cube.records.codec import encode
from tap_cube.singer.messages import BufferedWriter
from tap_cube.singer.partition_state import EncodedStateWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.helpers.types import TapState
    from singer_sdk.singerlib.encoding.simple import Message

BLOCK = 65_536
LINE = b"x" * 1023 + b"\n"


class RecordedOutput(io.StringIO):
    """Keeps each write separately."""

    def __init__(self) -> None:
        """Create an empty output."""
        super().__init__()
        self.blocks: list[str] = []

    @override
    def write(self, text: str) -> int:
        self.blocks.append(text)
        return len(text)


@contextmanager
def writing() -> Iterator[tuple[BufferedWriter, list[str]]]:
    """A writer, and the blocks written so far."""
    with redirect_stdout(RecordedOutput()) as written:
        yield BufferedWriter(), written.blocks


def test_records_are_written_when_they_fill_a_block() -> None:
    """At most 64 KiB of records are buffered."""
    with writing() as (writer, blocks):
        for _ in range(BLOCK // len(LINE) - 1):
            writer.write_line(LINE)
        assert blocks == []
        writer.write_line(LINE)
        assert [len(block) for block in blocks] == [BLOCK]
        writer.write_line(LINE)
        assert len(blocks) == 1


def test_a_large_block_is_written_after_earlier_records() -> None:
    """A complete page of records is not copied, and keeps its place in the order."""
    with writing() as (writer, blocks):
        writer.write_line(b"first\n")
        writer.write_line(memoryview(b"x" * BLOCK))
        assert blocks == ["first\n", "x" * BLOCK]


@pytest.mark.parametrize(
    "message",
    [
        SchemaMessage(stream="s", schema={"properties": {}}, key_properties=[]),
        StateMessage(value={"bookmarks": {}}),
        ActivateVersionMessage(stream="s", version=1),
    ],
    ids=lambda message: message.type,
)
def test_any_other_message_is_written_at_once_after_the_records(
    message: Message,
) -> None:
    """A state is written as early as possible, but never before its records."""
    with writing() as (writer, blocks):
        writer.write_message(RecordMessage(stream="s", record={"id": 1}))
        assert blocks == []
        writer.write_message(message)
        lines = "".join(blocks).splitlines()
        assert [line.partition(",")[0] for line in lines] == [
            f'{{"type":"{kind}"' for kind in ("RECORD", message.type.value)
        ]


def test_a_state_is_written_when_it_has_changed_without_a_copy_of_it() -> None:
    """A state of thousands of partitions is written every second."""
    partitions = [{"context": {"campaign__id": n}, "details": True} for n in range(5000)]
    state: TapState = {"bookmarks": {"call_outcomes": {"partitions": partitions}}}
    with writing() as (writer, blocks):
        states = EncodedStateWriter(writer)
        written, encoded = [], []
        for number in range(5):
            partitions[-1]["replication_key_value"] = f"2026-01-0{number + 1}"
            began = time.thread_time()
            states.write_state(state)
            states.write_state(state)
            between = time.thread_time()
            text = encode(state)
            written.append(between - began)
            encoded.append(time.thread_time() - between)
            assert blocks == [f'{{"type":"STATE","value":{text.decode()}}}\n']
            blocks.clear()
        assert min(written) < 20 * min(encoded)


def test_flushed_records_are_written_once() -> None:
    """The tap flushes before each wait, often without buffered records."""
    with writing() as (writer, blocks):
        writer.flush()
        writer.write_line(LINE)
        writer.flush()
        writer.flush()
        assert blocks == [LINE.decode()]
