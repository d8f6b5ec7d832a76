"""Packs the records of a run into a BATCH file, and prints the CPU seconds that this took.

It runs as a process of its own, so that nothing else is in its time.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tap_cube.singer.batches import _write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LEVEL = 1
"""The level of gzip that loads fastest."""

TOGETHER = 64
"""Records that the standard library compresses in one call."""


class _Message(msgspec.Struct):
    type: str
    record: msgspec.Raw = msgspec.Raw()


def lines_of(output: Path) -> list[bytes]:
    """The JSON text of each record in the output of a tap."""
    decode = msgspec.json.Decoder(_Message).decode
    with output.open("rb") as file:
        return [bytes(each.record) for each in map(decode, file) if each.type == "RECORD"]


def by_tap(lines: Sequence[bytes], path: Path) -> None:
    """Pack the lines as the tap does."""
    with path.open("wb") as file:
        _write(file, iter(lines), is_gzip=True)


def by_gzip(lines: Sequence[bytes], path: Path) -> None:
    """Pack the lines as Python without other packages can."""
    with gzip.open(path, "wb", LEVEL) as file:
        for place in range(0, len(lines), TOGETHER):
            file.write(b"\n".join([*lines[place : place + TOGETHER], b""]))


WAYS: dict[str, Callable[[Sequence[bytes], Path], None]] = {"tap": by_tap, "gzip": by_gzip}


def main(way: str, output: str) -> None:
    """Pack the records of an output in one way, into another file beside it."""
    lines = lines_of(Path(output))
    begun = time.process_time()
    WAYS[way](lines, Path(f"{output}.{way}"))
    sys.stdout.write(json.dumps(time.process_time() - begun) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
