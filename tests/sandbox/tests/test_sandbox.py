"""The sandbox's interface: edits, log, reset, several at once."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
import requests

from cube_sandbox import Account, Request, Sandbox

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Ask

S1 = "/api/v1/assignments/9/customers/"
TODAY = date(2024, 11, 5)


def everything(cube: Sandbox) -> list[object]:
    """Read the whole account."""
    headers = {"Authorization": f"Token {cube.token}"}
    paths = [
        "/api/v1/campaigns",
        S1,
        "/api/v1/data_owners/2/B2C/customers/",
        "/api/v1/data_owners/2/crm/B2B/callflow_customers/",
        "/api/v1/call_outcomes/?from_date=20180101&to_date=20241231",
        "/api/v1/campaigns/2/product_registrations/?from_date=20180101&to_date=20241231",
    ]
    return [requests.get(cube.url + path, headers=headers, timeout=60).json() for path in paths]


def test_importing_does_not_import_django() -> None:
    """The import is cheap without a sandbox."""
    code = "import sys, cube_sandbox; sys.exit('django' in sys.modules)"
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, check=False).returncode == 0  # noqa: S603 - our own command


def test_a_process_ends_without_closing_its_sandbox() -> None:
    """As pytest does that imports the SDK's test suite and runs none of it."""
    code = "from cube_sandbox import Sandbox; Sandbox(customers=1, outcomes=0).__enter__()"
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, check=False, timeout=60).returncode == 0  # noqa: S603 - our own


def test_a_seed_determines_everything(cube: Sandbox) -> None:
    """Equal seeds make equal accounts, different seeds different ones."""
    shown = []
    for seed in (7, 7, 8):
        cube.reset(seed=seed, today=TODAY, page_size=100, customers=50)
        shown.append(everything(cube))
    assert shown[0] == shown[1] != shown[2]


def test_the_default_account_is_as_documented(cube: Sandbox) -> None:
    """It has three CRMs, two of them assignments, and ids of all lengths, some with a zero."""
    cube.reset(customers=40)
    assert isinstance(cube.account, Account)
    assert cube.account.crms == [(1, "B2C"), (2, "B2B"), (2, "B2C")]
    assert cube.account.assignments == [9, 12]
    assert cube.account.campaigns == [1, 2, 8, 9]
    ids = cube.account.customer_ids(9)
    assert ids == cube.account.customer_ids((2, "B2B"))
    assert len(set(ids)) == 40
    assert {len(customer_id) for customer_id in ids} == {4, 8, 9, 10, 12}
    assert sum(customer_id.startswith("0") for customer_id in ids) == 6


def test_nobody_was_updated_in_the_future(cube: Sandbox, ask: Ask) -> None:
    """Modification dates are in the two years before the account's day."""
    cube.reset(customers=100, page_size=100, today=TODAY)
    records = ask("/api/v1/data_owners/2/B2B/customers/").json()["results"]
    days = [date.fromisoformat(record["crm__change_log__updated"]) for record in records]
    assert TODAY - timedelta(days=730) <= min(days) < max(days) <= TODAY
    assert {record["crm__standard_info__email"].partition("@")[2] for record in records} <= {
        "",
        "example.com",
        "example.org",
    }


def test_ids_of_integer_generations_have_no_zero_in_front(cube: Sandbox, ask: Ask) -> None:
    """If ids are JSON integers, the account's ids are integers too."""
    cube.reset(generation="2017", page_size=100, customers=40)
    ids = [str(record["customer_id"]) for record in ask(S1).json()["results"]]
    assert ids == cube.account.customer_ids(9)


