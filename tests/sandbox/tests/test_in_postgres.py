"""An account that PostgreSQL keeps instead of SQLite."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests

from cube_sandbox import Sandbox, Traps
from cube_sandbox.postgres import Postgres, postgres

from .conftest import TODAY, posix_only

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = posix_only
CRM = (2, "B2B")
NOON = datetime(2024, 11, 5, 12, tzinfo=UTC)
CUSTOMERS = "/api/v1/data_owners/2/B2B/customers/"
OUTCOMES = "/api/v1/call_outcomes/?from_date=20180101&to_date=20241231"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A PostgreSQL server."""
    with postgres() as running:
        yield running


def pages(cube: Sandbox, path: str) -> Iterator[dict[str, Any]]:
    """Read the pages of a list by following `next`."""
    link: str | None = cube.url + path
    while link:
        headers = {"Authorization": f"Token {cube.token}"}
        page: dict[str, Any] = requests.get(link, headers=headers, timeout=60).json()
        yield page
        link = page["next"]


def test_the_account_is_the_same_as_in_sqlite(server: Postgres) -> None:
    """Content, edits and a reset show the same."""
    shown = []
    for chosen in (None, server):
        with Sandbox(customers=30, undated=2, today=TODAY, postgres=chosen) as cube:
            cube.reset(customers=8)
            campaign = cube.account.add_campaign(CRM, "Vår")
            customer = cube.account.add_customer(CRM)
            cube.account.add_outcome(campaign, customer, when=NOON, product="MPA")
            answers = [
                page["results"] for path in (CUSTOMERS, OUTCOMES) for page in pages(cube, path)
            ]
            shown.append((campaign, customer, answers))
    assert shown[0] == shown[1]


def test_an_order_by_a_value_that_many_share_loses_rows(server: Postgres) -> None:
    """PostgreSQL sorts customers of one day anew for each page; by their number they all come."""
    options: dict[str, Any] = {"customers": 600, "outcomes": 0, "changed_within": 6}
    with Sandbox(page_size=100, today=TODAY, postgres=server, **options) as cube:
        everybody = cube.account.customer_ids(CRM)
        for traps, is_complete in ((Traps(), True), (Traps(order_by="-updated"), False)):
            cube.traps = traps
            read = [*pages(cube, CUSTOMERS)]
            rows = [row for page in read for row in page["results"]]
            days = [row["crm__change_log__updated"] for row in rows]
            assert len(set(days)) == 6
            assert (days == sorted(days, reverse=True)) is not is_complete
            assert {page["count"] for page in read} == {len(rows)} == {600}
            assert ({row["crm__customer_id"] for row in rows} == {*everybody}) is is_complete
