"""Records leave in blocks, and before anything else that is said or waited for."""

from __future__ import annotations

import io
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

from tap_cube.singer.messages import BufferedWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.singerlib.encoding.simple import Message

BLOCK = 65_536
LINE = b"x" * 1023 + b"\n"


class Written(io.StringIO):
    """Keeps each write for itself."""

    def __init__(self) -> None:
        """Nothing is written yet."""
        super().__init__()
        self.blocks: list[str] = []

    @override
    def write(self, text: str) -> int:
        self.blocks.append(text)
        return len(text)


@contextmanager
def writing() -> Iterator[tuple[BufferedWriter, list[str]]]:
    """A writer, and the blocks that it has written so far."""
    with redirect_stdout(Written()) as written:
        yield BufferedWriter(), written.blocks


def test_records_leave_when_they_fill_a_block() -> None:
    """Not one by one, and no more than 64 KiB of them are held back."""
    with writing() as (writer, blocks):
        for _ in range(BLOCK // len(LINE) - 1):
            writer.write_line(LINE)
        assert blocks == []
        writer.write_line(LINE)
        assert [len(block) for block in blocks] == [BLOCK]
        writer.write_line(LINE)
        assert len(blocks) == 1


def test_a_block_of_its_own_leaves_after_those_before() -> None:
    """A whole page of records is not copied first, and does not overtake any."""
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
def test_any_other_message_leaves_at_once_after_the_records(
    message: Message,
) -> None:
    """A state is confirmed as soon as it can be, and never before its records."""
    with writing() as (writer, blocks):
        writer.write_message(RecordMessage(stream="s", record={"id": 1}))
        assert blocks == []
        writer.write_message(message)
        lines = "".join(blocks).splitlines()
        assert [line.partition(",")[0] for line in lines] == [
            f'{{"type":"{kind}"' for kind in ("RECORD", message.type.value)
        ]


def test_what_is_flushed_leaves_once() -> None:
    """The tap flushes before each wait, often with nothing to write."""
    with writing() as (writer, blocks):
        writer.flush()
        writer.write_line(LINE)
        writer.flush()
        writer.flush()
        assert blocks == [LINE.decode()]
