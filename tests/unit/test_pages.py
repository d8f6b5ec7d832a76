"""Responses become pages or errors, and links are followed to the last page."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_cube.errors import TransientError
from tap_cube.http.prefetch import Prefetcher
from tap_cube.paging.links import NextLinkPaginator
from tap_cube.paging.pages import Pages
from tap_cube.records.page import END, Page, decode_object, decode_page
from tap_cube.records.rows import Row
from tests.support.pools import pool_of

if TYPE_CHECKING:
    from collections.abc import Callable

CUSTOMERS = "/api/v1/data_owners/2/B2C/customers/"
LOGGER = logging.getLogger("tap-cube.test")
ROWS: list[dict[str, Any]] = [
    {"crm__customer_id": "05029249275", "crm__custom_info__20": "233.0"},
    {"name": 'Åse "B" ]} \u2028', "more": {"list": [1, 2.50, None]}, "": "\\"},
]


def body(number: int = 1, pages: int = 1, **changed: object) -> bytes:
    """A response of Django REST framework in UTF-8."""
    following = f"http://inner.example{CUSTOMERS}?page={number + 1}" if number < pages else None
    page = {"count": pages * len(ROWS), "next": following, "previous": None, "results": ROWS}
    return json.dumps(page | changed, ensure_ascii=False).encode()


def test_an_envelope_is_a_page() -> None:
    """Rows stay the bytes that the server sent; count and link are decoded."""
    page = decode_page(body(1, 3))
    assert [json.loads(row) for row in page.raw_rows] == ROWS
    assert b"2.5" in page.raw_rows[1]
    assert (page.count, page.is_list, page.expected_pages) == (6, False, 3)
    assert page.next == f"http://inner.example{CUSTOMERS}?page=2"


@pytest.mark.parametrize("indent", [None, 4])
def test_a_bare_list_is_a_page_without_a_next(indent: int | None) -> None:
    """A list (T13) has no count and no link, whatever its layout."""
    page = decode_page(json.dumps(ROWS, indent=indent).encode())
    assert [json.loads(row) for row in page.raw_rows] == ROWS
    assert (page.count, page.next, page.is_list, page.expected_pages) == (None, None, True, 1)


@pytest.mark.parametrize("empty", [b"[]", b" [ ] ", b'{"results": []}'])
def test_a_response_without_rows_is_an_empty_page(empty: bytes) -> None:
    """A page without rows is not an error."""
    assert [*decode_page(empty).raw_rows] == []
    assert decode_page(empty).expected_pages == 1


@pytest.mark.parametrize(
    ("count", "known"),
    [
        (781, 781), (0, 0), (2**70, 2**70), (-1, None), (True, None), (False, None), (5.0, None),
        ("781", None), (None, None), ([], None), ({}, None),
    ],
)  # fmt: skip
def test_only_a_non_negative_integer_is_a_count(count: object, known: int | None) -> None:
    """A count of another type or below zero is ignored."""
    assert decode_page(body(count=count)).count == known


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (1, 1), (2, 1), (3, 2), (4, 2), (781, 391)])
def test_the_expected_pages_follow_from_count_and_page_size(count: int, pages: int) -> None:
    """The page size is the number of rows on the page, never assumed (T12)."""
    assert decode_page(body(count=count)).expected_pages == pages


@pytest.mark.parametrize(
    "response",
    [
        b"", b" ", b"null", b"5", b'"text"', b"{}", b'{"count": 1, "next": null}',
        b'{"results": null}', b'{"results": {}}', b'{"results": "[]"}', b'{"results": 1}',
        b'{"results": [5]}', b'{"results": [null, {}]}', b"[[]]", b'["a"]',
        b'{"detail": "Invalid page."}', b'{"crm__customer_id": "1"}',
        b"<!DOCTYPE html><html><title>Log in</title></html>", b"[] []", b"[],",
        b'{"results": [{"a": tru}]}', b"{'results': []}",
        b'{"results": [{"a": "\xff"}]}', b'{"results": [], "next": "\xff"}',
        '{"results": []}'.encode("utf-16"),
        b"\x1f\x8b\x08\x00", b'{"results": [{"a": 1,}]}', b'{"results": [{"a" 1}]}',
    ],
)  # fmt: skip
def test_a_body_that_is_no_page_is_requested_again(response: bytes) -> None:
    """A log-in page, an error or a body of another shape raises a transient error."""
    with pytest.raises(TransientError):
        decode_page(response)


@pytest.mark.parametrize(
    "frame",
    [b"%s", b'{"results": [%s]}', b'{"results": [], "next": %s}', b'{"results": [], "x": %s}'],
)
@pytest.mark.parametrize(("begin", "end"), [(b"[", b"]"), (b'{"a":', b"0}")])
def test_deep_nesting_is_no_page(frame: bytes, begin: bytes, end: bytes) -> None:
    """A body that is nested too deeply is refused like any other damaged body."""
    with pytest.raises(TransientError):
        decode_page(frame % (begin * 100_000 + end * 100_000))


@pytest.mark.parametrize("damaged", [b"[]", b"", b'{"id": 1}, {"id": 2}', b'{"id": 1'])
def test_a_single_record_is_one_object(damaged: bytes) -> None:
    """Anything else is requested again."""
    assert decode_object(b' {"id": 1}\n') == b'{"id": 1}'
    with pytest.raises(TransientError):
        decode_object(damaged)


@pytest.mark.parametrize("complete", [body(1, 2), json.dumps(ROWS).encode()])
def test_a_truncated_body_is_no_page(complete: bytes) -> None:
    """A page cut after any byte is refused."""
    for end in range(len(complete)):
        with pytest.raises(TransientError):
            decode_page(complete[:end])


@given(st.binary() | st.tuples(st.integers(0, len(body())), st.binary(max_size=3)))
def test_any_bytes_are_a_page_or_an_error(damage: bytes | tuple[int, bytes]) -> None:
    """A damaged page is refused, or all its rows can be decoded."""
    if isinstance(damage, tuple):
        at, inserted = damage
        damaged = body()[:at] + inserted + body()[at + 1 :]
    else:
        damaged = damage
    try:
        page = decode_page(damaged)
    except TransientError:
        return
    for row in page.raw_rows:
        assert isinstance(msgspec.json.decode(row), dict)


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The warnings logged so far."""
    return [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]


