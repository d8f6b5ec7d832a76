"""The demo: an account, a database, and `meltano run tap-cube target-postgres` twice."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Never

import psycopg
import requests

from cube_sandbox.demo_output import print_columns, print_table, print_text
from cube_sandbox.demo_tables import CUSTOMERS, KEYS, LOOKBACK_DAYS, SCHEMA, Tables
from cube_sandbox.meltano_project import MeltanoError, meltano_project
from cube_sandbox.postgres import PostgresError, postgres
from cube_sandbox.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from cube_sandbox.account import Account, Where
    from cube_sandbox.meltano_project import MeltanoProject

ASSIGNMENT = 9
CRM = (2, "B2B")
CAMPAIGN = 2
AGENT = "another.agent@example.com"
CHANGED = 3
READ_BY_DAYS = ("call_outcomes", "product_registrations")
_PLUGINS = ("tap-cube", "target-postgres")
_COMMAND = f"meltano run {' '.join(_PLUGINS)}"


class DemoError(RuntimeError):
    """The warehouse differs from the account."""


def main(argv: Sequence[str]) -> int:
    """Run the demo and remove everything it created.

    Returns:
        0 if exactly the expected rows were written, 1 for a difference or an error, 130 for Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog="cube-sandbox demo", description=__doc__)
    option = parser.add_argument
    option(
        "--customers", type=_customer_count, default=120, help="customers per CRM (default: 120)"
    )
    option("--seed", type=int, default=1, help="decides every invented value (default: 1)")
    options = parser.parse_args(argv)
    try:
        with (
            _signals_exit(),
            Sandbox(customers=options.customers, seed=options.seed) as cube,
            postgres() as database,
            meltano_project(cube, database) as project,
            database.connect() as connection,
        ):
            _show(cube, project, Tables(connection))
    except (DemoError, MeltanoError, PostgresError, psycopg.Error) as error:
        sys.stderr.write(f"\nThe demo failed. {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _customer_count(text: str) -> int:
    if not text.isdecimal() or int(text) < CHANGED:
        msg = f"{text!r} is not a number of at least {CHANGED}"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


@contextlib.contextmanager
def _signals_exit() -> Iterator[None]:
    """Turn signals that end a process into exceptions."""

    def leave(number: int, _frame: FrameType | None) -> Never:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _show(cube: Sandbox, project: MeltanoProject, tables: Tables) -> None:
    account = cube.account
    print_text(
        f"A local Cube account with {len(account.crms)} CRMs of {cube.customers} invented "
        f"customers and {len(account.campaigns)} campaigns, and a PostgreSQL server. Two of "
        "the CRMs are also assignments, the API's older name for a CRM. The tap gets only the "
        "account's address and a token."
    )

    first_day = cube.day
    _load("1. First load", project)
    found, expected = tables.counts(), _account_counts(account)
    print_table(
        ("table", "rows", "in the account"),
        [(f"{SCHEMA}.{name}", found.get(name, 0), count) for name, count in expected.items()],
    )
    _expect(found, expected, "tables and rows")
    _campaigns(account, tables)
    print_columns("assignment_customers", tables)

    since = first_day - timedelta(days=LOOKBACK_DAYS)
    again = {name: tables.rows_to_reload(name, since) for name in KEYS}
    known = {name: tables.keys(name) for name in KEYS}
    before = tables.last_batch()
    ids = [each for each in account.customer_ids(ASSIGNMENT) if each]
    numbered = enumerate(ids[-CHANGED:], start=1)
    emails = {each: f"changed.{number}@example.com" for number, each in numbered}
    _change(cube, emails)
    _call(account, ids[0])

    _load("3. Second load", project)
    written = {name: tables.written_since(name, before) for name in KEYS}
    changed = {
        "assignment_customers": {f"{ASSIGNMENT}/{each}" for each in emails},
        "data_owner_customers": {f"{CRM[0]}/{CRM[1]}/{each}" for each in emails},
        "callflow_customers": {f"{CAMPAIGN}:{ids[0]}"},
        **{name: tables.reported_by(name, AGENT) for name in READ_BY_DAYS},
    }
    print_table(
        ("table", "rows", "written again", "changed or new", "though unchanged"),
        [
            (
                f"{SCHEMA}.{name}",
                tables.counts()[name],
                len(written[name]),
                len(written[name] & changed[name]),
                len(written[name] - changed[name]),
            )
            for name in KEYS
        ],
    )
    for name in KEYS:
        _expect(written[name], changed[name] | again[name], f"rows written to {name}")
    for name in CUSTOMERS:
        arrived = {key: email for key, email in tables.emails(name).items() if key in changed[name]}
        _expect(sorted(arrived.values()), sorted(emails.values()), f"e-mail addresses in {name}")
    new = {name: len(tables.keys(name) - known[name]) for name in READ_BY_DAYS}
    _expect(new, dict.fromkeys(READ_BY_DAYS, 1), "new rows")
    _expect(len(changed["call_outcomes"]), 2, "outcomes of the second agent")
    _expect(tables.counts(), _account_counts(account), "tables and rows after the second load")
    _explain()


def _account_counts(account: Account) -> dict[str, int]:
    """Count the account's rows by their table."""
    partitions: list[Where] = [*account.assignments, *account.crms]
    return {
        "assignment_customers": sum(map(account.count, account.assignments)),
        "call_outcomes": account.outcome_count(),
        "callflow_customers": account.call_state_count(),
        "campaigns": len(account.campaigns),
        "custom_fields": sum(len(account.definitions(each)) for each in partitions),
        "data_owner_customers": sum(map(account.count, account.crms)),
        "product_registrations": account.registration_count(),
    }


def _campaigns(account: Account, tables: Tables) -> None:
    """Show the number of events of each campaign."""
    print_text("Events of each campaign, joined by campaign__id:")
    rows = tables.campaigns()
    print_table(("id", "campaign", "customers called", "call outcomes", "products sold"), rows)
    held = [
        (
            number,
            account.call_state_count(number),
            account.outcome_count(number),
            account.registration_count(number),
        )
        for number in account.campaigns
    ]
    _expect([(row[0], *row[2:]) for row in rows], held, "events of the campaigns")


def _explain() -> None:
    print_text(
        'The column "written again" counts the rows whose _sdc_batched_at is later than the first '
        "load. The demo has checked that exactly the expected rows were written. The changed "
        f"customers are in both tables, since assignment {ASSIGNMENT} and the {CRM[1]} customers "
        f"of data owner {CRM[0]} are one CRM under two names."
    )
    print_text(
        "The API gives the day of a customer's change, not the time, and outcomes can be "
        f"re-assigned. So the tap writes the rows from {LOOKBACK_DAYS} days before the bookmark "
        "on again (lookback_days). Each row replaces the earlier row with the same key, so the "
        "re-assigned call is still one row."
    )
    print_text("Campaigns and custom fields are few. The tap reads them in full each time.")


def _load(title: str, project: MeltanoProject) -> None:
    sys.stdout.write(f"\n{title}: {_COMMAND}")
    sys.stdout.flush()
    begin = time.monotonic()
    project.run(*_PLUGINS)
    sys.stdout.write(f" ({time.monotonic() - begin:.1f} s)\n")


def _change(cube: Sandbox, emails: dict[str, str]) -> None:
    """Change customers' e-mail addresses through the API."""
    sys.stdout.write(f"\n2. {len(emails)} customers get another e-mail address through the API\n")
    rows = []
    with requests.Session() as session:
        session.trust_env = False  # no proxy, no .netrc: this is loopback
        session.headers["Authorization"] = f"Token {cube.token}"
        for customer_id, email in emails.items():
            path = f"/api/v1/assignments/{ASSIGNMENT}/customers/{customer_id}"
            body = {"crm__standard_info__email": email}
            response = session.put(cube.url + path, json=body, timeout=30)
            _expect(response.status_code, requests.codes.ok, f"HTTP status of PUT {path}")
            rows.append((f"PUT {path}", email))
    print_table(("request", "e-mail"), rows)


def _call(account: Account, customer_id: str) -> None:
    """Add and change events, which the API can only read."""
    account.reassign(account.outcomes(CAMPAIGN)[-1], by=AGENT)
    account.set_call_state(CAMPAIGN, customer_id, state="Sale", by=AGENT)
    account.add_outcome(CAMPAIGN, customer_id, type="Sale", by=AGENT, product="MPC")
    print_text(
        f"In campaign {CAMPAIGN}, {AGENT} sells a product to another customer, and one of today's "
        "calls is re-assigned to this agent."
    )


def _expect(found: object, expected: object, what: str) -> None:
    if found != expected:
        msg = f"Not as expected: {what}.\n   expected: {expected}\n   found:    {found}"
        raise DemoError(msg)
