"""Singer messages on stdout, in few and whole writes."""

from __future__ import annotations

import os
import sys
from threading import Timer

import msgspec
import simplejson
from singer_sdk.singerlib.encoding.base import GenericSingerWriter, SingerMessageType
from singer_sdk.singerlib.encoding.simple import Message
from typing_extensions import override

from tap_cube.errors import CubeError

FULL = 2**16
"""Bytes of records that are held back at most."""

PATIENCE = 1.5
"""Seconds that a target has to take a block, when a signal has ended the run."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


def encode(value: object) -> bytes:
    """JSON text, with decimals as exact numbers."""
    try:
        return _encode(value)
    except (OverflowError, TypeError):  # integers beyond 64 bits
        return simplejson.dumps(value, use_decimal=True, default=str).encode()


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

    def write_line(self, line: bytes) -> None:
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

    def _put(self, lines: bytes | bytearray) -> None:
        self._is_writing = True
        try:
            if (out := sys.stdout) is not sys.__stdout__:  # somebody reads along, such as a test
                out.write(lines.decode())
                out.flush()
            else:
                _write_all(sys.stdout.fileno(), lines)
        except OSError as error:
            msg = f"Output could not be written: {error.strerror}. Look at the target, run again."
            raise CubeError(msg) from None
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
        patience = Timer(PATIENCE, os._exit, [status])
        patience.daemon = True
        patience.start()


def _write_all(file: int, lines: bytes | bytearray) -> None:
    # Python's own buffer loses what a signal interrupts; the system tells how far it came.
    rest = memoryview(lines)
    while rest:
        rest = rest[os.write(file, rest) :]
