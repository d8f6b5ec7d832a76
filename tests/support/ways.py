"""Which way records took to stdout: past the SDK, or through it."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk import Stream

from tap_cube.singer.stream import EncodedStream
from tap_cube.streams.registry import RUN_LOG

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def watched() -> Iterator[Counter[str]]:
    """Count the records of the account that take the SDK's own way, by stream."""
    through: Counter[str] = Counter()
    name = "_write_record_message"
    write = vars(Stream)[name]

    def count(stream: Stream, record: dict[str, Any]) -> None:
        through.update([stream.name] if stream.name != RUN_LOG else [])
        write(stream, record)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stream, name, count)
        yield through


@contextmanager
def sdk_alone() -> Iterator[None]:
    """Let no stream find its records plain, so that all take the SDK's own way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EncodedStream, "is_plain", False)
        yield
