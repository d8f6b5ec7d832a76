"""While the tap waits: rows that were read are written, and page 1 is requested alone."""

from __future__ import annotations

import os
import select
import threading
from typing import IO, TYPE_CHECKING

import pytest

from tests.support.runs import CRM, CUSTOMERS, only, read, settings_for
from tests.support.singer_check import check
from tests.support.tap_process import started_tap

if TYPE_CHECKING:
    from cube_sandbox import Request, Sandbox

SECONDS = 300
"""How long a broken test may hang; a passing test does not wait for it."""

QUIET = 0.1
"""Seconds within which a prefetching thread would send its request."""


@pytest.mark.parametrize("read_ahead", [0, 4])
def test_rows_are_written_while_the_tap_waits_for_the_next_page(
    cube: Sandbox, read_ahead: int
) -> None:
    """The five rows of page 1 are in the pipe before the response to page 2."""
    released = threading.Event()

    def hold(request: Request) -> None:
        if request.row == "C2" and request.page == 2:
            released.wait(SECONDS)

    cube.before_request = hold
    with started_tap(settings_for(cube, read_ahead=read_ahead, **only(CRM))) as process:
        try:
            assert process.stdout is not None
            before = read_until_rows(process.stdout, 5)
            assert not released.is_set()
        finally:
            released.set()
        rest, stderr = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, stderr
    assert before.endswith(b"\n")
    assert rest.count(ROW) == 7
    check((before + rest).decode())


ROW = f'{{"type":"RECORD","stream":"{CUSTOMERS}"'.encode()


def read_until_rows(pipe: IO[bytes], rows: int) -> bytes:
    """Read until this number of customers has arrived."""
    arrived = b""
    while arrived.count(ROW) < rows:
        readable, _, _ = select.select([pipe], [], [], SECONDS / 2)
        assert readable, "no output"
        chunk = os.read(pipe.fileno(), 2**16)
        assert chunk, "the tap has ended"
        arrived += chunk
    return arrived


def test_page_1_is_requested_alone(cube: Sandbox) -> None:
    """Before its response the number of pages is unknown, so no thread requests another."""
    begun, released = threading.Event(), threading.Event()

    def hold(request: Request) -> None:
        if request.row == "C2" and request.page == 1:
            begun.set()
            released.wait(SECONDS)

    def look() -> None:
        begun.wait(SECONDS)
        cube.closing.wait(QUIET)
        requested.extend(request.page for request in cube.requests if request.row == "C2")
        released.set()

    requested: list[int] = []
    looking = threading.Thread(target=look)
    looking.start()
    cube.before_request = hold
    run = read(cube, read_ahead=4, **only(CRM))
    looking.join()
    assert len(run.records[CUSTOMERS]) == 12
    assert requested == [1]
