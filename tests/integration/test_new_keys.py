"""Many new keys: what they cost, and how many become columns."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tap_cube.records.decoder import MAX_COLUMNS, MAX_KEY_LENGTH
from tests.support.runs import CRM, CUSTOMERS, logged, only, read_at, schemas
from tests.support.sizes import only_large, scaled
from tests.support.strange_server import CUSTOMERS_PATH, PagesServer, Reply, serving

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.tap_process import TapRun

Row = dict[str, Any]
MAPPED = {"stream_maps": {CUSTOMERS: {"crm_type": "crm_type"}}}


def read_rows(
    *later: Sequence[Row],
    **settings: Any,  # noqa: ANN401 - settings
) -> tuple[TapRun, float]:
    """Read a page of one usual customer and then these pages; also return the CPU time."""
    pages = [[{"crm__standard_info__name": "Kari"}], *later]
    total = sum(map(len, pages))
    server = PagesServer(lambda number: replies[number - 1] if number <= len(pages) else Reply(404))
    replies = []
    for number, rows in enumerate(pages, 1):
        link = f"{server.url}{CUSTOMERS_PATH}?page={number + 1}" if number < len(pages) else None
        found = [{"crm__customer_id": f"{number}-{n}", **row} for n, row in enumerate(rows)]
        body = json.dumps({"count": total, "next": link, "results": found})
        replies.append(Reply(200, body=body.encode()))
    with serving(server):
        began = time.process_time()
        run = read_at(server.url, **only(CRM), read_ahead=0, **settings)
        used = time.process_time() - began
    assert run.returncode == 0, run.stderr
    assert len(run.records[CUSTOMERS]) == total
    return run, used


def in_one_row(number: int) -> list[Row]:
    """One row with this many new keys."""
    return [{f"new {n}": "x" for n in range(number)}]


def in_many_rows(number: int) -> list[Row]:
    """This many rows with one new key each."""
    return [{f"new {n}": "x"} for n in range(number)]


@pytest.mark.parametrize("settings", scaled([{}], [{}, MAPPED]))
@pytest.mark.parametrize(("rows", "number"), [(in_one_row, 2000), (in_many_rows, 1000)])
def test_a_new_key_costs_the_same_among_many(
    rows: Any,  # noqa: ANN401 - one of the functions above
    number: int,
    settings: dict[str, Any],
) -> None:
    """CPU time grows with the number of keys, and the schema is written once for a page.

    Each time is the least of three runs. Without the fixed part of a run, a key among many takes
    about as much as one among 100; with a schema for each key it took ten to forty times as much.
    """
    few = min(read_rows(rows(100), **settings)[1] for _ in range(3))
    runs = [read_rows(rows(number), **settings) for _ in range(3)]
    for run, _ in runs:
        before, after = schemas(run)
        assert len(after.keys() - before.keys()) == number
    assert min(used for _, used in runs) < 2 * few * number / 100


@only_large
def test_columns_are_bounded() -> None:
    """Beyond the limit and with overlong names, keys stay out, and one warning says so."""
    long, control = "x" * (MAX_KEY_LENGTH + 1), "\x1b[31mred"
    later = [in_one_row(MAX_COLUMNS), [{long: "y"}, {control: "y"}, {long: "z", "new 1": "y"}]]
    run, _ = read_rows(*later)
    assert len(schemas(run)[-1]) == MAX_COLUMNS
    assert [record["new 1"] for record in run.records[CUSTOMERS] if "new 1" in record] == ["x", "y"]
    (warning,) = [text for text in logged(run, "WARNING") if "stay out" in text]
    assert f"at most {MAX_COLUMNS} columns" in warning
    assert "\x1b" not in run.stderr
    assert len(warning) < 2000


@only_large
def test_keys_without_end_take_neither_memory_nor_time() -> None:
    """20,000 keys on 20 pages, some of them of a megabyte."""
    later = [
        [{f"new {page * 1000 + n}": "x"} for n in range(1000)] + [{f"{page}" + "x" * 2**20: "y"}]
        for page in range(20)
    ]
    run, used = read_rows(*later)
    assert len(schemas(run)[-1]) == MAX_COLUMNS
    assert used < 600
