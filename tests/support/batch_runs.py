"""Runs that write records into files, and what is in them."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from tap_cube.streams.registry import RUN_LOG
from tests.support.runs import CUSTOMERS
from tests.support.singer_check import as_message, batch_lines

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.tap_process import TapRun

Record = dict[str, Any]


def into(root: Path | str, *, compression: str | None = "gzip", **options: object) -> Record:
    """The settings that write files into a folder, or to an address."""
    address = root if isinstance(root, str) else root.as_uri()
    encoding = {"format": "jsonl"} | ({"compression": compression} if compression else {})
    return {"batch_config": {"encoding": encoding, "storage": {"root": address}, **options}}


def exact(text: str | bytes) -> Any:  # noqa: ANN401 - any JSON
    """Decode JSON with each number as it is written."""
    return json.loads(text, parse_float=str, parse_int=str)


def batch_records(message: Record) -> list[Record]:
    """The records in the files of a BATCH message, exactly."""
    return [as_message(exact(line))["record"] for line in batch_lines(message)]


def rows(run: TapRun) -> dict[str, list[Record]]:
    """The records of each stream of the account in order, from messages and from files."""
    found: dict[str, list[Record]] = {}
    for line in run.stdout.split("\n")[:-1]:
        message = exact(line)
        if message.get("stream") == RUN_LOG:
            continue
        if message["type"] == "RECORD":
            found.setdefault(message["stream"], []).append(message["record"])
        elif message["type"] == "BATCH":
            found.setdefault(message["stream"], []).extend(batch_records(message))
    return found


def kinds(run: TapRun, stream: str = CUSTOMERS) -> Counter[str]:
    """How many messages of each type a stream sent, up to its last row."""
    sent = (m["type"] for m in run.messages if m.get("stream") == stream)
    return Counter(kind for kind in sent if kind != "ACTIVATE_VERSION")
