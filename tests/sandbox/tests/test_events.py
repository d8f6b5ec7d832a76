"""C5 to C11: call states, outcomes and registrations, their dates and later edits."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from cube_sandbox import Traps

from .conftest import TODAY, results

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

    from .conftest import Ask

B2B = "/api/v1/data_owners/2/crm/B2B"
EVER = "from_date=20150101&to_date=20241231"
TIMESTAMP = "call_outcome__report_as__submitted_when_timestamp"


@pytest.mark.parametrize("path", ["call_outcomes", "product_registrations"])
@pytest.mark.parametrize(
    ("query", "days"),
    [
        ("", [5]),
        ("from_date=20241101", [5]),
        ("to_date=20241103", [5]),
        ("from_date=&to_date=20241103", [5]),
        ("from_date=20241103&to_date=20241104", [3, 4]),
        ("to_date=20241104&from_date=20241104", [4]),
        ("from_date=20241104&to_date=20241103", []),
    ],
)
def test_both_dates_or_today_only(
    empty: Sandbox, ask: Ask, path: str, query: str, days: list[int]
) -> None:
    """Bounds are included; without one of them only today's events are returned (T20, T21)."""
    for day in (3, 4, 5):
        when = datetime(2024, 11, day, 12, tzinfo=UTC)
        empty.account.add_outcome(2, when=when, comment=str(day), product="MPA")
    for place in (B2B, "/api/v1/campaigns/2"):
        rows = results(ask, f"{place}/{path}/?{query}")
        assert [int(row["call_outcome__comment"]) for row in rows] == days


@pytest.mark.parametrize("query", ["from_date=2024-11-01", "to_date=igår"])
def test_a_malformed_date_is_400(ask: Ask, query: str) -> None:
    """A date in another format gets the framework's error."""
    answer = ask(f"/api/v1/call_outcomes/?{query}")
    assert answer.status_code == 400
    assert answer.json() == {
        query.partition("=")[0]: [
            "Date has wrong format. Use one of these formats instead: YYYYMMDD."
        ]
    }


@pytest.mark.parametrize(
    ("moment", "day", "minute"),
    [
        ("2024-12-31T22:59:59.999", "20241231", "2024-12-31 23:59"),
        ("2024-12-31T23:00:00", "20250101", "2025-01-01 00:00"),
        ("2024-03-30T23:00:00", "20240331", "2024-03-31 00:00"),
        ("2024-03-31T21:59:59", "20240331", "2024-03-31 23:59"),
        ("2024-03-31T22:00:00", "20240401", "2024-04-01 00:00"),
        ("2024-10-26T22:00:00", "20241027", "2024-10-27 00:00"),
        ("2024-10-27T00:30:00", "20241027", "2024-10-27 02:30"),
        ("2024-10-27T01:30:00", "20241027", "2024-10-27 02:30"),
        ("2024-10-27T22:59:59", "20241027", "2024-10-27 23:59"),
    ],
)
def test_days_are_local(empty: Sandbox, ask: Ask, moment: str, day: str, minute: str) -> None:
    """Days begin and end at Norwegian midnight, also in December and when clocks change."""
    empty.account.add_outcome(9, when=datetime.fromisoformat(moment).replace(tzinfo=UTC))
    query = f"from_date={day}&to_date={day}"
    (outcome,) = results(ask, f"/api/v1/campaigns/9/call_outcomes/?{query}")
    assert outcome["call_outcome__report_as__submitted_when"] == minute


def test_pages_keep_their_dates(cube: Sandbox, ask: Ask) -> None:
    """`next` keeps the dates, around the page (T9), and the pages have every row once."""
    cube.reset(outcomes=0, today=TODAY)
    cube.account.add_outcomes(2, 7, date(2024, 1, 1), date(2024, 3, 1))
    page = ask("/api/v1/campaigns/2/call_outcomes/?to_date=20240301&from_date=20240101").json()
    rows = page["results"]
    assert page["next"].endswith("/call_outcomes/?from_date=20240101&page=2&to_date=20240301")
    while page["next"]:
        page = ask(page["next"].removeprefix(cube.url)).json()
        rows += page["results"]
    assert len({row[TIMESTAMP] for row in rows}) == len(rows) == cube.account.outcome_count(2) == 7
    logged = [(request.row, request.page) for request in cube.requests]
    assert logged == [("C9", 1), ("C9", 2), ("C9", 3)]
    assert cube.requests[0].query == "to_date=20240301&from_date=20240101"


