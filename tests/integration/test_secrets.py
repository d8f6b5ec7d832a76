"""No failure shows a credential or a customer, at any log level."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault, Traps
from tests.support.in_process import run_in_process
from tests.support.runs import CRM, only, settings_for
from tests.support.sizes import scaled

if TYPE_CHECKING:
    from cube_sandbox import Sandbox
    from tests.support.tap_process import TapRun

TOKEN = "MARKEDtoken7f3c"  # noqa: S105 - invented, to be looked for in the outputs
USER = "markeduser@example.com"
PASSWORD = "MARKEDpassword9b1d"  # noqa: S105 - invented, to be looked for in the outputs
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
CREDENTIALS = (TOKEN, PASSWORD, BASIC)
PERSON: dict[str, Any] = {
    "name": "Markedperson Testesen",
    "phone_1": "99887766",
    "email": "markedperson@example.org",
    "customer_id": "555000111",
}
RECORD = '{"type":"RECORD",'
DEBUG = {"LOGLEVEL": "DEBUG", "TAP_CUBE_LOGLEVEL": "DEBUG"}
BODY = '{"detail": "Markedperson Testesen, 99887766, markedperson@example.org, 555000111"}'


@dataclass(frozen=True, slots=True)
class Case:
    """One failure: faults of the account, settings, arguments or state."""

    name: str
    faults: list[Fault] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    traps: Traps = field(default_factory=Traps)
    args: tuple[str, ...] = ()
    state: dict[str, Any] | None = None
    account: dict[str, Any] = field(default_factory=dict)
    succeeds: bool = False


def fault(kind: Any, **options: Any) -> list[Fault]:  # noqa: ANN401 - a kind and its options
    """A fault on the last page of customers."""
    return [Fault(kind, row="C2", page=3, **options)]


def elsewhere(row: str, page: int) -> list[Case]:
    """Other requests whose failures contain a person."""
    kinds: list[tuple[Any, dict[str, Any]]] = [
        ("500", {"body": BODY}),
        ("not-json", {"body": BODY}),
        ("redirect", {"location": f"http://x.example.org/?{TOKEN}&phone=99887766"}),
    ]
    account = {"without": (), "outcomes": 60} if row == "C9" else {}
    return [
        Case(f"{kind} at {row}", [Fault(kind, row=row, page=page, **options)], account=account)
        for kind, options in kinds
    ]


def with_body(body: str) -> list[Fault]:
    """A fault that replaces the body of the last page."""
    return fault("not-json", body=body)


def page_of(row: str) -> str:
    """An envelope with one row."""
    return f'{{"count": 12, "next": null, "previous": null, "results": [{row}]}}'


NAMELESS = f'{{"crm__customer_id": {{"Markedperson Testesen": 99887766}}, "x": {BODY}}}'
FAULTS = [
    Case(str(kind), fault(kind))
    for kind in (
        "401", "429", "500", "stall", "html",
        *scaled((), ("400", "403", "404", "502", "503", "504", "refuse", "reset", "truncate",
                     "truncate-gzip", "endless", "redirect", "not-json", "not-envelope",
                     "results-not-list", "empty-list")),
    )
]  # fmt: skip
CASES = [
    *FAULTS,
    *elsewhere("C2", 1),
    *elsewhere("C4", 1),
    *elsewhere("C9", 2),
    *(
        Case(f"{kind} on the only page", [Fault(kind, row="C2")], account={"page_size": 25})
        for kind in ("truncate", "reset")
    ),
    *(Case(f"{kind} with a person", fault(kind, body=BODY)) for kind in ("400", "401", "500")),
    Case("a person instead of a page", with_body(BODY)),
    Case("a person cut short", with_body(BODY[:-9])),
    Case("a person as page", with_body(f"[{BODY[:-1]}, 1e999}}]")),
    Case("a person of wrong types", with_body(page_of(NAMELESS))),
    Case("a person as text", with_body(page_of(f'"{PERSON["name"]}"'))),
    Case(
        "a redirect with a person",
        fault("redirect", location=f"http://x.example.org/?{TOKEN}&phone=99887766"),
    ),
    Case(
        "an incomplete redirect with a person",
        fault("redirect", location=f"http://[::1/?{TOKEN}&phone=99887766"),
    ),
    Case("a wait with a person", fault("429", retry_after=f"{TOKEN} 99887766"), {"max_retries": 0}),
    Case(
        "a link with a person",
        traps=Traps(next_value=lambda link: link and f"http://{TOKEN}@x/?phone=99887766"),
        succeeds=True,
    ),
    Case("a count too high", traps=Traps(count=lambda n: n + 1)),
    Case("values that do not fit", traps=Traps(mistyped=0.5), succeeds=True),
    Case("a bad setting", settings={"read_ahead": TOKEN}),
    Case("a credential twice", settings={"username": USER, "password": PASSWORD}),
    Case("a token of two lines", settings={"auth_token": f"{TOKEN}\n{PASSWORD}"}),
    Case("a token of another type", settings={"auth_token": [TOKEN]}),
    Case("a token in the address", settings={"api_url": f"https://{TOKEN}:x@cube.example.com"}),
    Case("a token as a setting's name", settings={"auth_tokne": TOKEN}, succeeds=True),
    Case("a wrong password", settings={"auth_token": None, "username": USER, "password": PASSWORD}),
    Case(
        "a map that fails on a person",
        settings={
            "stream_maps": {"data_owner_customers": {"x": "int(crm__standard_info__name)"}},
            "stream_map_config": {"secret": TOKEN},
        },
    ),
    Case("a damaged state", state={"bookmarks": {"data_owner_customers": PASSWORD}}),
    Case("discovery", args=("--discover",), succeeds=True),
    Case("discovery that fails", fault("500"), args=("--discover",), succeeds=True),
    Case("about", args=("--about",), succeeds=True),
    Case("about as JSON", args=("--about", "--format=json"), succeeds=True),
    Case("a test", args=("--test",), succeeds=True),
    Case("a test that fails", [Fault("500", row="C2", page=1)], args=("--test=all",)),
    Case("success", succeeds=True),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_log_shows_no_credential_and_no_person(cube: Sandbox, case: Case) -> None:
    """No output contains the credential; only records contain the person."""
    marked_account(cube, case)
    config = settings_for(cube, auth_token=TOKEN, max_retries=1, **only(CRM))
    if case.name in {"stall", "endless"}:
        config["request_timeout"] = 2
    config |= case.settings
    run = run_in_process(
        {name: value for name, value in config.items() if value is not None},
        env=DEBUG,
        state=case.state,
        extra_args=case.args,
    )
    assert_secretive(run)
    assert (run.returncode == 0) == case.succeeds, run.stderr


def marked_account(cube: Sandbox, case: Case | None = None) -> None:
    """Add a marked person to the account, on the last of three pages."""
    case = case or Case("")
    cube.reset(
        token=TOKEN,
        username=USER,
        password="another",  # noqa: S106 - the account's own
        traps=case.traps,
        **case.account,
    )
    cube.account.add_customer(CRM, **PERSON)
    cube.faults = case.faults


def assert_secretive(run: TapRun) -> None:
    """Search both outputs for the marks; only records may contain the person."""
    for secret in CREDENTIALS:
        assert secret not in run.stdout
        assert secret not in run.stderr
    others = [line for line in run.stdout.split("\n") if not line.startswith(RECORD)]
    for value in PERSON.values():
        assert value not in run.stderr
        assert not any(value in line for line in others)
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("read_ahead", [0, 4])
def test_basic_authentication_shows_no_credential(cube: Sandbox, read_ahead: int) -> None:
    """User name and password, plain or encoded, are sent in the header only."""
    cube.reset(token=TOKEN, username=USER, password=PASSWORD)
    cube.account.add_customer(CRM, **PERSON)
    config = settings_for(cube, username=USER, password=PASSWORD, read_ahead=read_ahead)
    del config["auth_token"]
    run = run_in_process(config, env=DEBUG)
    assert run.returncode == 0
    assert_secretive(run)
    assert USER not in run.stderr


def test_an_internal_error_shows_no_values(cube: Sandbox) -> None:
    """An exception in a stream map is logged by type and place, without the value."""
    marked_account(cube)
    maps = {"data_owner_customers": {"x": "float(crm__standard_info__name)"}}
    config = settings_for(cube, auth_token=TOKEN, stream_maps=maps, **only(CRM))
    run = run_in_process(config, env=DEBUG)
    assert run.returncode != 0
    assert_secretive(run)


def test_the_marked_person_is_in_the_records(cube: Sandbox) -> None:
    """The search for marks works: it finds them in the records."""
    marked_account(cube)
    run = run_in_process(settings_for(cube, auth_token=TOKEN, **only(CRM)), env=DEBUG)
    for value in PERSON.values():
        assert value in run.stdout
