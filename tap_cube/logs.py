"""What the log may show: the tap's own sentences, on one line each, and no text of other programs.

Loggers of other packages print URLs with customers' ids, headers with cookies, and whatever else
a server sends. So the rule does not look for what is secret: it names the loggers whose text is
known. It holds where records are made, so it holds for every handler, also for those of the
user's own log configuration (``SINGER_SDK_LOG_CONFIG``) and for loggers that are made later.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
import typing as t
from contextlib import suppress
from weakref import WeakSet

from singer_sdk.metrics import Point

if t.TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType

AnyLogger: t.TypeAlias = logging.Logger | logging.LoggerAdapter[t.Any]
"""The logger of the tap, or of a stream: from version 0.55 of the SDK on, that is an adapter."""

_LOGGER = logging.getLogger("tap-cube")

MAX_CHARACTERS = 2000
"""Longest text of one record."""

_MAX_SHOWN = 60
"""Longest text of a server or a user inside a sentence."""

_MAX_LISTED = 20
_MAX_FRAMES = 20

_SDK_MODULES = ("_logging", "configuration", "metrics")
"""Modules of the SDK whose text shows no rows and no expressions of stream maps, from INFO on."""

_FAILED_HANDLERS: WeakSet[logging.Handler] = WeakSet()

_BELOW_ALL_HANDLERS = -1
"""No handler accepts this level: the only way to drop a record where it is made."""


def protect() -> None:
    """Apply the rule to all loggers, and to warnings and errors that Python prints by itself."""
    logging.setLogRecordFactory(SafeRecords())
    logging.captureWarnings(capture=True)
    threading.excepthook = lambda args: _log_uncaught(args.exc_type, args.exc_traceback)
    sys.unraisablehook = lambda args: _log_uncaught(args.exc_type, args.exc_traceback)
    logging.Handler.handleError = _report_handler  # type: ignore[assignment,method-assign]  # the only hook for all handlers


class SafeRecords:
    """Makes log records whose text may be shown.

    Text of the tap is escaped and cut. Of a warning or error of another package only the place in
    the code is shown, by which it can be looked up, and only once; what other packages log below
    that level is dropped. So is the text of any exception.
    """

    def __init__(self) -> None:
        self._shown_places: set[tuple[str, int]] = set()

    def __call__(self, *args: t.Any, **options: t.Any) -> logging.LogRecord:  # noqa: ANN401 - as LogRecord
        """Make a record, with the arguments of `logging.LogRecord`."""
        record = logging.LogRecord(*args, **options)
        if not record.name:
            return record  # `logging.makeLogRecord` fills it from a record that was made before
        error = record.exc_info[0] if isinstance(record.exc_info, tuple) else None
        record.exc_info = record.exc_text = record.stack_info = None
        place = record.pathname, record.lineno
        if error is None and _is_known(record.name, record.levelno):
            if not _is_metric(record):
                record.msg, record.args = escaped(_text(record)), ()
        elif record.levelno >= logging.WARNING and place not in self._shown_places:
            self._shown_places.add(place)
            record.msg, record.args = _place_of(record, error), ()
        else:
            record.levelno = _BELOW_ALL_HANDLERS
        return record


def _is_metric(record: logging.LogRecord) -> bool:
    """Whether it is a measurement of the SDK, which formatters recognise by its type.

    Its text is JSON: stream, partition and number, without control characters.
    """
    point = record.args[0] if isinstance(record.args, tuple) and record.args else None
    return isinstance(point, Point) and len(str(point)) <= MAX_CHARACTERS


def _text(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a wrong template, which must not end a run
        return str(record.msg)


def _place_of(record: logging.LogRecord, error: type[BaseException] | None) -> str:
    name = f" about {error.__name__}" if error else ""
    place = f"{record.funcName} in {record.filename}, line {record.lineno}"
    return f"Message{name} from {place}. Its text is left out, since it might show data."


def _is_known(name: str, level: int) -> bool:
    package, _, rest = name.partition(".")
    if package == "singer_sdk":
        return level >= logging.INFO and rest.partition(".")[0] in _SDK_MODULES
    return package in {"tap-cube", "tap_cube"}


def escaped(text: str, limit: int = MAX_CHARACTERS) -> str:
    """Cut text, and make every character visible that is not printable, such as a line break."""
    begin = text[:limit]
    if not begin.isprintable():
        begin = "".join(
            char if char.isprintable() else char.encode("unicode_escape").decode() for char in begin
        )
    is_cut = len(text) > limit or len(begin) > limit
    return f"{begin[: limit - 1]}…" if is_cut else begin


def shown(text: object) -> str:
    """Quote a text of a server or a user for a sentence: escaped and short."""
    return f"'{escaped(str(text), _MAX_SHOWN)}'"


def listed(texts: Collection[object]) -> str:
    """List the first few of several texts, escaped and short, and say how many more there are."""
    names = ", ".join(escaped(str(text), _MAX_SHOWN) for text in [*texts][:_MAX_LISTED])
    more = len(texts) - _MAX_LISTED
    return f"{names} and {more} more" if more > 0 else names


def internal_error(kind: type[BaseException] | None, frames: TracebackType | None) -> list[str]:
    """Describe an error that should not happen by its type and place; its text may show data."""
    name = kind.__name__ if kind else "error"
    return [
        f"Internal error {name}; please report it with these lines.",
        *"".join(traceback.format_tb(frames, limit=-_MAX_FRAMES)).splitlines(),
    ]


def _log_uncaught(kind: type[BaseException] | None, frames: TracebackType | None) -> None:
    if kind is not None and issubclass(kind, SystemExit):
        return
    for line in internal_error(kind, frames):
        _LOGGER.error("%s", line)


def _report_handler(handler: logging.Handler, _: logging.LogRecord) -> None:
    """Say once on stderr that a handler fails; Python would print a traceback for each record."""
    if handler in _FAILED_HANDLERS:
        return
    _FAILED_HANDLERS.add(handler)
    error = sys.exc_info()[1]
    reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else ""
    text = (
        f"The log could not be written by {type(handler).__name__} "
        f"({reason or type(error).__name__}). If variable SINGER_SDK_LOG_CONFIG is set, check the "
        "file that it names."
    )
    with suppress(OSError, ValueError):  # stderr may be the handler's own
        sys.stderr.write(f"{text}\n")
