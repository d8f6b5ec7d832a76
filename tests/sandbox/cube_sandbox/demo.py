"""The demonstration: an account, a database, and `meltano run tap-cube target-postgres` twice."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import textwrap
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Never

import psycopg
import requests

from cube_sandbox.demo_tables import CUSTOMERS, KEYS, SCHEMA, Tables
from cube_sandbox.meltano_project import MeltanoError, meltano_project
from cube_sandbox.postgres import PostgresError, postgres
from cube_sandbox.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import FrameType

    from cube_sandbox.account import Account, Where
    from cube_sandbox.meltano_project import MeltanoProject

ASSIGNMENT = 9
CRM = (2, "B2B")
CAMPAIGN = 2
AGENT = "another.agent@example.com"
CHANGED = 3
LOOKBACK_DAYS = 2
"""What the tap takes for `lookback_days` where nothing is said."""

READ_BY_DAYS = ("call_outcomes", "product_registrations")
_PLUGINS = ("tap-cube", "target-postgres")
_COMMAND = f"meltano run {' '.join(_PLUGINS)}"


class DemoError(RuntimeError):
    """The warehouse does not hold what the account holds."""


def main(argv: Sequence[str]) -> int:
    """Show the tap from start to end, and leave nothing behind.

    Returns:
        0 if exactly the expected rows came, 1 if not or if something failed, 130 for Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog="cube-sandbox demo", description=__doc__)
    option = parser.add_argument
    option("--customers", type=_enough, default=120, help="customers per CRM (default: 120)")
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


def _enough(text: str) -> int:
    if not text.isdecimal() or int(text) < CHANGED:
        msg = f"{text!r} is no number from {CHANGED} on"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


