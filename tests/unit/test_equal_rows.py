"""Rows that are equal to the letter, and servers that never come to an end."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from tap_cube.errors import IncompleteReadError
from tap_cube.paging import passes
from tap_cube.paging.complete import MAX_PASSES
from tap_cube.records.rows import CustomerRow, SurrogateKeys, surrogate_key
from tests.support.moving_account import MovingAccount, PagesOf, edits, read, reader_of
from tests.support.sizes import scaled

if TYPE_CHECKING:
    from tap_cube.paging.pages import Pages
    from tap_cube.records.page import Page

EXAMPLES = int(os.environ.get("HISTORIES", scaled("150", "500")))


class Equal(MovingAccount):
    """An account whose rows are equal to the letter where their numbers are in `alike`."""

    alike: frozenset[int] = frozenset()
    name = ""

    @override
    def answer(self, number: int, size: int) -> Page | None:
        page = super().answer(number, size)
        if page is None:
            return None
        numbers = [row["id"] for row in json.loads(page.body)]
        rows = [{"id": self.name if n in self.alike else n} for n in numbers]
        heads = [CustomerRow(id=row["id"]) for row in rows]
        return replace(page, body=json.dumps(rows).encode(), rows=heads, _raw_rows=None)


@pytest.mark.parametrize("window", [0, 4])
@pytest.mark.parametrize(
    "alike", [{1, 35}, {0, 10, 20, 30}, {*range(31, 40)}, {*range(30, 40)}, {*range(40)}]
)
def test_rows_equal_to_the_letter_cost_no_further_reading(window: int, alike: set[int]) -> None:
    """Anonymised rows on several pages, or the last page full of them, are no sign of change."""
    account = Equal(list(range(40)), newest_first=False, history=[])
    account.alike = frozenset(alike)
    emitted = read(PagesOf(account, 10, window, []))
    assert len(emitted) == 40
    assert account.asked == 4 + 2


def keys_of(pages: Pages) -> list[str]:
    """Keys of the rows without an id, and ids of the others, as they would be emitted."""
    reader, given = reader_of(pages), SurrogateKeys()
    keys = []
    for page, places in reader:
        for row in (page.raw_rows[place] for place in places):
            own = json.loads(row)["id"]
            keys.append(str(own or surrogate_key(row, given, reader.pass_number)))
    return keys


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    count=st.integers(1, 40),
    alike=st.frozensets(st.integers(1, 40)),
    newest_first=st.booleans(),
    size=st.sampled_from([1, 2, 3, 5, 10]),
    window=st.sampled_from([0, 1, 4]),
    history=st.lists(edits, max_size=30),
)
def test_equal_rows_that_stay_are_as_many_as_they_were(  # noqa: PLR0913 - one history
    *,
    count: int,
    alike: frozenset[int],
    newest_first: bool,
    size: int,
    window: int,
    history: list[list[tuple[str, int, float]]],
) -> None:
    """Whatever comes and goes, no row is taken for another that is equal to it."""
    account = Equal(list(range(1, count + 1)), newest_first, history)
    account.alike = alike
    try:
        keys = Counter(keys_of(PagesOf(account, size, window, [])))
    except IncompleteReadError:
        return
    stayed = [row for row in account.rows if row <= count]
    assert {str(row) for row in stayed if row not in alike} <= keys.keys()
    given = sum(key.startswith("surrogate:") for key in keys)
    assert given >= len(alike.intersection(stayed))


def test_a_moved_row_is_not_taken_for_an_equal_one() -> None:
    """A row without an id that comes again on the next page, since one was added, counts once."""
    history = [[], [], [("insert", 1, 0.0)]]
    account = Equal(list(range(40)), newest_first=True, history=history)
    account.alike = frozenset({9})
    keys = keys_of(PagesOf(account, 10, 0, []))
    assert len({key for key in keys if key.startswith("surrogate:")}) == 1


def test_rows_equal_even_in_their_id_are_complete_with_the_second_reading() -> None:
    """What the account shows twice, on two pages, and counts twice, is no loss."""
    account = Equal(list(range(31)), newest_first=False, history=[])
    account.alike, account.name = frozenset({3, 17}), "same"
    reader = reader_of(PagesOf(account, 10, 4, []))
    assert {json.loads(page.raw_rows[n])["id"] for page, places in reader for n in places} == {
        *(set(range(31)) - {3, 17}),
        "same",
    }
    assert reader.pass_number == 1


def test_pages_without_end_or_count_come_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that makes up new rows for ever, and never says how many there are."""
    monkeypatch.setattr(passes, "MAX_PAGES", 50)

    class Endless(MovingAccount):
        @override
        def answer(self, number: int, size: int) -> Page | None:
            page = super().answer(1, size)
            head = CustomerRow(id=self.asked)
            return page and replace(page, rows=[head], count=None, next="?page=2")

    account = Endless([1], newest_first=False, history=[])
    with pytest.raises(IncompleteReadError):
        read(PagesOf(account, 1, 4, []))
    assert account.asked < MAX_PASSES * 60
