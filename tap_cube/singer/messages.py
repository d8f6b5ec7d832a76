"""Singer messages on stdout, in few writes of whole lines."""

from __future__ import annotations

import os
import select
import sys
import typing as t
from threading import Timer

from singer_sdk.singerlib.encoding.base import GenericSingerWriter, SingerMessageType
from singer_sdk.singerlib.encoding.simple import Message
from typing_extensions import override

from tap_cube.errors import OutputError
from tap_cube.records.codec import encode

if t.TYPE_CHECKING:
    from singer_sdk.singerlib import RecordMessage
    from typing_extensions import Buffer

BUFFER_BYTES = 2**16
"""Bytes of records that are buffered at most."""

WRITE_FAILED: t.Final = "Output could not be written: {}. Check the target, then run again."
"""Error when stdout is closed or its disk is full; takes the system's error text."""

_EXTRACTED_AT, _VERSION = b"_sdc_extracted_at", b"_sdc_table_version"
"""Columns in which targets that read RECORD messages store their time and their version."""

SIGNAL_GRACE = 1.5
"""Seconds that a target has to read the current block after a signal has ended the run."""


def record_messages(
    stream: str, lines: bytes, version: int | None, extracted_at: bytes
) -> memoryview:
    """Make the RECORD messages of one stream, one a line.

    Args:
        stream: Name of the stream.
        lines: JSON text of the records, each followed by a line break.
        version: The stream's version, if it has one.
        extracted_at: JSON text of the time when the records were read.

    Returns:
        The messages, each followed by a line break.
    """
    begin = b'{"type":"RECORD","stream":%b,"record":' % encode(stream)
    version_field = b'"version":%d,' % version if version else b""
    end = b',%b"time_extracted":%b}\n' % (version_field, extracted_at)
    # JSON text contains no raw line break.
    messages = b"".join((begin, lines.replace(b"\n", end + begin)))
    return memoryview(messages)[: -len(begin)]


def batch_rows(lines: bytes, version: int | None, extracted_at: bytes) -> bytes:
    """Make the rows of a batch file, one a line; they have what RECORD messages have.

    Args:
        lines: JSON text of the records, each an object with a key at least and a line break.
        version: The stream's version, if it has one.
        extracted_at: JSON text of the time when the records were read.
    """
    added = b',"%b":%b,"%b":%b}\n' % (_EXTRACTED_AT, extracted_at, _VERSION, encode(version))
    return lines.replace(b"}\n", added)  # no other line break is in JSON text


def batch_row(message: RecordMessage) -> bytes:
    """Make the row of a batch file for one message, without a line break."""
    added = {_EXTRACTED_AT.decode(): message.time_extracted, _VERSION.decode(): message.version}
    return encode({**message.record, **added})


class BufferedWriter(GenericSingerWriter[bytes, Message]):
    """Buffers RECORD messages, and writes every other message at once after them.

    So a STATE message never precedes its records. The tap also flushes the buffer before it waits.
    """

    def __init__(self) -> None:
        self._lines = bytearray()
        self._is_writing = False
        self._exit_status: int | None = None

    @override
    def serialize_message(self, message: Message) -> bytes:
        return encode(message.to_dict()) + b"\n"

    @override
    def write_message(self, message: Message) -> None:
        self.write_line(self.format_message(message))
        if message.type is not SingerMessageType.RECORD:
            self.flush()

    def write_line(self, line: bytes | memoryview) -> None:
        """Write one or more encoded messages, each with its line break.

        Raises:
            OutputError: If stdout is closed or its disk is full.
        """
        if len(line) >= BUFFER_BYTES:
            self.flush()
            self._write(line)
            return
        self._lines += line
        if len(self._lines) >= BUFFER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write the buffered messages.

        Raises:
            OutputError: If stdout is closed or its disk is full.
        """
        lines, self._lines = self._lines, bytearray()
        if lines:
            self._write(lines)

    def _write(self, lines: Buffer) -> None:
        self._is_writing = True
        try:
            if (out := sys.stdout) is not sys.__stdout__:  # replaced, by a test for example
                out.write(bytes(lines).decode())
                out.flush()
            else:
                _write_all(sys.stdout.fileno(), lines)
        except OSError as error:
            raise OutputError(WRITE_FAILED.format(error.strerror)) from None
        self._is_writing = False
        if self._exit_status is not None:
            raise SystemExit(self._exit_status)

    def end(self, status: int) -> None:
        """End the process after the current write; called by a signal handler.

        The process ends within `SIGNAL_GRACE` seconds, even if nobody reads stdout or stderr.

        Args:
            status: Exit status.

        Raises:
            SystemExit: At once if nothing is being written.
        """
        timer = Timer(SIGNAL_GRACE, os._exit, [status])
        timer.daemon = True
        timer.start()
        if not self._is_writing:
            raise SystemExit(status)
        self._exit_status = status


def _write_all(file: int, lines: Buffer) -> None:
    # Python's buffered writer loses data when a signal interrupts it, or when the pipe is full and
    # does not block; `os.write` returns how many bytes it has written.
    rest = memoryview(lines)
    while rest:
        try:
            rest = rest[os.write(file, rest) :]
        except BlockingIOError:
            select.select([], [file], [])