def test_edits_show_in_the_next_response(cube: Sandbox, ask: Ask) -> None:
    """Customers are added, changed and deleted without the API, by both names of their CRM."""
    cube.today = TODAY
    field = cube.account.add_definition(9, key="Ny %", type="checkbox", max_length=5, hint="?")
    cube.account.add_customer((2, "B2B"), customer_id="05029249275", name="Å", custom={field: True})
    single = f"{S1}05029249275"
    assert ask(single).json()[f"crm__custom_info__{field}"] is True
    assert ask(single).json()["crm__change_log__updated"] == "2024-11-05"
    cube.account.update_customer(9, "05029249275", phone_1="1", updated=date(2099, 1, 1))
    assert ask(single).json()["crm__standard_info__phone_1"] == "1"
    assert ask(single).json()["crm__change_log__updated"] == "2099-01-01"
    cube.account.update_customer(9, "05029249275", email="a@example.org")
    assert ask(single).json()["crm__change_log__updated"] == "2024-11-05"
    cube.account.delete_definition(9, field)
    assert f"crm__custom_info__{field}" not in ask(single).json()
    cube.account.delete_customer(9, "05029249275")
    assert ask(single).status_code == 404


def test_many_customers_are_added_and_deleted(cube: Sandbox, ask: Ask) -> None:
    """Bulk edits change the count, and new customers have new ids."""
    added = cube.account.insert(9, 5)
    assert cube.account.customer_ids(9)[8:] == added
    cube.account.delete((2, "B2B"), added[1:])
    assert cube.account.count(9) == ask(S1).json()["count"] == 9
    campaign = cube.account.add_campaign((2, "B2C"), "Vår", start_date=TODAY)
    assert ask("/api/v1/campaigns").json()[-1]["campaign__id"] == campaign


def test_rows_slide_when_a_test_edits_between_two_pages(cube: Sandbox, ask: Ask) -> None:
    """A deletion before page 2 makes a gap, since pages are offsets (T16)."""
    first, *_ = ids = cube.account.customer_ids(9)

    def delete_first(request: Request) -> None:
        if request.page == 2:
            cube.account.delete_customer(9, first)

    cube.before_request = delete_first
    pages = [ask(f"{S1}?page={page}").json()["results"] for page in (1, 2, 3)]
    seen = [record["crm__customer_id"] for page in pages for record in page]
    assert seen == [*ids[:3], *ids[4:]]


def test_requests_are_logged_in_order(cube: Sandbox, ask: Ask) -> None:
    """The log has number, method, path, query, row and kind of credential."""
    ask(f"{S1}?page=2")
    ask("/api/v1/nothing", headers={})
    assert cube.requests == [
        Request(1, "GET", S1, "page=2", "S1", "Token"),
        Request(2, "GET", "/api/v1/nothing", "", None, None),
    ]
    cube.requests.clear()
    ask("/api/v1/campaigns")
    assert [request.number for request in cube.requests] == [3]


def test_reset_returns_to_the_constructors_options(cube: Sandbox, ask: Ask) -> None:
    """Options that are not given to `reset` get their initial values, also the credentials."""
    token = cube.token
    cube.reset(customers=2, seed=5, token="another")  # noqa: S106 - made up
    assert cube.account.count(9) == 2
    assert ask(S1).status_code == 200
    cube.reset()
    assert (cube.account.count(9), cube.seed, cube.token, cube.requests) == (8, 1, token, [])
    with pytest.raises(TypeError, match="no option customer"):
        cube.reset(customer=1)


def test_two_sandboxes_are_independent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its own port, content and credentials; nothing remains of them."""
    before = set(threading.enumerate())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Sandbox(customers=1) as one, Sandbox(customers=2, seed=2) as two:
        assert one.url != two.url
        assert (one.account.count(9), two.account.count(9)) == (1, 2)
        wrong = {"Authorization": f"Token {one.token}"}
        assert requests.get(two.url + S1, headers=wrong, timeout=60).status_code == 401
        assert len(everything(one)) == len(everything(two))
        assert len(list(tmp_path.iterdir())) == 2
    assert not list(tmp_path.iterdir())
    assert set(threading.enumerate()) <= before


def test_a_stopped_sandbox_has_no_address() -> None:
    """The address exists only while the sandbox runs; an unknown generation is an error."""
    with pytest.raises(RuntimeError, match="not running"):
        _ = Sandbox().url
    with pytest.raises(ValueError, match="no generation '1999'"):
        Sandbox(generation="1999")
