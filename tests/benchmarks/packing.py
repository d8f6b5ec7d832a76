"""Packs the records of a run into a BATCH file, and prints the CPU seconds that this took.

It runs as a process of its own, so that nothing else is in its time.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec

from tap_cube.compression import compressed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LEVEL = 1
"""The level of gzip that loads fastest."""

TOGETHER = 64
"""Records that are compressed in one call."""


class _Message(msgspec.Struct):
    type: str
    record: msgspec.Raw = msgspec.Raw()


def lines_of(output: Path) -> list[bytes]:
    """The JSON text of each record in the output of a tap."""
    decode = msgspec.json.Decoder(_Message).decode
    with output.open("rb") as file:
        return [bytes(each.record) for each in map(decode, file) if each.type == "RECORD"]


def by_tap(file: IO[bytes], blocks: Iterable[bytes]) -> None:
    """Pack as the tap does."""
    file.writelines(compressed(blocks))


def by_gzip(file: IO[bytes], blocks: Iterable[bytes]) -> None:
    """Pack as one can without other packages."""
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=LEVEL) as packed:
        packed.writelines(blocks)


WAYS: dict[str, Callable[[IO[bytes], Iterable[bytes]], None]] = {"tap": by_tap, "gzip": by_gzip}


def main(way: str, output: str) -> None:
    """Pack the records of an output in one way, into another file beside it."""
    lines = lines_of(Path(output))
    places = range(0, len(lines), TOGETHER)
    begun = time.process_time()
    with Path(f"{output}.{way}").open("wb") as file:
        WAYS[way](file, (b"\n".join([*lines[at : at + TOGETHER], b""]) for at in places))
    sys.stdout.write(json.dumps(time.process_time() - begun) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
