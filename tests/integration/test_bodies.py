"""Bodies that servers and proxies make a little wrong, which are read all the same."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.support.runs import CRM, CUSTOMERS, complaint, ids, only, read_at
from tests.support.strange_server import Reply, pages

PAGE = {"count": 1, "next": None, "results": [{"crm__customer_id": "1", "name": "Åse"}]}
PLAIN = json.dumps(PAGE, ensure_ascii=False).encode()
PACKED = gzip.compress(PLAIN)
BOM = b"\xef\xbb\xbf"

READABLE: dict[str, tuple[str, bytes]] = {
    "a byte order mark": ("", BOM + PLAIN),
    "a byte order mark in gzip": ("gzip", gzip.compress(BOM + PLAIN)),
    "a charset": ("UTF-8", PLAIN),
    "none": ("none", PLAIN),
    "identity": ("identity", PLAIN),
    "identity and gzip": ("identity, gzip", PACKED),
    "x-gzip": ("X-GZip", PACKED),
    "gzip and a charset": ("gzip,utf-8", PACKED),
    "gzip without a header": ("", PACKED),
    "a header without gzip": ("gzip", PLAIN),
    "a header without brotli": ("br", PLAIN),
    "two files": ("gzip", gzip.compress(PLAIN[:9]) + gzip.compress(PLAIN[9:])),
    "padding": ("gzip", PACKED + b"\0" * 512),
    "padding between files": (
        "gzip",
        gzip.compress(PLAIN[:9]) + b"\0" * 7 + gzip.compress(PLAIN[9:]) + b"\0",
    ),
    "a line break after gzip": ("gzip", PACKED + b"\r\n"),
    "an empty file": ("gzip", PACKED + gzip.compress(b"")),
}

UNREADABLE: dict[str, tuple[str, bytes, str]] = {
    "half a file": ("gzip", PACKED[:-9], "connection closed before the response was complete"),
    "half a second file": ("gzip", PACKED + PACKED[:9], "connection closed"),
    "a damaged file": ("gzip", PACKED[:20] + b"\xff\xff" + PACKED[22:], "the response is damaged"),
    "a wrong checksum": ("gzip", PACKED[:-8] + bytes(8), "the response is damaged"),
    "text after text": ("gzip", PACKED * 2, "not JSON"),
    "nothing": ("", b"", "not JSON"),
    # Just so many that one function can still decode them, and the next cannot.
    "levels": ("", b'[{"a": %b%b}]' % (b"[" * 980, b"]" * 980), "more than 200 levels"),
    "brotli": ("br", b"\x0b\x02\x80[]\x03", "compressed by br, though the tap asked for gzip"),
    "deflate": ("identity, Deflate", b"x\x9c\x8b\x8e\x05\x00", "compressed by deflate"),
}


def read(encoding: str, body: bytes) -> Any:  # noqa: ANN401 - a run
    """Read one page with this header and body."""
    headers = {"Content-Encoding": encoding} if encoding else {}
    with pages(lambda _: Reply(200, headers, body)) as server:
        return read_at(server.url, max_retries=0, read_ahead=0, **only(CRM))


@pytest.mark.parametrize(("encoding", "body"), READABLE.values(), ids=READABLE)
def test_a_body_that_can_be_read_is_read(encoding: str, body: bytes) -> None:
    """Its own beginning says what it is; no JSON text begins as gzip does."""
    run = read(encoding, body)
    assert run.returncode == 0, run.stderr
    assert [record["name"] for record in run.records[CUSTOMERS]] == ["Åse"]


@pytest.mark.parametrize(("encoding", "body", "words"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_body_that_cannot_be_read_is_an_error(encoding: str, body: bytes, words: str) -> None:
    """The sentence says what is wrong with it."""
    assert words in complaint(read(encoding, body))


def test_no_content_is_an_empty_list() -> None:
    """Some servers answer 204 where there are no rows."""
    with pages(lambda _: Reply(204)) as server:
        run = read_at(server.url, max_retries=0, **only(CRM))
    assert run.returncode == 0, run.stderr
    assert not any(run.records.values())


@pytest.mark.parametrize("times", [1, 99])
def test_no_content_does_not_end_a_list_too_early(times: int) -> None:
    """A page without rows or count contradicts the others: the list is read again, or red."""
    left = times

    def answer(number: int) -> Any:  # noqa: ANN401 - JSON or a reply
        nonlocal left
        if number == 2 and left:
            left -= 1
            return Reply(204)
        row = {"crm__customer_id": str(number)}
        return {"count": 3, "next": f"?page={number + 1}" if number < 3 else None, "results": [row]}

    with pages(answer) as server:
        run = read_at(server.url, max_retries=0, read_ahead=0, **only(CRM))
    if times == 1:
        assert run.returncode == 0, run.stderr
        assert ids(run.records[CUSTOMERS]) == {"1", "2", "3"}
    else:
        assert "it is not certain that all rows were read" in complaint(run)


def test_headers_that_cannot_be_parsed_are_asked_for_again() -> None:
    """Python's parser of e-mail reads them, and fails where a parameter has such a number."""
    odd = [Reply(200, {"Content-Type": f"multipart/mixed; part*{'9' * 5000}*=x"})]
    page = {"count": 1, "results": [{"crm__customer_id": "1"}]}
    with pages(lambda _: odd.pop() if odd else page) as server:
        run = read_at(server.url, max_retries=1, **only(CRM))
    assert run.returncode == 0, run.stderr
    assert ids(run.records[CUSTOMERS]) == {"1"}