def test_newest_first_is_a_trap(empty: Sandbox, ask: Ask) -> None:
    """Events are in the order of entry, or the newest first (T16)."""
    for day in (2, 1, 3):
        when = datetime(2024, 11, day, 12, tzinfo=UTC)
        empty.account.add_outcome(2, when=when, comment=str(day), product="MPA")
    for newest_first, order in ((False, "213"), (True, "321")):
        empty.traps = Traps(newest_first=newest_first)
        for path in ("call_outcomes", "product_registrations"):
            rows = results(ask, f"{B2B}/{path}/?{EVER}")
            assert "".join(row["call_outcome__comment"] for row in rows) == order


def test_call_state_is_an_exact_name(empty: Sandbox, ask: Ask) -> None:
    """C6 filters by the exact name of a state; a customer has one state in each campaign."""
    path = "/api/v1/campaigns/8/callflow_customers/"
    first, second, *_ = empty.account.customer_ids((2, "B2B"))
    empty.account.set_call_state(8, first, state="Ready")
    empty.account.set_call_state(8, first, state="Completed - Yes")
    empty.account.set_call_state(8, second, state="Completed - Yes - Sale")
    (record,) = results(ask, f"{path}?call_state=Completed+-+Yes")
    assert record["crm__customer_id"] == first
    assert results(ask, f"{path}?call_state=completed") == []
    assert len(results(ask, path)) == empty.account.call_state_count(8) == 2
    assert len(results(ask, f"{B2B}/callflow_customers/?call_state=Ready")) == 2


def test_outcomes_are_reassigned(empty: Sandbox, ask: Ask) -> None:
    """A re-assigned outcome shows only the new agent, and can be deleted with its products."""
    outcome = empty.account.add_outcome(2, product="MPA")
    empty.account.register(outcome, "MPC", 500)
    later = datetime(2024, 11, 1, 8, tzinfo=UTC)
    empty.account.reassign(outcome, by="ny@example.com", team="Nord", when=later)
    (row,) = results(ask, "/api/v1/call_outcomes/?from_date=20241101&to_date=20241101")
    assert row["call_outcome__report_as__submitted_by"] == "ny@example.com"
    assert row["call_outcome__report_as__submitted_in_team"] == "Nord"
    products = results(ask, f"{B2B}/product_registrations/?{EVER}")
    assert [product["product__price"] for product in products] == [149.5, 500]
    empty.account.delete_outcomes([outcome])
    assert empty.account.outcome_count() == empty.account.registration_count() == 0


def test_outcomes_are_corrected(empty: Sandbox, ask: Ask) -> None:
    """The outcome and its registrations show the new type or subtype."""
    outcome = empty.account.add_outcome(2, type="Sale", product="MPA")
    empty.account.correct(outcome, subtype="Sale by mail")
    for path in (f"{B2B}/call_outcomes/", f"{B2B}/product_registrations/"):
        (row,) = results(ask, f"{path}?{EVER}")
        assert row["call_outcome__type"] == "Sale"
        assert row["call_outcome__subtype"] == "Sale by mail"
    empty.account.correct(outcome, type="Complaint")
    (row,) = results(ask, f"{B2B}/call_outcomes/?{EVER}")
    assert (row["call_outcome__type"], row["call_outcome__subtype"]) == (
        "Complaint",
        "Sale by mail",
    )


def test_events_of_a_deleted_customer_are_deleted(empty: Sandbox) -> None:
    """The API returns no events of a deleted customer."""
    customer = empty.account.customer_ids((2, "B2B"))[0]
    empty.account.add_outcome(2, customer, product="MPA")
    empty.account.set_call_state(2, customer, state="Sale")
    empty.account.delete_customer((2, "B2B"), customer)
    account = empty.account
    counts = (account.outcome_count(), account.registration_count(), account.call_state_count())
    assert counts == (0, 0, 0)


