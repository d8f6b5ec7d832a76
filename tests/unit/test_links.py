"""Only a link to the next page of the same resource is followed."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tap_cube.paging.links import MAX_LINK_LENGTH, leads_to, with_page

HOST = "https://acme.headshed.com"
CUSTOMERS = "/api/v1/data_owners/2/B2C/customers/"
ASSIGNMENT = "/api/v1/assignments/9/customers/"
DATES = "from_date=20190101&to_date=20190331"
OUTCOMES = f"/api/v1/campaigns/926/call_outcomes/?{DATES}"
RESPONSES = "/api/v1/campaigns/8/responses/?from_date=20160924&to_date=20180401"


@pytest.mark.parametrize(
    ("link", "first", "is_followed"),
    [
        # T1, T2, T3: scheme and host are ignored
        (f"http://acme.headshed.com{CUSTOMERS}?page=2", CUSTOMERS, True),
        (f"https://YOURDOMAIN.cube4sales.com{CUSTOMERS}?page=2", CUSTOMERS, True),
        (f"//evil.example{CUSTOMERS}?page=2", CUSTOMERS, True),
        (f"http://10.0.0.1:8080{CUSTOMERS}?page=2", CUSTOMERS, True),
        (f"https://user:secret@evil.example{CUSTOMERS}?page=2", CUSTOMERS, True),
        (f"javascript://%0aalert(1){CUSTOMERS}?page=2", CUSTOMERS, True),
        (f"{CUSTOMERS}?page=2", CUSTOMERS, True),
        # T4: without a page
        (f"https://acme.headshed.com{CUSTOMERS}", CUSTOMERS, False),
        (f"https://acme.headshed.com{OUTCOMES}", OUTCOMES, False),
        # T5: another endpoint
        (f"{HOST}/api/v1/campaigns/926/product_registrations/?{DATES}&page=2", OUTCOMES, False),
        (f"{HOST}/api/v1/data_owners/2/B2C/call_outcomes/?{DATES}&page=2", OUTCOMES, False),
        # T6: another id or type
        ("https://demo.cube4sales.com/api/v1/assignments/1/customers/?page=2", ASSIGNMENT, False),
        (f"{HOST}/api/v1/data_owners/2/B2B/customers/?page=2", CUSTOMERS, False),
        # T7: a second question mark
        (f"{HOST}/api/v1/campaigns/8/responses/?from_date=20160924/?page=2", RESPONSES, False),
        (f"{HOST}{RESPONSES}/?page=2", RESPONSES, False),
        (f"{HOST}/api/v1/campaigns/8/responses/?from_date=20160924%2F%3Fpage%3D2&page=2",
         RESPONSES, False),
        # T8: no question mark, and a cut date
        (f"{HOST}/api/v1/campaigns/926/call_outcomes/from_date=20190101&page=2&to_date=2019033",
         OUTCOMES, False),
        (f"{HOST}/api/v1/campaigns/926/call_outcomes/?from_date=20190101&page=2&to_date=2019033",
         OUTCOMES, False),
        # T9: the page in the middle
        (f"{HOST}/api/v1/campaigns/926/call_outcomes/?from_date=20190101&page=2&to_date=20190331",
         OUTCOMES, True),
        # T10: the page after a path with dates
        (f"{HOST}/api/v1/campaigns/8/responses/from_date/20160924/?page=2", RESPONSES, False),
        # T11: no slash before the query
        (f"{HOST}/api/v1/campaigns/8/responses?from_date=20160924&to_date=20180401&page=2",
         RESPONSES, False),
    ],
)  # fmt: skip
def test_documented_links(link: str, first: str, *, is_followed: bool) -> None:
    """Each kind of documented link is followed on the account's own host, or not at all."""
    assert leads_to(link, first, 2) is is_followed


