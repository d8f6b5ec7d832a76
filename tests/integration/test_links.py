"""Links and redirects of a hostile server: no foreign request, no loop, no missing row."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault, Traps
from tests.support.breaking import SHORT, assert_complete
from tests.support.runs import CRM, CUSTOMERS, complaint, ids, only, read, read_at
from tests.support.sizes import by_turns, scaled
from tests.support.strange_server import CUSTOMERS_PATH, Decoy, decoy, pages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cube_sandbox import Sandbox

PAGES = 6

# {0} is the port of the decoy, {1} the next page.
AWAY = {
    "another port": "http://127.0.0.1:{0}/api/v1/data_owners/2/B2B/customers/?page={1}",
    "another host": "http://localhost:{0}/api/v1/data_owners/2/B2B/customers/?page={1}",
    "no scheme": "//127.0.0.1:{0}/api/v1/data_owners/2/B2B/customers/?page={1}",
    "backslashes": r"\\127.0.0.1:{0}\api\v1\data_owners\2\B2B\customers\?page={1}",
    "a slash and a backslash": "/\\127.0.0.1:{0}/api/v1/data_owners/2/B2B/customers/?page={1}",
    "three slashes": "///127.0.0.1:{0}/api/v1/data_owners/2/B2B/customers/?page={1}",
    "a user": "http://127.0.0.1@127.0.0.1:{0}/api/v1/data_owners/2/B2B/customers/?page={1}",
    "a user of two hosts": "http://a:b@c@127.0.0.1:{0}/?page={1}",
    "a fragment": "http://127.0.0.1:{0}#/api/v1/data_owners/2/B2B/customers/?page={1}",
    "a tab": "ht\ttp://127.0.0.1:{0}/api/v1/data_owners/2/B2B/customers/?page={1}",
    "https": "https://127.0.0.1:{0}/api/v1/data_owners/2/B2B/customers/?page={1}",
}
REDIRECTS = ("another port", "another host", "no scheme", "a user", "a fragment", "https")
"""Links that also lead away in a `Location` header."""

ASTRAY: dict[str, object] = {
    "a way up": "/api/v1/data_owners/2/B2B/customers/../../B2C/customers/?page={1}",
    "a quoted way up": "/api/v1/data_owners/2/B2B/customers/%2e%2e/%2e%2e/B2C/customers/?page={1}",
    "a megabyte": f"{CUSTOMERS_PATH}?page=" + "9" * 2**20,
    "an integer": 2,
    "a float": 1e300,
    "a list": [f"{CUSTOMERS_PATH}?page=2"],
    "an object": {"page": 2},
    "true": True,
    "false": False,
    "the first page": f"{CUSTOMERS_PATH}?page=1",
    "a page far ahead": f"{CUSTOMERS_PATH}?page=100000",
    "a page before": f"{CUSTOMERS_PATH}?page=-1",
    "page zero": f"{CUSTOMERS_PATH}?page=0",
    "the last page": f"{CUSTOMERS_PATH}?page=last",
    "two page numbers": f"{CUSTOMERS_PATH}?page={{1}}&page=1",
    "another endpoint": "/api/v1/campaigns?page={1}",
    "another CRM": "/api/v1/data_owners/2/B2C/customers/?page={1}",
    "a line break": f"{CUSTOMERS_PATH}?page={{1}}\r\nHost: evil.example.org",
    "a NUL": f"{CUSTOMERS_PATH}?page={{1}}\x00",
    "half a surrogate": f"{CUSTOMERS_PATH}?page={{1}}\ufffd",
}


ALL_LINKS = AWAY | ASTRAY
LINKS = scaled(
    {
        name: ALL_LINKS[name]
        for name in ("another port", "backslashes", "a user", "https", "a way up", "a megabyte",
                     "an object", "a page far ahead", "the first page", "another CRM", "a NUL")
    },
    ALL_LINKS,
)  # fmt: skip
"""Links for complete runs; `tests/unit/test_links.py` has more texts."""


@pytest.fixture(scope="module")
def trap() -> Iterator[Decoy]:
    """Serve another port, which must not receive any request."""
    with decoy() as trap:
        yield trap
    assert trap.received == []


def replaced_by(link: object, port: int) -> Callable[[str | None], object]:
    """Replace `next` on every page but the last."""

    def next_value(real: str | None) -> object:
        if real is None or not isinstance(link, str):
            return link if real else None
        return link.replace("{0}", str(port)).replace("{1}", real.rpartition("page=")[2])

    return next_value


@pytest.mark.parametrize(("name", "read_ahead"), by_turns(LINKS, [0, 3]))
def test_only_the_page_number_of_a_link_is_used(
    cube: Sandbox, trap: Decoy, name: str, read_ahead: int
) -> None:
    """All rows are read from the account, with few requests and at most one warning."""
    cube.reset(customers=30, traps=Traps(next_value=replaced_by(LINKS[name], trap.port)))
    run = read(cube, read_ahead=read_ahead, **only(CRM))
    assert_complete(cube, run)
    assert trap.received == []
    requests = [request for request in cube.requests if request.row == "C2"]
    assert {request.path for request in requests} == {CUSTOMERS_PATH}
    assert {request.page for request in requests} == set(range(1, PAGES + 1))
    assert len(requests) == PAGES + 2  # the last page is requested early, and the first one again
    assert run.stderr.count("counting pages instead") <= 1
    assert "127.0.0.1" not in run.stderr


@pytest.mark.parametrize(("name", "page"), by_turns(REDIRECTS, [1, 3]))
def test_a_redirect_to_another_server_is_not_followed(
    cube: Sandbox, trap: Decoy, name: str, page: int
) -> None:
    """A redirect to another scheme, host or port ends the run."""
    location = AWAY[name].format(trap.port, page)
    cube.reset(customers=30)

    def add_fault() -> None:
        cube.faults = [Fault("redirect", row="C2", page=page, location=location)]

    run = read(cube, discovered=add_fault, **only(CRM))
    assert f"page {page}: redirect" in complaint(run)
    assert trap.received == []


def rows(*numbers: int) -> list[dict[str, Any]]:
    """Customers with these numbers."""
    return [{"crm__customer_id": f"{n}", "crm__standard_info__name": f"N {n}"} for n in numbers]


def envelope(page: int, found: list[dict[str, Any]], total: object) -> dict[str, Any]:
    """A page that always has a link to another one."""
    return {"count": total, "next": f"{CUSTOMERS_PATH}?page={page + 1}", "results": found}


ENDLESS: dict[str, tuple[Callable[[int], Any], str]] = {
    "the same rows": (lambda page: envelope(page, rows(1, 2), 30), SHORT),
    "the same rows, no count": (lambda page: envelope(page, rows(1, 2), None), ""),
    "new rows": (lambda page: envelope(page, rows(2 * page, 2 * page + 1), 30), SHORT),
    "a count far too low": (
        lambda page: (
            envelope(page, rows(2 * page, 2 * page + 1), 4)
            | ({"next": None} if page >= 300 else {})
        ),
        SHORT,
    ),
    "new rows and a count that follows": (
        lambda page: envelope(page, rows(2 * page, 2 * page + 1), 2 * page + 10),
        SHORT,
    ),
    "two alternating pages": (lambda page: envelope(page, rows(page % 2), 30), SHORT),
    "two alternating pages, no count": (lambda page: envelope(page, rows(page % 2), None), ""),
    "anonymised rows in front, no count": (
        lambda page: envelope(page, [{"crm__customer_id": ""}, *rows(page % 2)], None),
        SHORT,
    ),
    "ten pages in a circle, no count": (lambda page: envelope(page, rows(page % 10), None), ""),
    "empty pages": (lambda page: envelope(page, rows(1) if page == 1 else [], 30), SHORT),
    "empty pages, no count": (lambda page: envelope(page, rows(1) if page == 1 else [], None), ""),
    "empty pages from the first": (lambda page: envelope(page, [], 30), SHORT),
}


FEW_ENDLESS = (
    "the same rows",
    "a count far too low",
    "ten pages in a circle, no count",
    "anonymised rows in front, no count",
    "empty pages, no count",
)


@pytest.mark.parametrize(
    ("name", "read_ahead"), by_turns(scaled(FEW_ENDLESS, tuple(ENDLESS)), [3, 0])
)
def test_endless_links_do_not_loop(name: str, read_ahead: int) -> None:
    """The tap stops although the server always has a next page; a short run fails."""
    page_of, words = ENDLESS[name]
    with pages(page_of) as server:
        run = read_at(server.url, max_retries=0, read_ahead=read_ahead, **only(CRM))
    assert len(server.asked) < 1500
    if words:
        assert words in complaint(run)
    else:
        assert ids(run.records[CUSTOMERS]) == _shown(page_of)


def _shown(page_of: Callable[[int], Any]) -> set[str]:
    """The ids on the pages of a server."""
    return {row["crm__customer_id"] for page in range(1, 20) for row in page_of(page)["results"]}


def test_a_server_with_new_rows_in_each_response_is_an_error() -> None:
    """No two passes agree, so the run fails."""
    numbers = count()

    def page_of(page: int) -> dict[str, Any]:
        last = page >= 5
        found = {"count": 10, "results": rows(next(numbers), next(numbers))}
        return found | {"next": None if last else f"{CUSTOMERS_PATH}?page={page + 1}"}

    with pages(page_of) as server:
        run = read_at(server.url, max_retries=0, **only(CRM))
    assert SHORT in complaint(run)
    assert len(server.asked) < 100


@pytest.mark.parametrize("counted", [0, 20, 23])
def test_a_link_that_is_not_followed_ends_no_list(counted: int) -> None:
    """Where pages are counted, the list ends with its last page, whatever the count says."""

    def page_of(page: int) -> dict[str, Any]:
        numbers = range(5 * page - 4, min(5 * page, 23) + 1)
        return {"count": counted, "results": rows(*numbers), "next": "?page=2"}

    with pages(page_of) as server:
        run = read_at(server.url, max_retries=0, **only(CRM))
    assert run.returncode == 0, run.stderr
    assert len(run.records[CUSTOMERS]) == 23