@pytest.mark.parametrize(
    ("forbidden", "path", "allowed"),
    [
        ("campaigns/8", "/api/v1/campaigns/8/call_outcomes/", "/api/v1/campaigns/2/call_outcomes/"),
        ("data_owners/2/B2B", f"{B2B}/callflow_customers/", "/api/v1/campaigns/2/call_outcomes/"),
        ("campaigns", "/api/v1/campaigns", "/api/v1/campaigns/2/callflow_customers/"),
        ("call_outcomes", "/api/v1/call_outcomes/", f"{B2B}/call_outcomes/"),
    ],
)
def test_parts_can_be_forbidden(
    cube: Sandbox, ask: Ask, forbidden: str, path: str, allowed: str
) -> None:
    """A campaign, a CRM, the list of campaigns and all outcomes can respond with 403."""
    cube.forbidden = {forbidden}
    assert ask(path).status_code == 403
    assert ask(allowed).status_code == 200


@pytest.mark.parametrize("path", ["campaigns/3", "data_owners/1/crm/B2B"])
def test_unknown_places_are_404(ask: Ask, path: str) -> None:
    """Events of an unknown campaign or CRM get 404."""
    for events in ("callflow_customers", "call_outcomes", "product_registrations"):
        assert ask(f"/api/v1/{path}/{events}/").status_code == 404


def test_a_new_account_has_events(cube: Sandbox, ask: Ask) -> None:
    """Every campaign has events of 90 days, up to today or to the day when it was archived."""
    cube.reset(today=TODAY, page_size=1000, customers=40)
    assert {cube.account.outcome_count(campaign) for campaign in cube.account.campaigns} == {60}
    assert cube.account.registration_count() > 0
    assert len(results(ask, "/api/v1/call_outcomes/")) == 9
    archived = results(ask, f"/api/v1/campaigns/8/call_outcomes/?{EVER}")
    days = [row["call_outcome__report_as__submitted_when"][:10] for row in archived]
    assert "2019-11-01" <= min(days) < max(days) < "2020-01-30"
    states = results(ask, "/api/v1/campaigns/1/callflow_customers/")
    assert len(states) == cube.account.call_state_count(1) == 20


def test_an_account_can_have_500_campaigns(cube: Sandbox, ask: Ask) -> None:
    """The number of campaigns is as requested; they are spread over the CRMs and have events."""
    cube.reset(campaigns=500, outcomes=2)
    campaigns = ask("/api/v1/campaigns").json()
    assert len({campaign["campaign__id"] for campaign in campaigns}) == 500
    assert len({campaign["campaign__name"] for campaign in campaigns}) == 500
    assert cube.account.outcome_count() == 1000
    assert len(results(ask, f"/api/v1/campaigns/{cube.account.campaigns[-1]}/call_outcomes/")) == 1


def test_campaigns_are_archived_and_renamed(cube: Sandbox, ask: Ask) -> None:
    """The list of campaigns shows when a campaign was archived; its events show its new name."""
    cube.reset(today=TODAY)
    cube.account.archive(2)
    cube.account.rename(2, "Mersalg")
    campaign = ask("/api/v1/campaigns").json()[1]
    assert campaign["campaign__name"] == "Mersalg"
    assert campaign["campaign__archived_date"] == "2024-11-05"
    rows = ask(f"/api/v1/campaigns/2/call_outcomes/?{EVER}").json()["results"]
    assert {row["campaign__name"] for row in rows} == {"Mersalg"}


def test_many_events_are_added_at_once(empty: Sandbox) -> None:
    """Benchmarks fill campaigns without a request for each row."""
    empty.account.add_outcomes(2, 5000, date(2023, 1, 1), date(2024, 12, 31))
    empty.account.add_call_states(2, 5, date(2023, 1, 1), date(2024, 12, 31))
    assert empty.account.outcome_count(2) == 5000
    assert empty.account.call_state_count(2) == 5
    assert 400 < empty.account.registration_count(2) < 900