@contextlib.contextmanager
def _signals_exit() -> Iterator[None]:
    """Let signals that end a process end the block as an exception does."""

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
    _say(
        f"A local Cube account with {len(account.crms)} CRMs of {cube.customers} invented "
        f"customers, {len(account.campaigns)} campaigns that call them, and a PostgreSQL server. "
        "Two of the CRMs are assignments as well: the API's older name for them. The tap is told "
        "the account's address and a token, nothing else."
    )

    first_day = cube.day
    _load("1. First load", project)
    found, expected = tables.counts(), _held(account)
    _table(
        ("table", "rows", "in the account"),
        [(f"{SCHEMA}.{name}", found.get(name, 0), count) for name, count in expected.items()],
    )
    _expect(found, expected, "tables and rows")
    _campaigns(account, tables)
    _types("assignment_customers", tables)

    since = first_day - timedelta(days=LOOKBACK_DAYS)
    again = {name: tables.come_again(name, since) for name in KEYS}
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
    _table(
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
    _expect(len(changed["call_outcomes"]), 2, "outcomes of the other agent")
    _expect(tables.counts(), _held(account), "tables and rows after the second load")
    _explain()


def _held(account: Account) -> dict[str, int]:
    """Count what the account holds, by the table that it belongs in."""
    sources: list[Where] = [*account.assignments, *account.crms]
    return {
        "assignment_customers": sum(map(account.count, account.assignments)),
        "call_outcomes": account.outcome_count(),
        "callflow_customers": account.call_state_count(),
        "campaigns": len(account.campaigns),
        "custom_fields": sum(len(account.definitions(source)) for source in sources),
        "data_owner_customers": sum(map(account.count, account.crms)),
        "product_registrations": account.registration_count(),
    }


def _campaigns(account: Account, tables: Tables) -> None:
    """Show what happened in each campaign, joined by its id."""
    _say("What happened in each campaign, joined by campaign__id:")
    rows = tables.campaigns()
    _table(("id", "campaign", "customers called", "call outcomes", "products sold"), rows)
    held = [
        (
            number,
            account.call_state_count(number),
            account.outcome_count(number),
            account.registration_count(number),
        )
        for number in account.campaigns
    ]
    _expect([(row[0], *row[2:]) for row in rows], held, "what happened in the campaigns")


def _explain() -> None:
    _say(
        "Written again are the rows whose _sdc_batched_at is later than the first load: these and "
        f"no others were to come. The changed customers are in both tables, for assignment "
        f"{ASSIGNMENT} and the {CRM[1]} customers of data owner {CRM[0]} are one CRM under two "
        "names."
    )
    _say(
        "The API tells the day of a customer's change and no time, so the rows of the bookmark's "
        "own day come again, and of call states those of its own minute. Outcomes and products "
        f"are read again from {LOOKBACK_DAYS} days before the bookmark on (lookback_days), for "
        "they may be re-assigned. All replace themselves by their key: the re-assigned call is "
        "one row, as before."
    )
    _say("Campaigns and custom fields are few; they are read in full each time.")


def _load(title: str, project: MeltanoProject) -> None:
    sys.stdout.write(f"\n{title}: {_COMMAND}")
    sys.stdout.flush()
    begin = time.monotonic()
    project.run(*_PLUGINS)
    sys.stdout.write(f" ({time.monotonic() - begin:.1f} s)\n")


def _change(cube: Sandbox, emails: dict[str, str]) -> None:
    """Give customers another e-mail address, as a program of the account's owner would."""
    sys.stdout.write(f"\n2. {len(emails)} customers get another e-mail address through the API\n")
    rows = []
    with requests.Session() as session:
        session.trust_env = False  # no proxy, no .netrc: this is loopback
        session.headers["Authorization"] = f"Token {cube.token}"
        for customer_id, email in emails.items():
            path = f"/api/v1/assignments/{ASSIGNMENT}/customers/{customer_id}"
            body = {"crm__standard_info__email": email}
            answer = session.put(cube.url + path, json=body, timeout=30)
            _expect(answer.status_code, requests.codes.ok, f"HTTP status of PUT {path}")
            rows.append((f"PUT {path}", email))
    _table(("request", "e-mail"), rows)


def _call(account: Account, customer_id: str) -> None:
    """Let the call centre work on, as the API shows it but cannot make it."""
    account.reassign(account.outcomes(CAMPAIGN)[-1], by=AGENT)
    account.set_call_state(CAMPAIGN, customer_id, state="Sale", by=AGENT)
    account.add_outcome(CAMPAIGN, customer_id, type="Sale", by=AGENT, product="MPC")
    _say(
        f"Meanwhile in campaign {CAMPAIGN}, {AGENT} sells a product to another customer, and a "
        "call of today turns out to have been this agent's as well."
    )


def _types(name: str, tables: Tables) -> None:
    _say(f"Columns of {SCHEMA}.{name} by their type in PostgreSQL:")
    sys.stdout.write("\n")
    by_type = tables.columns_by_type(name)
    width = max(map(len, by_type)) + 2
    for kind, columns in sorted(by_type.items()):
        sys.stdout.write(
            textwrap.fill(
                ", ".join(columns),
                100,
                initial_indent=f"   {kind:<{width}}",
                subsequent_indent=" " * (3 + width),
            )
            + "\n"
        )
    _say(f"The account's own names of crm__custom_info__ columns stand in {SCHEMA}.custom_fields:")
    _table(("column", "source", "name"), tables.custom_field_names(4))


def _say(text: str) -> None:
    indent = "   "
    filled = textwrap.fill(text, 100, initial_indent=indent, subsequent_indent=indent)
    sys.stdout.write(f"\n{filled}\n")


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table: numbers to the right, all else to the left."""
    content = list(rows)
    widths = [max(map(len, map(str, column))) for column in zip(head, *content, strict=True)]
    sys.stdout.write("\n")
    for line in (head, *content):
        cells = (
            f"{cell!s:{'>' if isinstance(value, int) else '<'}{width}}"
            for cell, value, width in zip(line, content[0], widths, strict=True)
        )
        sys.stdout.write(f"   {'  '.join(cells)}".rstrip() + "\n")


def _expect(found: object, expected: object, what: str) -> None:
    if found != expected:
        msg = f"Not as expected: {what}.\n   expected: {expected}\n   found:    {found}"
        raise DemoError(msg)
