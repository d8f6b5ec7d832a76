"""The start of the program, which a signal ends as quietly as the run after it."""

from __future__ import annotations

import gc
import os
import signal

_ENDING = (signal.SIGINT, signal.SIGTERM)


def main() -> None:
    """Import the tap, which takes most of a second, and run it."""
    for number in _ENDING:
        signal.signal(number, _end)  # until the tap has its own
    # What is imported stays until the end, so a search for garbage in it is a waste.
    gc.disable()
    from tap_cube.__main__ import main as run  # noqa: PLC0415 - the handlers must be there before

    gc.freeze()
    gc.enable()
    run()


def _end(number: int, _: object) -> None:
    os._exit(128 + number)  # nothing has been written yet
