"""Singer messages on stdout, in few and whole writes."""

from __future__ import annotations

import os
import sys
import typing as t
from threading import Timer

from singer_sdk.singerlib.encoding.base import GenericSingerWriter, SingerMessageType
from singer_sdk.singerlib.encoding.simple import Message
from typing_extensions import override

from tap_cube.errors import CubeError
from tap_cube.records.codec import encode

if t.TYPE_CHECKING:
    from typing_extensions import Buffer

FULL = 2**16
"""Bytes of records that are held back at most."""

UNWRITTEN: t.Final = "Output could not be written: {}. Look at the target, run again."
"""How a run ends whose reader is gone or has no room, with the system's words for it."""

SIGNAL_GRACE = 1.5
"""Seconds that a target has to take a block, when a signal has ended the run."""


def record_messages(
    stream: str, lines: bytes, version: int | None, extracted_at: bytes
) -> memoryview:
    """RECORD messages of one stream, one a line.

    Args:
        stream: Its name.
        lines: JSON text of the records, each followed by a line break.
        version: The stream's version, if it has one.
        extracted_at: JSON text of the time when they were read.
    """
    begin = b'{"type":"RECORD","stream":%b,"record":' % encode(stream)
    told = b'"version":%d,' % version if version else b""
    end = b',%b"time_extracted":%b}\n' % (told, extracted_at)
    # No line break stands in JSON text itself.
    messages = b"".join((begin, lines.replace(b"\n", end + begin)))
    return memoryview(messages)[: -len(begin)]


class BufferedWriter(GenericSingerWriter[bytes, Message]):
    """Writes records in blocks, and every other message at once after them.

    So a STATE never stands before its records, and nothing is held back while the tap waits.
    """

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._lines = bytearray()
        self._is_writing = False
        self._ending: int | None = None

    @override
    def serialize_message(self, message: Message) -> bytes:
        return encode(message.to_dict()) + b"\n"

    @override
    def write_message(self, message: Message) -> None:
        self.write_line(self.format_message(message))
        if message.type is not SingerMessageType.RECORD:
            self.flush()

    def write_line(self, line: bytes | memoryview) -> None:
        """Write one message, or several, encoded already, line breaks included."""
        if len(line) >= FULL:
            self.flush()
            self._put(line)
            return
        self._lines += line
        if len(self._lines) >= FULL:
            self.flush()

    def flush(self) -> None:
        """Write what is held back.

        Raises:
            CubeError: If nobody reads it, or a disk is full.
        """
        lines, self._lines = self._lines, bytearray()
        if lines:
            self._put(lines)

    def _put(self, lines: Buffer) -> None:
        self._is_writing = True
        try:
            if (out := sys.stdout) is not sys.__stdout__:  # somebody reads along, such as a test
                out.write(bytes(lines).decode())
                out.flush()
            else:
                _write_all(sys.stdout.fileno(), lines)
        except OSError as error:
            raise CubeError(UNWRITTEN.format(error.strerror)) from None
        self._is_writing = False
        if self._ending is not None:
            raise SystemExit(self._ending)

    def end(self, status: int) -> None:
        """End the process with whole lines, soon; called by a signal's handler.

        Raises:
            SystemExit: At once, or when what is being written is written.
        """
        if not self._is_writing:
            raise SystemExit(status)
        self._ending = status
        patience = Timer(SIGNAL_GRACE, os._exit, [status])
        patience.daemon = True
        patience.start()


def _write_all(file: int, lines: Buffer) -> None:
    # Python's own buffer loses what a signal interrupts; the system tells how far it came.
    rest = memoryview(lines)
    while rest:
        rest = rest[os.write(file, rest) :]
