"""Tests of the benchmark's account, verdicts and report."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.benchmarks import account
from tests.benchmarks.__main__ import guarded as guarded_status
from tests.benchmarks.__main__ import main
from tests.benchmarks.capacity import Capacity
from tests.benchmarks.clients.fixed_width import FixedLimit
from tests.benchmarks.flight_plot import flights_plotted
from tests.benchmarks.flights import Answer, Flight
from tests.benchmarks.measure import Usage
from tests.benchmarks.names import ALL, BAD, LIMIT, SLOW
from tests.benchmarks.programs import OURS, PLAIN, VENDOR
from tests.benchmarks.race import ONE_PAGE, Measured, Results, Round
from tests.benchmarks.report import BARS, JUDGED, PAGE, PROGRAMS, ROOT, write
from tests.benchmarks.server import CRM, FULL, OFF_TYPE, served
from tests.benchmarks.soak import is_flat
from tests.benchmarks.targets import verdicts
from tests.support.sizes import only_large, scaled

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.programs import Program
    from tests.benchmarks.race import Key

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
    with served(RECORDS, is_whole=True) as (url,):
        rows, off = read(url, FULL), read(url, OFF_TYPE)
        missing = requests.get(f"{url}/api/v1/assignments/9/customers/", timeout=60)
        asked = requests.get(f"{url}/asked", timeout=60).json()
    assert len({row["crm__customer_id"] for row in rows}) == len(rows) == RECORDS
    assert {len(row) for row in rows} == {51}
    new = [row for row in rows if row["crm__change_log__updated"] >= account.BOOKMARK]
    assert len(new) == RECORDS // 100
    assert not [row for row in rows if account.MISFIT in row.values()]
    assert len([row for row in off if account.MISFIT in row.values()]) == RECORDS // 100
    assert missing.status_code == 404
    assert asked == [4, 4]


@only_large
@pytest.mark.slow
def test_a_small_run_measures_what_it_judges(capsys: pytest.CaptureFixture[str]) -> None:
    """Programs are started, checked, compared and judged; what came out depends on the machine."""
    only = scaled("p8", "p8,p2c")
    status = main(["--records", "1000", "--rounds", "1", "--guard", "--only", only])
    said = capsys.readouterr().out
    judged = re.findall(r"^\| (P\d\w?) \|", said, re.MULTILINE)
    assert {number.lower() for number in judged} == set(only.split(","))
    assert status == ("the guard's margin" in said)


@pytest.mark.parametrize(
    ("rule", "queued", "statuses"),
    [
        ("delay:10", [0, 0, 0, 0, 0, 0], [200] * 6),
        ("pool:10:2", [0, 0, 0, 1, 2, 3], [200] * 6),
        ("limit:10:4:7", [0, 0, 0, 0, 0, 0], [429] * 2 + [200] * 4),
    ],
)
def test_six_requests_at_once(rule: str, queued: list[int], statuses: list[int]) -> None:
    """All are answered; those above a pool queue, and those above a limit are refused at once."""
    capacity = Capacity.of(rule)

    async def ask() -> list[bool]:
        answers = asyncio.Queue[bool]()
        for _ in range(6):
            capacity.take(answers.put_nowait)
        return [await answers.get() for _ in range(6)]

    refusals = asyncio.run(ask())
    assert refusals == [status == 429 for status in statuses]
    record = json.loads(capacity.taken())
    assert [each[2] for each in record] == queued
    assert [each[3] for each in record] == statuses
    assert json.loads(capacity.taken()) == []


def test_larger_accounts_have_other_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeated blocks of a larger account have other customer ids."""
    monkeypatch.setattr(account, "BLOCK", 1000)
    rows = [row for page in account.pages(3000) for row in json.loads(b"[%b]" % page)]
    assert len({row["crm__customer_id"] for row in rows}) == len(rows) == 3000


def results(own: float) -> Results:
    """Two rounds, the second twice as slow, in which our tap has these microseconds a record."""
    costs = {(OURS, ALL): own, (PLAIN, ALL): 130, (OURS, BAD): own * 1.2, (VENDOR, ALL): 20}
    return Results(tuple(Round(entries(costs, slow)) for slow in (1, 2)))


def entries(costs: dict[tuple[Program, str], float], slow: int) -> dict[Key, Measured]:
    """What a round measures if start-up takes a second and each record this many microseconds."""
    start = {(p.name, ONE_PAGE): Measured(Usage(1, slow, 60), 500) for p, _ in costs}
    return start | {
        (p.name, setting): Measured(Usage(9, slow * (1 + cost / 10), 60), 100_500)
        for (p, setting), cost in costs.items()
    }


