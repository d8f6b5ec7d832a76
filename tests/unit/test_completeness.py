"""A list that changes while it is read is read wholly, or the run ends red: hostile lists."""

from __future__ import annotations

import os
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.support.hostile_list import HostileList, Item, Kind
from tests.support.hostile_read import Read, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.hostile_list import Counts, Edit, Order

    Script = dict[int, Callable[[list[Item]], list[Item]]]

SCHEDULES = int(os.environ.get("TAP_CUBE_TEST_SCHEDULES", "10_000"))
"""Schedules of all tests in this file together; the weekly workflow takes 200,000."""

STABLE: list[Order] = ["id", "-id", "name", "-updated"]
EVERY_EDIT: list[Edit] = ["append", "insert", "import", "delete", "again", "update", "anonymise"]

GROWTH: list[tuple[tuple[Edit, ...], float]] = [
    ((), 0.0), (("append",), 0.3), (("import",), 0.1), (("insert",), 0.3),
]  # fmt: skip
ANSWERS: list[tuple[float, Counts]] = [
    (0.0, "right"), (0.1, "right"), (0.0, "none"), (0.0, "some"), (0.0, "cached"), (0.0, "low"),
]  # fmt: skip

GROWING = [Kind(order, edits, rate) for order in STABLE for edits, rate in GROWTH]
CHANGING = [Kind(order, (edit,), 0.05) for order in STABLE for edit in EVERY_EDIT]
MIXED = [
    Kind(order, ("append", "insert", "import", "delete", "again", "update"), rate, stale, counts)
    for order in STABLE
    for rate in (0.02, 0.2)
    for stale, counts in ANSWERS
]
UNSTABLE = [
    Kind(order, edits, 0.05)
    for order in ("day", "none")
    for edits in ((), ("delete",), ("update",), ("delete", "update"))
]
EVENTS = [
    Kind(order, edits, 0.1, are_events=True)
    for order in ("id", "-id")
    for edits in ((), ("append",), ("import",), ("delete",), ("append", "import", "delete"))
]
UNNAMED = [
    Kind(order, edits, 0.05, unnamed=unnamed)
    for order in ("id", "-id")
    for unnamed in (0.3, 0.9)
    for edits in ((), ("append",), ("delete",), ("append", "import", "delete", "anonymise"))
]


def _reads(kinds: list[Kind], schedules: int) -> list[tuple[Kind, HostileList, Read]]:
    """Read many lists of some kinds."""
    reads = []
    for seed in range(schedules):
        random, kind = Random(seed), kinds[seed % len(kinds)]
        length, size = random.choice([0, 1, 4, 9, 10, 11, 25, 40]), random.choice([3, 5, 10])
        rows = HostileList(kind, random, size=size, length=length)
        reads.append((kind, rows, read(rows, random.choice([0, 1, 4, 16]))))
    return reads


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize(
    "kinds",
    [CHANGING, MIXED, UNSTABLE, EVENTS, UNNAMED],
    ids=["changing", "mixed", "unstable", "events", "unnamed"],
)
def test_no_schedule_loses_a_row_and_ends_green(kinds: list[Kind], part: int) -> None:
    """Whatever happens between two answers: all rows or an error, and no key too many."""
    for kind, rows, result in _reads(kinds[part::4], SCHEDULES // 24):
        assert result.is_red or not result.lost or rows.hides_an_exchange, kind
        assert not result.phantoms, kind


@pytest.mark.parametrize("part", range(4))
def test_a_list_that_only_grows_is_read_once(part: int) -> None:
    """In any order, however fast; a list at rest costs two requests beside its pages."""
    for kind, rows, result in _reads(GROWING[part::4], SCHEDULES // 24):
        assert not result.is_red, kind
        assert result.passes == 1, kind
        assert not result.lost, kind
        if not kind.edits:
            pages = max(1, -(-rows.length // rows.size))
            assert result.requests <= pages + 2


@pytest.mark.parametrize(("order", "is_lost"), [("id", False), ("-id", False), ("name", True)])
def test_what_no_evidence_shows(order: Order, *, is_lost: bool) -> None:
    """A row goes and another comes between two answers: shown at the ends of a list only."""
    reads = _reads([Kind(order, ("exchange",), 0.1)], 400)
    assert any(result.lost and not result.is_red for _, _, result in reads) == is_lost


def _delete(place: int) -> Callable[[list[Item]], list[Item]]:
    return lambda items: items[:place] + items[place + 1 :]


def _again(items: list[Item]) -> list[Item]:
    return [*items[1:], replace(items[0], number=1000)]


def _came(number: int, *, name: int = 0, updated: int = 0) -> Callable[[list[Item]], list[Item]]:
    return lambda items: [*items, Item(number, name, updated, number)]


@pytest.mark.parametrize(
    ("order", "script", "stale"),
    [
        pytest.param("id", {1: _delete(0)}, {2}, id="A2: a replica has seen a deletion"),
        pytest.param("-id", {1: _came(1000)}, {2}, id="A3: a cache is older than an insertion"),
        pytest.param(
            "name", {3: _delete(0), 4: _came(1000, name=500)}, set(), id="A5: a deletion, a new row"
        ),
        pytest.param(
            "name",
            {3: _delete(0), 4: _came(1000, name=500), 9: _delete(0), 10: _came(1001, name=501)},
            set(),
            id="A6: one in each pass",
        ),
        pytest.param("id", {2: _again}, set(), id="A7: a row is imported again"),
    ],
)
@pytest.mark.parametrize("lookahead", [0, 1, 4, 8])
def test_known_faults(order: Order, script: Script, stale: set[int], lookahead: int) -> None:
    """Small schedules that once lost a row."""
    for seed in range(10):
        rows = HostileList(Kind(order), Random(seed), length=60, script=script, stale=stale)
        result = read(rows, lookahead)
        assert result.is_red or not result.lost


def test_a_page_without_a_count_is_no_evidence() -> None:
    """A4: one page has no count, and the page before is stale."""
    script = {1: _came(1000)}
    rows = HostileList(Kind("-id"), Random(0), length=60, script=script, stale={2}, uncounted={3})
    result = read(rows)
    assert result.is_red or not result.lost


def test_equal_rows_have_as_many_keys_as_rows() -> None:
    """A8: four rows without an id, equal to the letter; a deletion in each of two passes."""
    rows = HostileList(Kind("id"), Random(0), length=60, script={2: _delete(0), 11: _delete(0)})
    rows.states[0].items[:] = [
        replace(item, customer=None, text=7) if item.number % 17 == 3 else item
        for item in rows.states[0].items
    ]
    result = read(rows)
    assert not result.is_red
    assert not result.lost
    assert not result.phantoms
    assert rows.most()["text 7"] == 4


def test_a_count_that_is_too_high_ends_red() -> None:
    """A server that counts more rows than its pages have."""
    rows = HostileList(Kind("id", counts="high"), Random(0), length=35)
    assert read(rows).is_red


def test_requests_are_limited() -> None:
    """An account that changes before each answer takes no more than five passes."""
    rows = HostileList(Kind("-id", ("delete",), rate=1), Random(0), length=300)
    result = read(rows)
    assert result.is_red
    assert result.passes == 5
    assert result.requests <= (2 * 30 + 2) * 5
