"""Errors, pages and slashes are those of Django REST framework."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

    from .conftest import Ask

LIST = "/api/v1/data_owners/2/B2B/customers/"


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (None, "Authentication credentials were not provided."),
        ("Bearer x", "Authentication credentials were not provided."),
        ("Token wrong", "Invalid token."),
        ("Token", "Invalid token header. No credentials provided."),
        ("Token a b", "Invalid token header. Token string should not contain spaces."),
        ("Basic eDp5", "Invalid username/password."),
        ("Basic %", "Invalid basic header. Credentials not correctly base64 encoded."),
    ],
)
def test_wrong_credentials_are_401(ask: Ask, header: str | None, detail: str) -> None:
    """Each wrong credential gets the framework's status, header and message."""
    answer = ask(LIST, headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Token"
    assert answer.json() == {"detail": detail}


def test_basic_authentication_works_like_a_token(cube: Sandbox, ask: Ask) -> None:
    """User name and password give access to the same account."""
    pair = base64.b64encode(f"{cube.username}:{cube.password}".encode()).decode()
    assert ask(LIST, headers={"Authorization": f"Basic {pair}"}).status_code == 200
    assert cube.requests[-1].scheme_of_auth == "Basic"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("assignments/9", "/api/v1/assignments/9/customers/"),
        ("assignments/9", "/crm/customers?assignment_id=9"),
        ("data_owners/2/B2B", LIST),
        ("data_owners/2/B2B", "/api/v1/data_owners/2/B2B/crm_custom_fields/"),
    ],
)
def test_forbidden_sources_are_403(cube: Sandbox, ask: Ask, name: str, path: str) -> None:
    """Forbidden names get 403."""
    cube.forbidden = {name}
    answer = ask(path)
    assert answer.status_code == 403
    assert answer.json() == {"detail": "You do not have permission to perform this action."}
    assert ask("/api/v1/assignments/12/customers/").status_code == 200


@pytest.mark.parametrize("page", ["4", "0", "-1", "x", "2/"])
def test_pages_that_do_not_exist_are_404(ask: Ask, page: str) -> None:
    """Eight customers with three a page are three pages."""
    answer = ask(f"{LIST}?page={page}")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Invalid page."})


def test_pages_link_to_each_other(cube: Sandbox, ask: Ask) -> None:
    """The envelope counts all rows; unknown parameters are ignored but kept in `next`."""
    first = ask(f"{LIST}?zone=1&page_size=100").json()
    assert first["count"] == 8
    assert first["next"] == f"{cube.url}{LIST}?page=2&page_size=100&zone=1"
    assert first["previous"] is None
    second = ask(f"{LIST}?page=2").json()
    assert second["previous"] == cube.url + LIST
    last = ask(f"{LIST}?page=last").json()
    assert last["next"] is None
    assert len(last["results"]) == 2


def test_an_empty_crm_is_an_empty_page(cube: Sandbox, ask: Ask) -> None:
    """A CRM without customers is not an error."""
    cube.reset(customers=0)
    assert ask(LIST).json() == {"count": 0, "next": None, "previous": None, "results": []}


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/api/v1/assignments/1/customers/", "No Crm matches the given query."),
        ("/api/v1/data_owners/1/B2B/customers/", "No Crm matches the given query."),
        (f"{LIST}0", "No Customer matches the given query."),
    ],
)
def test_unknown_things_are_json_404(ask: Ask, path: str, detail: str) -> None:
    """An unknown CRM or customer gets the framework's error."""
    answer = ask(path)
    assert (answer.status_code, answer.json()) == (404, {"detail": detail})


@pytest.mark.parametrize(
    "path",
    ["/api/v1/nothing/", "/api/v1/campaigns/", f"{LIST}1000/", "/api/v1/sms/"],
)
def test_unknown_urls_are_html_404(ask: Ask, path: str) -> None:
    """Django responds to unknown URLs, such as wrong slashes, before it checks the credential."""
    answer = ask(path, headers={})
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("generation", "without", "path"),
    [
        ("2020", (), "/api/v1/assignments/9/customers/"),
        ("2019", (), LIST),
        ("2019", (), "/crm/customers?assignment_id=9"),
        ("all", {"C1"}, "/api/v1/campaigns"),
        ("all", {"C2"}, LIST),
        ("2019", (), "/api/v1/call_outcomes/"),
        ("2020", {"C9"}, "/api/v1/campaigns/1/call_outcomes/"),
    ],
)
def test_rows_not_served_are_unknown_urls(
    cube: Sandbox, ask: Ask, generation: str, without: set[str], path: str
) -> None:
    """A generation serves only its own URLs, without the excluded ones."""
    cube.reset(generation=generation, without=without)
    answer = ask(path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")
    assert cube.requests[-1].row is None


def test_a_missing_slash_is_redirected(ask: Ask) -> None:
    """Lists redirect to the URL with a slash and keep the query."""
    answer = ask("/api/v1/assignments/9/customers?page=2")
    assert answer.status_code == 301
    assert answer.headers["Location"] == "/api/v1/assignments/9/customers/?page=2"


def test_a_wrong_method_is_405(ask: Ask) -> None:
    """The campaigns can only be read."""
    answer = ask("/api/v1/campaigns", method="POST", body={})
    assert answer.status_code == 405
    assert answer.json() == {"detail": 'Method "POST" not allowed.'}
    assert "GET" in answer.headers["Allow"]


def test_anything_but_json_is_406(cube: Sandbox, ask: Ask) -> None:
    """JSON is the only format."""
    answer = ask(LIST, headers={"Authorization": f"Token {cube.token}", "Accept": "text/html"})
    assert answer.status_code == 406
    assert answer.json() == {"detail": "Could not satisfy the request Accept header."}


def test_the_query_of_2016_requires_an_assignment(ask: Ask) -> None:
    """S7 without `assignment_id` is a validation error."""
    answer = ask("/crm/customers")
    assert answer.status_code == 400
    assert answer.json() == {"assignment_id": ["This field is required."]}


def test_responses_are_compressed_on_demand(cube: Sandbox, ask: Ask) -> None:
    """Gzip needs both the option and a client that accepts it."""
    assert "Content-Encoding" not in ask(LIST).headers
    cube.gzip = True
    assert ask(LIST).headers["Content-Encoding"] == "gzip"