@pytest.mark.parametrize(
    ("own", "met", "guarded"),
    [
        (10, [True] * 4, [True] * 4),
        (15, [False, False, True, True], [True] * 4),
        (40, [False, False, True, True], [False, False, True, True]),
    ],
)
def test_only_what_was_measured_is_judged(
    own: float, met: list[bool], guarded: list[bool], capsys: pytest.CaptureFixture[str]
) -> None:
    """A figure is taken within its round; the guard has a wider margin than the target."""
    judged = list(verdicts(results(own)))
    assert [each.is_met for each in judged] == met
    assert [each.is_guarded for each in judged] == guarded
    assert guarded_status(results(own), {"p1"}) == (not all(guarded))
    said = capsys.readouterr().out
    assert said.count("the guard's margin") == guarded.count(False)


def test_a_ratio_is_taken_within_a_round() -> None:
    """A busy minute of one program changes one round, not the ratio of two medians."""
    rounds = [
        Round(entries({(OURS, ALL): own, (VENDOR, ALL): loop}, 1))
        for own, loop in ((10, 20), (40, 40), (10, 10))
    ]
    first, *_ = verdicts(Results(tuple(rounds)))
    assert first.value == pytest.approx(1)


def test_a_guard_without_figures_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """What was not measured is not guarded."""
    assert guarded_status(results(10), {"p1", "p2b"}) == 1
    assert capsys.readouterr().out == "P2B: not measured\n"


def test_figures_of_different_groups_are_added_round_by_round() -> None:
    """Both halves of a round are found, and what only one of them has."""
    added = results(10) + Results((Round({(OURS.name, SLOW): Measured(Usage(3, 1, 60))}),))
    assert added.middle(lambda of: of.wall(OURS.name, SLOW)) == 3
    assert added.middle(lambda of: of.cpu(OURS.name, ALL)) == 3
    with pytest.raises(KeyError):
        added.middle(lambda of: of.wall(PLAIN.name, SLOW))


def test_the_report_compares_and_judges(tmp_path: Path) -> None:
    """The page compares programs and judges by targets; tables and plots are written in place."""
    (tmp_path / "docs").mkdir()
    (tmp_path / PAGE).write_text((ROOT / PAGE).read_text("utf-8"), "utf-8")
    write(results(15), 100_000, "the command", tmp_path)
    page, bars = ((tmp_path / name).read_text("utf-8") for name in (PAGE, BARS))
    compared, judged = page.split(f"<!-- {JUDGED} -->")
    assert f"<!-- /{PROGRAMS} -->" in compared
    assert "| plain SDK tap | 1.50 | 195.0 | 8.7 |" in compared
    assert "missed" not in compared
    assert "| ≤ 0.65 | 0.75 | missed by 15 % |" in judged
    assert "| ≤ 1/12.0 | 1/8.7 | missed by 38 % |" in judged
    assert "8.7 times" in bars
    assert bars.count("<rect") == 4
    (tmp_path / PAGE).write_text("# A page without a place\n")
    with pytest.raises(ValueError, match=r"performance\.md needs the lines"):
        write(results(15), 100_000, "the command", tmp_path)


def test_the_plot_shows_each_request_in_flight() -> None:
    """The curve rises and falls with each request, and refusals have a colour of their own."""
    flight = Flight(
        (Answer(0.1, 0.1), Answer(0.2, 0.15, queued=2), Answer(0.3, 0.05, is_refusal=True))
    )
    assert flight.queued == pytest.approx(2 / 3)
    assert flight.refused == pytest.approx(1 / 3)
    measured = Measured(Usage(1, 1, 60), 1500, flight)
    plot = flights_plotted(Results((Round({(OURS.name, LIMIT): measured}),)))
    dots = {
        kind: path.count("M") for kind, path in re.findall(r'class="(\w+)" d="(M[^"]+h0)"', plot)
    }
    assert dots == {"dots": 2, "refused": 1}
    assert "1 of 3 answered by 429" in plot
    (curve,) = re.findall(r'class="line" d="([^"]+)"', plot)
    assert curve.count("V") == 6
    assert flights_plotted(results(15)) == ""


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


def test_a_fixed_width_never_changes() -> None:
    """Neither refusals nor good responses change it, so it shows what a number in flight gives."""
    limit = FixedLimit(5)
    for is_refused in (True, False) * 10:
        permit = limit.begin("customers")
        permit.is_refused, permit.size = is_refused, 1000
        limit.end(permit)
    assert limit.width == 5
