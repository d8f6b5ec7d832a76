"""Tests of the benchmark's account, verdicts and report."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from tests.benchmarks import account
from tests.benchmarks.measure import Usage
from tests.benchmarks.parts import ALL, BAD, CHANGED
from tests.benchmarks.plot import plotted
from tests.benchmarks.programs import OURS, PLAIN
from tests.benchmarks.race import ONE_PAGE, Result, Results
from tests.benchmarks.report import section
from tests.benchmarks.server import CRM, FULL, OFF_TYPE, served
from tests.benchmarks.soak import is_flat
from tests.benchmarks.targets import verdicts

RECORDS = 1000


def read(url: str, owner: int) -> list[dict[str, Any]]:
    """Read all customers of a data owner by following links."""
    rows: list[dict[str, Any]] = []
    link: str | None = f"{url}{CRM.format(owner)}customers/"
    while link:
        page = requests.get(link, timeout=60).json()
        assert page["count"] == RECORDS
        rows += page["results"]
        link = page["next"]
    return rows


def test_the_account_has_what_is_measured() -> None:
    """All customers differ, 1 in 100 is new, and in one CRM 1 in 100 has a misfit."""
    with served(RECORDS, RECORDS) as urls:
        rows, off = read(urls[0], FULL), read(urls[0], OFF_TYPE)
        missing = requests.get(f"{urls[0]}/api/v1/assignments/9/customers/", timeout=60)
        asked = requests.get(f"{urls[0]}/asked", timeout=60).json()
    assert len({row["crm__customer_id"] for row in rows}) == len(rows) == RECORDS
    assert {len(row) for row in rows} == {51}
    new = [row for row in rows if row["crm__change_log__updated"] >= account.BOOKMARK]
    assert len(new) == RECORDS // 100
    assert not [row for row in rows if account.MISFIT in row.values()]
    assert len([row for row in off if account.MISFIT in row.values()]) == RECORDS // 100
    assert missing.status_code == 404
    assert asked == [4, 4]


def test_larger_accounts_have_other_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeated blocks of a larger account have other customer ids."""
    monkeypatch.setattr(account, "BLOCK", 1000)
    rows = [row for page in account.pages(3000) for row in json.loads(b"[%b]" % page)]
    assert len({row["crm__customer_id"] for row in rows}) == len(rows) == 3000


def results(own: float) -> Results:
    """Results of our tap with the given microseconds per record, and of a plain tap with 130."""
    start = [Result(p.name, ONE_PAGE, 500, 1, Usage(1, 1, 60)) for p in (OURS, PLAIN)]
    costs = {(OURS, ALL): own, (PLAIN, ALL): 130, (OURS, BAD): own * 1.2, (OURS, CHANGED): own / 4}
    more = [
        Result(p.name, setting, 100_500, 1, Usage(9, 1 + cost / 10, 60))
        for (p, setting), cost in costs.items()
    ]
    return Results((*start, *more))


@pytest.mark.parametrize(("own", "met"), [(20, [True] * 3), (40, [False, True, True])])
def test_only_what_was_measured_is_judged(own: float, met: list[bool]) -> None:
    """A target is met or missed by its figures; a target without figures is missing."""
    assert [verdict.is_met for verdict in verdicts(results(own))] == met


def test_the_report_tells_the_ratio() -> None:
    """Table and plot show both taps and the ratio of their costs."""
    text, plot = section(results(20), 100_000), plotted(results(20), 100_000)
    assert "20.0 µs, 1/6.5 of plain (130 µs)" in text
    assert "**missed**" not in text
    assert "6.5 times" in plot
    assert plot.count("<rect") == 3


@pytest.mark.parametrize(
    ("resident", "expected"),
    [
        ([10, 80, 100, 110, 119, 120], True),
        ([10, 80, 100, 110, 121, 120], False),
        ([10, 80, 100, 110, 119, 121], False),
        ([200, 180, 100, 100], True),
        ([], False),
    ],
)
def test_a_soak_fails_when_memory_grows_to_the_end(resident: list[int], *, expected: bool) -> None:
    """Memory may grow in the first half; growth by a fifth in the second half is a leak."""
    assert is_flat(resident) is expected
