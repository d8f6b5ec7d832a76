"""Redirects are followed to the same page of the account, and nowhere else."""

from __future__ import annotations

import pytest

from tap_cube.errors import CubeError
from tap_cube.http.redirects import redirected

PATH = "/api/v1/data_owners/2/B2B/customers"
HOST = "https://acme.headshed.com"
URL = f"{HOST}{PATH}/?page=2&from_date=20240101"

SAME = (
    f"{PATH}?page=2&from_date=20240101",
    f"{PATH}/?from_date=20240101&page=2",
    f"{HOST}:443{PATH}/?page=2&from_date=20240101",
    f"HTTPS://ACME.headshed.com{PATH}?page=2&from_date=20240101",
    "?page=2&from_date=20240101",
    f"../../../3/../2/B2B/customers/{URL.partition('/customers/')[2]}",
)

OTHER_PATHS = (
    "/api/v1/data_owners/3/B2C/customers/", "/api/v1/data_owners/2/B2C/customers/",
    "/api/v2/data_owners/2/B2B/customers/", "/data_owners/2/B2B/customers/", f"/x{PATH}/",
    f"{PATH}//", f"/{PATH}/", f"{PATH}/7", f"{PATH}/.", f"{PATH}/../customers/1/",
    PATH.replace("B2B", "b2b"), PATH.replace("customers", "%63ustomers"),
    PATH.replace("/2/", "/%32/"), PATH.replace("/2/", "/02/"), PATH.replace("/", "%2f"),
    f"{PATH};x/", f"{PATH}/%20", "/accounts/login/", "/", "",
)  # fmt: skip

OTHER_HOSTS = (
    "http://acme.headshed.com", "https://acme.headshed.com:8443", "https://headshed.com",
    "https://acme.headshed.com.example.org", "https://acme.headshed.com@example.org",
    "https://user@acme.headshed.com", "https://acme.headshed.com.", "//acme.headshed.com",
    "https://example.org\\@acme.headshed.com", "ftp://acme.headshed.com",
    "https://acme.headshed.com:x", "https://[::1", "\\\\example.org",
)  # fmt: skip

OTHER_QUERIES = (
    "", "?page=2", "?page=3&from_date=20240101", "?page=2&from_date=20240101&page=3",
    "?page=2&from_date=20240101&next=", "?page=2&from_date=20240102",
    "?page=2&from_date=20240101\x00", "?page=2&from_date=20240101\u200b",
)  # fmt: skip


@pytest.mark.parametrize("location", SAME)
def test_the_same_page_is_followed(location: str) -> None:
    """The host may be spelled in another way, and a slash at the end may come or go (T17)."""
    assert redirected(URL, location, "customers").lower().startswith(HOST)


@pytest.mark.parametrize(
    "location",
    [
        *(f"{HOST}{path}?page=2&from_date=20240101" for path in OTHER_PATHS),
        *(f"{host}{PATH}/?page=2&from_date=20240101" for host in OTHER_HOSTS),
        *(f"{PATH}/{query}" for query in OTHER_QUERIES),
        "\\" + PATH, "javascript:alert(1)",
    ],
)  # fmt: skip
def test_anything_else_is_refused(location: str) -> None:
    """Rows of another resource would be stamped with this one's ids."""
    with pytest.raises(CubeError, match="redirected to another address"):
        redirected(URL, location, "customers")


@pytest.mark.parametrize("pages", [("", "?page=1"), ("?page=1", "")])
def test_the_first_page_has_two_addresses(pages: tuple[str, str]) -> None:
    """`page=1` may come or go."""
    before, after = (f"{HOST}{PATH}/{query}" for query in pages)
    assert redirected(before, after, "customers") == after
