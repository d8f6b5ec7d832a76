"""A strict reader of a Singer stream: what a target may rely on, checked message by message."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn
from zoneinfo import ZoneInfo

from jsonschema import Draft202012Validator
from upath import UPath

from tap_cube.streams.registry import RUN_LOG
from tests.support.record_check import RecordCheck, is_moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Message = dict[str, Any]

READ_BY_DAYS = {"call_outcomes", "callflow_customers", "product_registrations"}
"""Streams whose bookmark may be the day that was read, or on which the campaign ended."""

EXTRACTED_AT, VERSION = "_sdc_extracted_at", "_sdc_table_version"
"""Columns that only rows of batch files have; targets set them for RECORD messages."""

OSLO = ZoneInfo("Europe/Oslo")


class SingerError(AssertionError):
    """A stream that breaks a rule; the message names the line and the rule."""


def check(
    stdout: str, before: Mapping[str, Any] | None = None, *, may_repeat: bool = False
) -> list[Message]:
    """Read a whole stream and return its messages.

    Args:
        stdout: Everything a tap wrote.
        before: The state the tap was given.
        may_repeat: Whether a row may come again, since rows moved from page to page.

    Raises:
        SingerError: At the first message that breaks a rule.
    """
    reader = SingerReader(dict(before or {}), may_repeat=may_repeat)
    lines = stdout.split("\n")
    if lines.pop():
        msg = "The stream ends in the middle of a line"
        raise SingerError(msg)
    return [reader.read(line) for line in lines]


def batch_lines(message: Message) -> Iterator[bytes]:
    """The rows in the files of a BATCH message, each as JSON text with its line break.

    A file that is not whole is an error of its compression, or of its last line. Each row ends with
    two columns that are no part of the record: when it was read, and its version.
    """
    for url in message["manifest"]:
        content = UPath(url).read_bytes()
        if message["encoding"].get("compression") == "gzip":
            content = gzip.decompress(content)
        yield from content.splitlines(keepends=True)


def as_message(row: dict[str, Any]) -> Message:
    """The row of a batch file as the RECORD message for which it stands, without its stream."""
    added = {"time_extracted": row.pop(EXTRACTED_AT), "version": row.pop(VERSION)}
    return {"record": row, **added}


@dataclass
class _Stream:
    """What is known of one stream so far."""

    schema: Mapping[str, Any]
    keys: list[str]
    bookmark: str | None
    checks: RecordCheck
    version: int = 0
    is_active: bool = False
    seen: set[tuple[Any, ...]] = field(default_factory=set)
    records: list[Mapping[str, Any]] = field(default_factory=list)


class SingerReader:
    """Reads line after line and remembers what the next one must fit.

    Args:
        before: The state the tap was given.
        may_repeat: Whether a row may come again.
    """

    def __init__(self, before: Mapping[str, Any], *, may_repeat: bool = False) -> None:
        """Know no stream yet."""
        self._may_repeat = may_repeat
        self._streams: dict[str, _Stream] = {}
        self._bookmarks = _bookmarks(before)
        self._line = 0

    def read(self, line: str) -> Message:
        """Check one line and return its message.

        Raises:
            SingerError: If it breaks a rule.
        """
        self._line += 1
        message = self._decode(line)
        kind = message.get("type")
        if kind == "SCHEMA":
            self._schema(message)
        elif kind == "RECORD":
            self._record(message)
        elif kind == "STATE":
            self._state(message.get("value"))
        elif kind == "BATCH":
            self._batch(message)
        elif kind == "ACTIVATE_VERSION":
            self._activate(message)
        else:
            self._fail(f"has the unknown type {kind!r}")
        return message

    def _decode(self, line: str | bytes) -> Message:
        try:
            content = json.loads(line, parse_constant=self._refuse_constant)
        except ValueError:
            self._fail("is no JSON")
        if not isinstance(content, dict):
            self._fail("is no object")
        return content

    def _fail(self, what: str) -> NoReturn:
        msg = f"Line {self._line} {what}"
        raise SingerError(msg)

    def _refuse_constant(self, name: str) -> NoReturn:
        self._fail(f"holds {name}, which is no JSON")

    def _stream(self, message: Message) -> _Stream:
        stream = self._streams.get(message.get("stream", ""))
        if stream is None:
            self._fail(f"comes before the SCHEMA of stream {message.get('stream')!r}")
        return stream

    def _schema(self, message: Message) -> None:
        schema, keys = message["schema"], message["key_properties"]
        _check_schema(schema)
        bookmarks = message.get("bookmark_properties") or []
        for name in (*keys, *bookmarks):
            if name not in schema["properties"]:
                self._fail(f"does not declare the key or bookmark {name!r}")
        if not keys:
            self._fail("declares no key")
        for name in keys:
            if "null" in schema["properties"][name]["type"]:
                self._fail(f"declares the key {name!r} as nullable")
        checks = RecordCheck(schema, [*keys, *bookmarks])
        stream = _Stream(schema, keys, next(iter(bookmarks), None), checks)
        known = self._streams.get(message["stream"])
        if known is not None:
            names = schema["properties"].keys()
            if known.keys != keys or not known.schema["properties"].keys() <= names:
                self._fail("takes a property or a key of its stream away")
            stream.seen, stream.records = known.seen, known.records
            stream.version, stream.is_active = known.version, known.is_active
        self._streams[message["stream"]] = stream

    def _record(self, message: Message) -> None:
        stream, record = self._stream(message), message["record"]
        for fault in stream.checks.faults(record):
            self._fail(f"does not fit the SCHEMA of {message['stream']}: {fault}")
        key = tuple(record[name] for name in stream.keys)
        if None in key or "" in key:
            self._fail(f"has an empty key {key}")
        if key in stream.seen and not self._may_repeat:
            self._fail(f"repeats the key {key} of {message['stream']}")
        stream.seen.add(key)
        stream.records.append(record)
        if not is_moment(message["time_extracted"]):
            self._fail("was extracted at no RFC 3339 time")
        version = message.get("version")
        if message["stream"] == RUN_LOG:
            if version is not None:
                self._fail("lets a full load delete what earlier runs recorded")
            return
        if type(version) is not int or not 0 < version < 2**31 or stream.is_active:
            self._fail(f"has no version of 32 bits, or follows ACTIVATE_VERSION: {version!r}")
        if stream.version not in {0, version}:
            self._fail(f"has another version than the records before: {version}")
        stream.version = version

    def _activate(self, message: Message) -> None:
        stream = self._stream(message)
        if message["version"] != (stream.version or message["version"]) or stream.is_active:
            self._fail("activates another version than that of the records, or twice")
        stream.is_active = True

    def _batch(self, message: Message) -> None:
        self._stream(message)
        rows = 0
        for line in batch_lines(message):
            if not line.endswith(b"\n"):
                self._fail("has a file that ends in the middle of a line")
            self._record({**message, **as_message(self._decode(line))})
            rows += 1
        if not rows:
            self._fail("has no record in its files")

    def _state(self, value: object) -> None:
        if not isinstance(value, dict):
            self._fail("holds a state that is no object")
        for (name, context), bookmark in _bookmarks(value).items():
            known = self._bookmarks.get((name, context), (0, ""))
            if bookmark < known:
                self._fail(f"moves the bookmark of {name} {dict(context)} backwards")
            day = bookmark[1]
            if day != known[1] and not self._is_written(name, dict(context), day):
                self._fail(f"has a bookmark of {name} {dict(context)} that no record has reached")
            self._bookmarks[name, context] = bookmark

    def _is_written(self, name: str, context: Mapping[str, Any], bookmark: str) -> bool:
        """Whether a record of the partition at or after the bookmark was written before."""
        if name in READ_BY_DAYS:
            return bookmark[:10] <= datetime.now(UTC).astimezone(OSLO).date().isoformat()
        stream = self._streams.get(name)
        return stream is not None and any(
            (record[stream.bookmark or ""] or "") >= bookmark
            for record in stream.records
            if context.items() <= record.items()
        )


def _check_schema(schema: Mapping[str, Any]) -> None:
    """Check the parts of a schema that no earlier run declared: most runs share nearly all."""
    _check_part(json.dumps({**schema, "properties": {}}))
    for definition in schema["properties"].values():
        _check_part(json.dumps(definition))


@cache
def _check_part(schema: str) -> None:
    Draft202012Validator.check_schema(json.loads(schema))


def _bookmarks(state: Mapping[str, Any]) -> dict[tuple[str, frozenset[Any]], tuple[int, str]]:
    """Bookmarks of a state by stream and context, behind the version of each."""
    found = {}
    for name, bookmark in state.get("bookmarks", {}).items():
        for part in bookmark.get("partitions", [bookmark]):
            if "replication_key_value" in part:
                context = frozenset(part.get("context", {}).items())
                found[name, context] = part.get("loaded", 0), part["replication_key_value"]
    return found