def test_the_paginator_follows_next_to_the_end() -> None:
    """It returns the path and query of each next page, as the SDK's paginators do."""
    paginator = NextLinkPaginator(CUSTOMERS)
    targets = [paginator.follow(decode_page(body(number, 3))) for number in (1, 2, 3)]
    assert targets == [f"{CUSTOMERS}?page=2", f"{CUSTOMERS}?page=3", None]
    assert paginator.finished
    assert not paginator.is_counting


@pytest.mark.parametrize(
    "link", [CUSTOMERS, f"{CUSTOMERS}?page=1", f"/other/?page=2{'x' * 9}", 5, True, [], {}, "", " "]
)
def test_a_link_that_leads_elsewhere_is_reported_once(
    link: object, caplog: pytest.LogCaptureFixture
) -> None:
    """The paginator counts pages from there on; the warning does not repeat the link."""
    page = Page(b"[{}]", [Row()], 9, link)
    (*found, end), requested = walk(CUSTOMERS, lambda t: page if t[-1] != "4" else None, 0, 0)
    assert (len(found), end) == (3, None)
    assert requested == [CUSTOMERS, *(f"{CUSTOMERS}?page={number}" for number in (2, 3, 4))]
    (warning,) = warnings_of(caplog)
    assert "page 2" in warning
    assert "xxxxxxxxx" not in warning


def test_a_null_link_ends_the_pages() -> None:
    """Null ends them also after a link that was not usable."""
    paginator = NextLinkPaginator(CUSTOMERS)
    paginator.follow(Page(b"[{}]", [Row()], 9, "elsewhere"))
    assert paginator.follow(Page(b"[{}]", [Row()], 9)) is None


def walk(
    first: str, respond: Callable[[str], Page | None], lookahead: int, last: int
) -> tuple[list[Page | None], list[str]]:
    """All pages by link, and the requested targets."""
    requested: list[str] = []

    def fetch(target: str) -> Page | None:
        requested.append(target)
        return respond(target)

    found: list[Page | None] = []
    fetched = Prefetcher(fetch, pool_of(lookahead))
    page = fetched.take(first)
    assert page is not None
    with Pages(first, page, fetched, lookahead, LOGGER) as pages:
        page = pages.page(1)
        while page is not None and page is not END:
            found.append(page)
            page = pages.page_after(page, len(found), last - len(found) - 1)
    return [*found, page], requested


@pytest.mark.parametrize("lookahead", [0, 1, 4])
@pytest.mark.parametrize("query", ["", "?to_date=20190331&from_date=20190101"])
def test_each_page_is_requested_once(lookahead: int, query: str) -> None:
    """Prefetched pages are those of the links, although servers sort the query (T9)."""
    first, total = f"/c/{query}", 6

    def respond(target: str) -> Page:
        parameters = dict(parse_qsl(urlsplit(target).query))
        number = int(parameters.get("page", 1))
        following = urlencode(sorted((parameters | {"page": str(number + 1)}).items()))
        link = f"http://inner.example/c/?{following}" if number < total else None
        return Page(b"[%d]" % number, [Row()], total, link)

    found, requested = walk(first, respond, lookahead, total)
    assert [page and page.raw_rows for page in found] == [[b"%d" % n] for n in range(1, 7)] + [[]]
    assert len(requested) == total


@pytest.mark.parametrize("lookahead", [0, 3])
def test_a_missing_page_is_none(lookahead: int) -> None:
    """A page that the server no longer has (404) differs from the end of the pages."""
    link = f"{CUSTOMERS}?page=2"
    found, _ = walk(
        CUSTOMERS,
        lambda t: Page(b"[{}]", [Row()], 2, link) if t == CUSTOMERS else None,
        lookahead,
        2,
    )
    assert found[-1] is None
    assert len(found) == 2
