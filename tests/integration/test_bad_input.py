"""Bad input: one sentence names setting and remedy, the run fails, and no secret is shown."""

from __future__ import annotations

import base64
import json
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault
from tests.support.in_process import run_in_process
from tests.support.runs import (
    ASSIGNED,
    CRM,
    CUSTOMERS,
    assert_no_secret,
    complaint,
    complaints,
    ids,
    only,
    settings_for,
    sync,
)

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

TOKEN = "MARKED-SECRET-token"  # noqa: S105 - invented, to be looked for in the outputs
USER = "owner@example.com"
PASSWORD = "MARKED-SECRET-password"  # noqa: S105 - invented, to be looked for in the outputs
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Case:
    """Settings that the tap must reject, options of the account, and the expected words."""

    name: str
    expected: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    account: dict[str, Any] = field(default_factory=dict)


NO_TOKEN: dict[str, Any] = {"auth_token": None}
NAMED_CRM = only(CRM)

CASES = [
    Case("no address", ("'api_url'", "missing"), {"api_url": None}),
    Case("no credential", ("'auth_token'", "'username' and 'password'"), NO_TOKEN),
    Case(
        "two credentials",
        ("'auth_token'", "'username'", "remove"),
        {"username": USER, "password": PASSWORD},
    ),
    Case("only a user name", ("'password'", "missing"), {**NO_TOKEN, "username": USER}),
    Case("only a password", ("'username'", "missing"), {**NO_TOKEN, "password": PASSWORD}),
    Case("a token of two lines", ("'auth_token'",), {"auth_token": f"{TOKEN}\nX: y"}),
    Case("an address without scheme", ("'api_url'", "https://"), {"api_url": "cube.example.org"}),
    Case("a foreign http", ("'api_url'", "https://"), {"api_url": "http://cube.example.org"}),
    Case("a path", ("'api_url'", "path"), {"api_url": "{url}/api/v1"}),
    Case(
        "a credential in the address",
        ("'api_url'", "'auth_token'"),
        {"api_url": f"http://me:{PASSWORD}@127.0.0.1:1"},
    ),
    Case("no server", ("'api_url'", "cannot be reached"), {"api_url": "{closed}"}),
    Case("a wrong token", ("'auth_token'", "401"), account={"token": "another"}),
    Case(
        "a wrong password",
        ("'username' and 'password'", "401"),
        {**NO_TOKEN, "username": USER, "password": PASSWORD},
    ),
    Case("a web page", ("'api_url'", "JSON"), account={"faults": [Fault("html")]}),
    Case(
        "an unknown CRM type",
        ("'data_owners'", '"B2B" or "B2C"'),
        {"data_owners": [{"id": 2, "crm_types": ["B2X"]}]},
    ),
    Case(
        "a CRM that does not exist",
        ("data_owners/7/B2C", "'data_owners'"),
        only((7, "B2C")),
    ),
    Case(
        "an assignment that does not exist",
        ("assignments/77", "'assignment_ids'"),
        {"assignment_ids": [77]},
    ),
    Case(
        "a named CRM that is forbidden",
        ("data_owners/2/B2B", "403", "administrator"),
        NAMED_CRM,
        {"forbidden": {"data_owners/2/B2B"}},
    ),
    Case(
        "a named assignment that is forbidden",
        ("assignments/9", "403", "administrator"),
        {"assignment_ids": [12, 9]},
        {"forbidden": {"assignments/9"}},
    ),
    Case(
        "nothing to read",
        ("Nothing to read", "'assignment_ids' or 'data_owners'"),
        account={"generation": "2017"},
    ),
    Case("not an integer", ("'read_ahead'", "0 to 16"), {"read_ahead": "many"}),
    Case("too much", ("'read_ahead'", "0 to 16"), {"read_ahead": 17}),
    Case("a broken list", ("'assignment_ids'", "[9, 12]"), {"assignment_ids": "[9,"}),
    Case("a list of words", ("'assignment_ids'", "[9, 12]"), {"assignment_ids": ["nine"]}),
    Case("an unknown zone", ("'timezone'", "Europe/Oslo"), {"timezone": "Oslo"}),
    Case("not a date", ("'start_date'", "2024-01-31"), {"start_date": "yesterday"}),
    Case("a date in the future", ("'start_date'", "future"), {"start_date": "2999-01-01"}),
    Case("an unknown naming", ("'custom_field_names'", "label"), {"custom_field_names": "nice"}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_ends_in_one_sentence(cube: Sandbox, case: Case) -> None:
    """The error names setting and remedy; no secret is shown, even at log level DEBUG."""
    cube.reset(**{"token": TOKEN, **case.account})
    settings = settings_for(cube, auth_token=TOKEN, max_retries=0) | case.settings
    if settings["api_url"]:
        settings["api_url"] = settings["api_url"].format(url=cube.url, closed=_closed())
    run = run_in_process(
        {name: value for name, value in settings.items() if value is not None},
        env={"LOGLEVEL": "DEBUG"},
    )
    sentence = complaint(run)
    for words in case.expected:
        assert words in sentence
    assert run.stdout == ""
    assert_no_secret(run, "MARKED-SECRET", BASIC)


def _closed() -> str:
    """The address of a port that no server listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def test_all_wrong_settings_are_reported_together(cube: Sandbox) -> None:
    """With two wrong settings one run reports both."""
    run = run_in_process(settings_for(cube, timezone="Oslo", read_ahead=99))
    first, second = complaints(run)
    assert "'read_ahead'" in first
    assert "'timezone'" in second
    assert not cube.requests


def test_a_forbidden_crm_that_was_discovered_is_skipped_with_a_warning(cube: Sandbox) -> None:
    """The settings do not name it, so the tap reads the rest of the account."""
    cube.reset(forbidden={"data_owners/2/B2B", "assignments/12"})
    run = sync(cube)
    warnings = [line for line in run.stderr.splitlines() if " | WARNING " in line]
    for name in ("data_owners/2/B2B", "assignments/12"):
        assert any(name in line and "403" in line for line in warnings)
    assert ids(run.records[CUSTOMERS], data_owner_id=2, crm_type="B2B") == set()
    assert len(run.records[CUSTOMERS]) == 24
    assert ids(run.records[ASSIGNED]) == set(cube.account.customer_ids(9))


def test_the_error_names_a_missing_config_file() -> None:
    """The error contains the path, and there is no traceback."""
    run = run_in_process(None, extra_args=["--config=/nowhere/config.json"])
    assert run.returncode != 0
    assert "/nowhere/config.json" in run.stderr
    assert "Traceback" not in run.stderr


def environment(cube: Sandbox, **variables: str) -> dict[str, str]:
    """Environment variables with the settings of a sandbox."""
    named = {"API_URL": cube.url, "AUTH_TOKEN": cube.token, **variables}
    return {f"TAP_CUBE_{name}": value for name, value in named.items()}


def test_settings_may_come_from_the_environment(cube: Sandbox) -> None:
    """Integers, arrays as JSON text and settings of the SDK are parsed to their types."""
    env = environment(
        cube,
        READ_AHEAD="0",
        ASSIGNMENT_IDS="[12]",
        DATA_OWNERS='[{"id": 2, "crm_types": ["B2C"]}]',
        STREAM_MAPS='{"data_owner_customers": {"crm__standard_info__name": null}}',
        FLATTENING_ENABLED="True",
        FLATTENING_MAX_DEPTH="1",
    )
    run = run_in_process(None, env=env, extra_args=["--config=ENV"])
    assert run.returncode == 0, run.stderr
    assert ids(run.records[ASSIGNED]) == set(cube.account.customer_ids(12))
    assert ids(run.records[CUSTOMERS]) == set(cube.account.customer_ids((2, "B2C")))
    columns = run.schemas[CUSTOMERS]["schema"]["properties"]
    assert "crm__standard_info__name" not in columns
    assert columns["unparsed_values"]["type"] == ["string", "null"]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"READ_AHEAD": "many"}, "'read_ahead' must be an integer"),
        ({"ASSIGNMENT_IDS": "[9"}, "'assignment_ids' must be a list of integers"),
        ({"DATA_OWNERS": '{"id": 2}'}, "'data_owners' must be a list"),
    ],
)
def test_bad_settings_in_the_environment_are_rejected(
    cube: Sandbox, variables: dict[str, str], expected: str
) -> None:
    """The error names the setting of a variable that cannot be parsed."""
    env = environment(cube, **variables)
    run = run_in_process(None, env=env, extra_args=["--config=ENV"])
    assert expected in complaint(run)
    assert_no_secret(run, cube.token)


def test_arrays_may_be_json_text_in_the_config(cube: Sandbox) -> None:
    """A templated config file can contain an array as text."""
    owners = json.dumps(only(CRM)["data_owners"])
    run = sync(cube, assignment_ids="[9]", data_owners=owners)
    assert ids(run.records[ASSIGNED]) == ids(run.records[CUSTOMERS])
    assert ids(run.records[CUSTOMERS]) == set(cube.account.customer_ids(CRM))