HOSTILE = [
    None, True, 2, 2.0, [f"{CUSTOMERS}?page=2"], {"href": f"{CUSTOMERS}?page=2"}, b"x",
    "", "?", "?page=2", "#", "page=2", "/", "//", "http://", "http://[", "http://[::1/?page=2",
    f"\\\\evil.example{CUSTOMERS}?page=2",
    f"https:\\\\evil.example{CUSTOMERS}?page=2",
    f"{CUSTOMERS}\\?page=2",
    f"{CUSTOMERS}../customers/?page=2",
    "/api/v1/data_owners/2/B2C/x/../customers/?page=2",
    "/api/v1/data_owners/2/B2C/%2e%2e/B2C/customers/?page=2",
    "/api/v1/data_owners/2/B2C%2Fcustomers/?page=2",
    "/api/v1/data_owners/2//B2C/customers/?page=2",
    "/api/v1/data_owners/2/B2C/customers/;x=1?page=2",
    "/api/v1/data_owners/2/b2c/customers/?page=2",
    f"/{CUSTOMERS}?page=2",
    f"x{CUSTOMERS}?page=2",
    f"javascript:alert(1)//{CUSTOMERS}?page=2",
    f"data:text/html,{CUSTOMERS}?page=2",
    f"{CUSTOMERS}?page=0", f"{CUSTOMERS}?page=1", f"{CUSTOMERS}?page=3", f"{CUSTOMERS}?page=-2",
    f"{CUSTOMERS}?page=02", f"{CUSTOMERS}?page=+2", f"{CUSTOMERS}?page=2.0",
    f"{CUSTOMERS}?page=", f"{CUSTOMERS}?page", f"{CUSTOMERS}?page=last", f"{CUSTOMERS}?PAGE=2",
    f"{CUSTOMERS}?page=\uff12", f"{CUSTOMERS}?page=%EF%BC%92", f"{CUSTOMERS}?page=2%00",
    f"{CUSTOMERS}?page=2&page=2", f"{CUSTOMERS}?page=1&page=2", f"{CUSTOMERS}?page=2&page=3",
    f"{CUSTOMERS}?page=2&page=", f"{CUSTOMERS}?page=2;page=3", f"{CUSTOMERS}?page=2;x",
    f"{CUSTOMERS}?page%3D2", f"{CUSTOMERS}%3Fpage=2", f"{CUSTOMERS}?page=2%26x=1",
    f"{CUSTOMERS}#?page=2", f"{CUSTOMERS}?x=1#page=2",
    f"{CUSTOMERS}?page=2&x", f"{CUSTOMERS}?page=2&&x=1",
    f"{CUSTOMERS}?page=2\x00", f"{CUSTOMERS}?page=2\n", f"\n{CUSTOMERS}?page=2",
    f"{CUSTOMERS}?page=2\r\nHost: evil.example", f"{CUSTOMERS}?page=2\t", f" {CUSTOMERS}?page=2",
    f"{CUSTOMERS}?page=2 ", f"{CUSTOMERS}?page=2\u2028", f"{CUSTOMERS}?page=2\ud800",
    f"{CUSTOMERS}?page=2&x=\u00e5",
    f"{CUSTOMERS}?page=2&x={'y' * MAX_LINK_LENGTH}", "y" * 2**20,
    f"{CUSTOMERS}?page=2" + "&" * 2**20,
]  # fmt: skip


@pytest.mark.parametrize("link", [pytest.param(link, id=ascii(link)[:80]) for link in HOSTILE])
def test_hostile_links_are_not_followed(link: object) -> None:
    """Anything else that a server could send is ignored without an error."""
    assert not leads_to(link, CUSTOMERS, 2)


@pytest.mark.parametrize(
    "query",
    [
        "from_date=20190101&to_date=20190331&to_date=20190102&page=2",
        "to_date=20190331&from_date=20190101&page=2&from_date=20190331",
        "from_date=20190101&page=2",
        "from_date=20190101&to_date=&page=2",
    ],
)
def test_links_with_other_dates_are_not_followed(query: str) -> None:
    """Django uses the last of a repeated parameter, so a repeated date requests other rows."""
    assert not leads_to(OUTCOMES.partition("?")[0] + "?" + query, OUTCOMES, 2)


@pytest.mark.parametrize(
    ("target", "number", "expected"),
    [
        (CUSTOMERS, 2, f"{CUSTOMERS}?page=2"),
        (f"{CUSTOMERS}?page=2", 3, f"{CUSTOMERS}?page=3"),
        ("/crm/customers?assignment_id=9", 2, "/crm/customers?assignment_id=9&page=2"),
        ("/c/?page=2&call_state=A%20-%20B", 3, "/c/?call_state=A+-+B&page=3"),
    ],
)
def test_with_page_changes_only_the_page(target: str, number: int, expected: str) -> None:
    """The other parameters of the URL stay."""
    assert with_page(target, number) == expected


pieces = st.sampled_from(
    ["https:", "//", "evil.example", "/", "\\", "@", ":80", CUSTOMERS, CUSTOMERS[1:], "?", "&",
     "page=2", "page=3", "page", "=", "%32", "%2e%2e", "..", ";", "#", "x=1", " ", "\x00", "2"]
)  # fmt: skip
links = st.text() | st.lists(pieces, max_size=9).map("".join)


@given(links | links.map(lambda text: f"{CUSTOMERS}?page=2{text}"), st.integers(2, 3))
@example(f"{CUSTOMERS}?%70age=%32", 2)
@example(f"{CUSTOMERS}?page=2#@evil.example", 2)
def test_only_a_link_to_exactly_that_page_is_followed(link: str, number: int) -> None:
    """A followed link has the resource's path and requests that page and nothing else."""
    if leads_to(link, CUSTOMERS, number):
        url = urlsplit(link)
        assert url.path == CUSTOMERS
        assert parse_qs(url.query, keep_blank_values=True) == {"page": [str(number)]}


@given(st.integers(2, 10**9), st.sampled_from([CUSTOMERS, ASSIGNMENT, OUTCOMES, RESPONSES]))
def test_a_correct_link_is_followed(number: int, first: str) -> None:
    """The tap follows a link to the URL that it would build itself."""
    target = with_page(first, number)
    assert leads_to(f"http://other.example{target}", first, number)
    assert not leads_to(target, first, number + 1)
