"""Killed again and again while it loads, the table ends up equal to the account."""

from __future__ import annotations

import json
import random
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from cube_sandbox import Sandbox
from tests.e2e.pipe import load
from tests.integration.runs import EVENTS
from tests.tap_process import started, started_tap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.warehouse import Warehouse

pytestmark = pytest.mark.slow

KILLS = 20
KILLS_OF_THE_TARGET = 0.3
SEED = 3
TABLE = "cube.data_owner_customers"
COLUMNS = (
    "customer_id",
    "crm__standard_info__name",
    "crm__standard_info__phone_1",
    "crm__change_log__updated",
)

State = dict[str, Any]
Content = dict[tuple[object, ...], tuple[object, ...]]


@pytest.fixture
def cube() -> Iterator[Sandbox]:
    """An account that answers slowly, so that a kill finds the load half done."""
    with Sandbox(customers=40, page_size=5, delay=0.02, without=EVENTS) as cube:
        yield cube


def settings_for(cube: Sandbox) -> dict[str, Any]:
    """Settings that read the account's CRMs."""
    return {"api_url": cube.url, "auth_token": cube.token, "assignment_ids": [], "read_ahead": 0}


def killed_load(
    cube: Sandbox, warehouse: Warehouse, folder: Path, state: State | None, chance: random.Random
) -> tuple[bool, State | None]:
    """Load until one end of the pipe is killed.

    Returns:
        Whether the tap was still at work, and the last state that the target confirmed.
    """
    config = folder / "target.json"
    config.write_text(
        json.dumps(
            {
                "sqlalchemy_url": warehouse.sqlalchemy_url,
                "default_target_schema": "cube",
                "load_method": "upsert",
                "batch_size_rows": 10,
            }
        )
    )
    cube.requests.clear()
    with (
        started_tap(settings_for(cube), state=state, stderr=subprocess.DEVNULL) as tap,
        started(
            ["target-postgres", "--config", str(config)],
            stdin=tap.stdout,
            stderr=subprocess.DEVNULL,
        ) as target,
    ):
        assert tap.stdout is not None
        tap.stdout.close()
        wait_for_pages(cube, tap, chance.randint(1, 40))
        was_at_work = tap.poll() is None
        victim = target if chance.random() < KILLS_OF_THE_TARGET else tap
        victim.kill()
        stdout, _ = target.communicate(timeout=60)
        tap.wait(60)
    lines = stdout.decode().split("\n")[:-1]  # what a kill left of a line is no state
    return was_at_work, json.loads(lines[-1]) if lines else state


def wait_for_pages(cube: Sandbox, tap: subprocess.Popen[bytes], pages: int) -> None:
    """Wait until the sync has asked for so many pages of customers, or the tap has ended."""
    deadline = time.monotonic() + 30
    while tap.poll() is None and sum(r.row == "C2" for r in list(cube.requests)) < pages:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def account_of(cube: Sandbox) -> Content:
    """Ask the account itself, on one page a CRM."""
    cube.page_size, cube.delay = 10_000, 0.0
    content: Content = {}
    for owner, crm_type in cube.account.crms:
        answer = requests.get(
            f"{cube.url}/api/v1/data_owners/{owner}/{crm_type}/customers/",
            headers={"Authorization": f"Token {cube.token}"},
            timeout=30,
        )
        for row in answer.json()["results"]:
            values = [str(row["crm__customer_id"]), *(str(row[name]) for name in COLUMNS[1:])]
            content[owner, crm_type, values[0]] = tuple(values)
    return content


def table_of(warehouse: Warehouse) -> Content:
    """Ask the table, with each value as text."""
    rows = warehouse.rows(f"SELECT * FROM {TABLE}")  # noqa: S608 - a name of our own
    found: Content = {
        (row["data_owner_id"], row["crm_type"], row["customer_id"]): tuple(
            str(row[name]) for name in COLUMNS
        )
        for row in rows
    }
    assert len(found) == len(rows)
    return found


def test_the_table_equals_the_account_after_any_kill(
    cube: Sandbox, warehouse: Warehouse, tmp_path: Path
) -> None:
    """Twenty times tap or target are killed at a random moment, and the account is edited.

    Each run goes on from the last state that the target confirmed; the one that is left alone
    finds whatever the others left.
    """
    chance = random.Random(SEED)  # noqa: S311 - moments of a test, the same ones each time
    state: State | None = None
    at_work = 0
    for _ in range(KILLS):
        was_at_work, state = killed_load(cube, warehouse, tmp_path, state, chance)
        at_work += was_at_work
        crm = chance.choice(cube.account.crms)
        cube.account.update_customer(crm, chance.choice(cube.account.customer_ids(crm)), name="New")
        cube.account.add_customer(crm)
    assert at_work > KILLS // 2  # or this would show nothing
    end = load(settings_for(cube), warehouse, state=state)
    assert (end.tap_returncode, end.target_returncode) == (0, 0), end.tap_stderr
    assert table_of(warehouse) == account_of(cube)
