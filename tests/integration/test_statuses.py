"""Statuses other than 200: which are retried, when, and what the last sentence says.

A status that says "not now" is retried always; any other one when it contradicts what the run has
seen: a 403, 404 or log-in page for a list that answered before.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from tenacity import wait_fixed

from tap_cube.errors import CubeError
from tap_cube.http.client import CubeClient
from tap_cube.http.exchange import RequestLabel
from tap_cube.settings import Settings
from tests.support.runs import CRM, CUSTOMERS, complaint, ids, only, read_at
from tests.support.sizes import by_turns
from tests.support.strange_server import CUSTOMERS_PATH, PagesServer, Reply, serving

if TYPE_CHECKING:
    from tests.support.tap_process import TapRun

PAGES = 3
LOGIN = {"Location": "/accounts/login/?next=/"}
HTML = b"<!doctype html><title>Log in</title>"

NOT_NOW = [408, 420, 425, 429, 499, 500, 509, 529, 999]
CONTRADICTIONS = [202, 302, 403, 203, 404, 405, 410, 400, 451, 418]

DISCOVERY, FIRST, LATER = "discovery", "page 1", "page 2"


class Account(PagesServer):
    """Three pages of customers, and in one place some other responses first."""

    def __init__(self, place: str, *replies: Reply) -> None:
        """Keep the replies of one place."""
        super().__init__(self.page)
        self.replies = [*replies]
        # Page 1 is requested in discovery, and again in the sync.
        self.place = {DISCOVERY: (1, 1), FIRST: (1, 2), LATER: (2, 1)}[place]
        self.times: Counter[int] = Counter()

    def page(self, number: int) -> Any:  # noqa: ANN401 - JSON or a reply
        """The next reply if this is its place, or the page."""
        self.times[number] += 1
        page, since = self.place
        if number == page and self.times[number] >= since and self.replies:
            return self.replies.pop(0)
        following = f"{self.url}{CUSTOMERS_PATH}?page={number + 1}" if number < PAGES else None
        rows = [{"crm__customer_id": str(10 * number + place)} for place in range(2)]
        return {"count": 2 * PAGES, "next": following, "results": rows}


def read(place: str, *replies: Reply, **settings: object) -> tuple[TapRun, int]:
    """Read an account; return the run and how many of the replies it met."""
    with serving(Account(place, *replies)) as server:
        run = read_at(server.url, read_ahead=0, **{"max_retries": 2, **only(CRM), **settings})
        return run, len(replies) - len(server.replies)


def reply(status: int) -> Reply:
    """A response with this status, such as a challenge or a log-in page."""
    return Reply(status, LOGIN if status == 302 else {}, HTML)


@pytest.mark.parametrize("status", NOT_NOW)
def test_a_status_that_says_not_now_is_retried_even_at_first(status: int) -> None:
    """The run is complete; if the status stays, the sentence names it and a remedy."""
    run, _ = read(DISCOVERY, reply(status))
    assert run.returncode == 0, run.stderr
    assert len(ids(run.records[CUSTOMERS])) == 2 * PAGES
    run, met = read(DISCOVERY, *[reply(status)] * 4)
    assert met == 3
    assert f"page 1: HTTP {status} after 3 attempts. Run again later" in complaint(run)


@pytest.mark.parametrize(("status", "place"), by_turns(CONTRADICTIONS, [FIRST, LATER]))
def test_a_status_that_contradicts_an_earlier_answer_is_retried(status: int, place: str) -> None:
    """A challenge, a log-in page or a right lost for a moment costs no row."""
    run, _ = read(place, reply(status))
    assert run.returncode == 0, run.stderr
    assert len(ids(run.records[CUSTOMERS])) == 2 * PAGES


@pytest.mark.parametrize(
    ("status", "reason", "remedy"),
    [
        (202, "HTTP 202 (it answered before)", "check 'api_url', and that the firewall admits"),
        (302, "redirected to another address", "check 'api_url'"),
        (403, "HTTP 403 (it answered before)", "ask the account's administrator"),
        (404, "HTTP 404 (it answered before)", "check id and 'api_url'"),
    ],
)
def test_a_contradiction_that_stays_ends_the_run(status: int, reason: str, remedy: str) -> None:
    """The list is not skipped like one that never answered."""
    run, met = read(FIRST, *[reply(status)] * 4)
    assert met == 3
    assert complaint(run).startswith(
        f"{CUSTOMERS} of data_owners/2/B2B, page 1: {reason} after 3 attempts. "
        f"Run again later; if it persists, {remedy}"
    )


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (202, "HTTP 202, a firewall or another service may have answered. Check 'api_url'"),
        (302, "redirected to another address"),
        (400, "HTTP 400, unexpected status. Check 'api_url'"),
        (401, "HTTP 401, the account refuses the credential. Check 'auth_token'"),
        (403, "HTTP 403, the credential may not see it. Ask the account's administrator"),
        (405, "the account has no data_owners/2/B2B"),
        (418, "HTTP 418, unexpected status. Check 'api_url'"),
    ],
)
def test_at_first_such_a_status_is_an_error_at_once(status: int, words: str) -> None:
    """Nothing says that it may pass."""
    run, met = read(DISCOVERY, *[reply(status)] * 3)
    assert words in complaint(run)
    assert met == 1


@pytest.mark.parametrize("place", [FIRST, LATER])
def test_a_refused_credential_is_an_error_at_once_at_any_time(place: str) -> None:
    """It may have been revoked, and more attempts could lock the user out."""
    run, met = read(place, *[reply(401)] * 3)
    assert "HTTP 401" in complaint(run)
    assert met == 1


@pytest.mark.parametrize("status", [404, 410])
def test_a_later_page_that_is_gone_is_not_waited_for(status: int) -> None:
    """The list may have become shorter, so all pages are read once more."""
    run, met = read(LATER, reply(status), max_retries=0)
    assert met == 1
    assert run.returncode == 0, run.stderr
    assert len(ids(run.records[CUSTOMERS])) == 2 * PAGES


@pytest.mark.parametrize(
    "value",
    ["0", "-5", "soon", "", "9" * 5000, "Sun, 06 Nov 1994 08:49:37 GMT",
     "Sat, 01 Jan 99999999999 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -2359"],
)  # fmt: skip
def test_no_retry_after_makes_the_wait_shorter(
    value: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The growing wait holds at least, whatever the header says."""
    caplog.set_level(logging.WARNING)
    with serving(PagesServer(lambda _: Reply(503, {"Retry-After": value}))) as server:
        settings = Settings.from_config(
            {"api_url": server.url, "auth_token": "t", "max_retries": 1}
        )
        client = CubeClient(settings, logging.getLogger("tap-cube.test"), wait=wait_fixed(0.1))
        with pytest.raises(CubeError, match="HTTP 503 after 2 attempts"):
            client.get(CUSTOMERS_PATH, RequestLabel(CUSTOMERS, ""), bytes)
    assert [record.getMessage() for record in caplog.records] == [
        f"{CUSTOMERS}, page 1: HTTP 503; retrying in 0.1 seconds (1 of 1)"
    ]
