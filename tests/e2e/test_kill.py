"""Killed again and again while it loads, the table ends up equal to the account."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import threading
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import requests

from cube_sandbox import Sandbox
from tests.support.event_runs import OSLO
from tests.support.pipe import load
from tests.support.runs import EVENTS
from tests.support.sizes import only_large
from tests.support.tap_process import SECONDS, started, started_tap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cube_sandbox import Request
    from tests.support.warehouse import Warehouse

pytestmark = [pytest.mark.slow, only_large]  # by default, tests of runs that a signal ends

KILLS = 5
"""Times that the tap is killed while it is at work."""

ROUNDS = 2 * KILLS
"""Loads after which a test gives up, that hits the tap too seldom."""

EVERY = 4
"""Loads of which one has its target killed instead."""

DELAY = 0.02
SEED = 3
TABLE = "cube.data_owner_customers"

State = dict[str, Any]
Content = dict[tuple[object, ...], dict[str, Any]]
"""Rows by data owner, CRM type and customer id."""


@pytest.fixture
def cube() -> Iterator[Sandbox]:
    """An account that answers slowly, so that a kill finds the load half done."""
    with Sandbox(customers=40, page_size=5, delay=DELAY, without=EVENTS) as cube:
        yield cube


def settings_for(cube: Sandbox, **settings: object) -> dict[str, Any]:
    """Settings that read the account's CRMs."""
    return {"api_url": cube.url, "auth_token": cube.token, "assignment_ids": [], **settings}


class Moment:
    """Comes when so many pages of customers have been asked for, and something of one more.

    Args:
        cube: The account, whose requests are watched from now on.
        chance: Chooses how many, among those of a whole load.
    """

    def __init__(self, cube: Sandbox, chance: random.Random) -> None:
        """Watch."""
        self._left = chance.randint(1, 25)
        self._then = chance.random() * DELAY
        self._has_come = threading.Event()
        cube.before_request = self._see

    def _see(self, request: Request) -> None:
        if request.row == "C2":
            self._left -= 1  # threads that see the same number make it a later moment, no other one
            if self._left <= 0:
                self._has_come.set()

    def wait(self, tap: subprocess.Popen[bytes]) -> None:
        """Wait for it, or until the tap has ended."""
        while tap.poll() is None and not self._has_come.wait(0.05):
            pass
        threading.Event().wait(self._then)


def killed_load(  # noqa: PLR0913 - what a load needs, and its end
    cube: Sandbox,
    warehouse: Warehouse,
    folder: Path,
    state: State | None,
    chance: random.Random,
    *,
    number: int,
) -> tuple[bool, State | None]:
    """Load until one end of the pipe is killed.

    Returns:
        Whether it was the tap, and still at work, and the last state that the target confirmed.
    """
    config = folder / "target.json"
    config.write_text(
        json.dumps(
            {
                "sqlalchemy_url": warehouse.utc_url,
                "default_target_schema": "cube",
                "load_method": "upsert",
                "batch_size_rows": 10,
            }
        )
    )
    moment = Moment(cube, chance)
    settings = settings_for(cube, **({"read_ahead": 0} if number % 2 else {}))
    with (
        started_tap(settings, state=state, stderr=subprocess.DEVNULL) as tap,
        started(
            ["target-postgres", "--config", str(config)],
            stdin=tap.stdout,
            stderr=subprocess.DEVNULL,
        ) as target,
    ):
        assert tap.stdout is not None
        tap.stdout.close()
        moment.wait(tap)
        victim = tap if number % EVERY else target
        victim.kill()
        stdout, _ = target.communicate(timeout=SECONDS)
        tap.wait(SECONDS)
    lines = stdout.decode().split("\n")[:-1]  # what a kill left of a line is no state
    return tap.returncode == -signal.SIGKILL, json.loads(lines[-1]) if lines else state


def account_of(cube: Sandbox) -> Content:
    """Ask the account itself, on one page a CRM."""
    cube.page_size, cube.delay = 10_000, 0.0
    content: Content = {}
    for owner, crm_type in cube.account.crms:
        answer = requests.get(
            f"{cube.url}/api/v1/data_owners/{owner}/{crm_type}/customers/",
            headers={"Authorization": f"Token {cube.token}"},
            timeout=SECONDS,
        )
        for row in answer.json()["results"]:
            content[owner, crm_type, str(row["crm__customer_id"])] = row
    return content


def table_of(warehouse: Warehouse) -> Content:
    """Ask the table for every column that the account fills."""
    rows = warehouse.table(TABLE)
    found: Content = {
        (row["data_owner_id"], row["crm_type"], row["customer_id"]): {
            name: value for name, value in row.items() if name.startswith("crm__")
        }
        for row in rows
    }
    assert len(found) == len(rows)
    return found


def is_stored(sent: object, stored: object) -> bool:
    """Whether a column holds what the account sends, in its type."""
    if stored is None:
        return sent in {None, ""}
    if isinstance(stored, Decimal):
        return stored == Decimal(str(sent))
    if isinstance(stored, datetime):
        return f"{stored.replace(tzinfo=UTC).astimezone(OSLO):%Y-%m-%d %H:%M}" == sent
    return str(stored) == str(sent)


def test_the_table_equals_the_account_after_any_kill(
    cube: Sandbox, warehouse: Warehouse, tmp_path: Path
) -> None:
    """The tap is killed at work, now and then the target is, and the account is edited.

    Each run goes on from the last state that the target confirmed; the one that is left alone
    finds whatever the others left.
    """
    chance = random.Random(SEED)
    state: State | None = None
    number = hits = 0
    while hits < KILLS:
        number += 1
        assert number < ROUNDS
        is_hit, state = killed_load(cube, warehouse, tmp_path, state, chance, number=number)
        hits += is_hit
        crm = chance.choice(cube.account.crms)
        cube.account.update_customer(crm, chance.choice(cube.account.customer_ids(crm)), name="New")
        cube.account.add_customer(crm)
    end = load(settings_for(cube), warehouse, state=state)
    assert (end.tap_returncode, end.target_returncode) == (0, 0), end.tap_stderr
    table, account = table_of(warehouse), account_of(cube)
    assert table.keys() == account.keys()
    for key, row in account.items():
        assert row.keys() <= table[key].keys()
        other = {name for name, value in table[key].items() if not is_stored(row.get(name), value)}
        assert not other, key
