"""A small response may stand for a lot of memory; the tap takes only so much of it."""

from __future__ import annotations

import gzip
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tap_cube.records.limits import MAX_ROWS, MAX_VALUES
from tests.support.runs import CRM, only
from tests.support.sizes import scaled
from tests.support.strange_server import Reply, pages
from tests.support.tap_process import started, written_options

if TYPE_CHECKING:
    from collections.abc import Callable

STATUS = Path("/proc/self/status")
MAX_MIB = 1024
"""Memory that a run takes for one response at a time, as docs/scale.md says."""

MEASURED = f"""
import sys
from tap_cube.__main__ import main
try:
    main()
finally:
    sys.stderr.write(open({str(STATUS)!r}).read())
"""

TEXT = 64 * 2**20 - 100
"""Bytes of a text in a response that is just small enough."""


def value(text: bytes, column: bytes = b"x") -> bytes:
    """A page with one row and one value."""
    return b'{"count": 1, "results": [{"%b": %b}]}' % (column, text)


def many(unit: bytes, number: int) -> bytes:
    """A list of the same again and again."""
    return b"[%b0]" % (unit * number)


HALF = MAX_VALUES // 2 - 100
RESPONSES: dict[str, tuple[Callable[[], bytes], str]] = {
    "rows": (lambda: b"[%b{}]" % (b"{}," * (40 * 2**20 // 3)), "more than 3,000,000 values"),
    "rows of a short page": (lambda: b"[%b{}]" % (b"{}," * MAX_ROWS), "more than 100,000 rows"),
    "more than the limit": (lambda: b" " * (TEXT + 101), "more than 64 MiB"),
    "a next of lists": (lambda: b'{"results": [], "next": %b}' % many(b"[],", HALF), ""),
    "an id of objects": (lambda: value(many(b'{"a":0},', HALF), b"crm__customer_id"), ""),
    "a value of lists": (lambda: value(many(b"[],", HALF)), ""),
    "one long text": (lambda: value(b'"\xf0\x9f\x8c\xbb%b"' % (b"a" * TEXT)), ""),
    "one long number": (lambda: value(b"1.%b" % (b"1" * TEXT), b"crm__customer_id"), ""),
    "NaN and numbers": (lambda: value(b"[NaN,%b0]" % (b"1.5e9," * 990_000)), ""),
    "NaN and a long text": (lambda: value(b'[NaN,"\xf0\x9f\x8c\xbb%b"]' % (b"a" * 2**23)), ""),
}
FEW = ("rows", "a next of lists")


@pytest.mark.skipif(not STATUS.exists(), reason="the system does not tell a process's memory")
@pytest.mark.parametrize("name", scaled(FEW, tuple(RESPONSES)))
def test_a_response_takes_a_limited_amount_of_memory(name: str) -> None:
    """It is refused by a sentence that says what there is too much of, or read."""
    make, words = RESPONSES[name]
    reply = Reply(200, {"Content-Encoding": "gzip"}, gzip.compress(make(), 1))
    with pages(lambda _: reply) as server, tempfile.TemporaryDirectory() as folder:
        config = {"api_url": server.url, "auth_token": "t", "read_ahead": 0, **only(CRM)}
        command = ["python", "-c", MEASURED, *written_options(folder, config=config)]
        with started(command) as process:
            _, stderr = process.communicate(timeout=300)
    text = stderr.decode()
    assert f"the response is too large: it has {words}" in text or not words
    assert "Internal error" not in text
    (peak,) = re.findall(r"VmHWM:\s*([0-9]+) kB", text)
    assert int(peak) / 1024 < MAX_MIB
