"""Identical rows, and servers whose pages never end."""

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


class AccountWithDuplicates(MovingAccount):
    """An account whose rows are identical if their numbers are in `duplicates`."""

    duplicates: frozenset[int] = frozenset()
    name = ""

    @override
    def respond(self, number: int, size: int) -> Page | None:
        page = super().respond(number, size)
        if page is None:
            return None
        numbers = [row["id"] for row in json.loads(page.body)]
        rows = [{"id": self.name if n in self.duplicates else n} for n in numbers]
        decoded = [CustomerRow(id=row["id"]) for row in rows]
        return replace(page, body=json.dumps(rows).encode(), rows=decoded, _raw_rows=None)


@pytest.mark.parametrize("lookahead", [0, 4])
@pytest.mark.parametrize(
    "duplicates", [{1, 35}, {0, 10, 20, 30}, {*range(31, 40)}, {*range(30, 40)}, {*range(40)}]
)
def test_identical_rows_cost_no_further_pass(lookahead: int, duplicates: set[int]) -> None:
    """Anonymised rows on several pages, or a last page full of them, do not look like a change."""
    account = AccountWithDuplicates(list(range(40)), newest_first=False, history=[])
    account.duplicates = frozenset(duplicates)
    emitted = read(PagesOf(account, 10, lookahead, []))
    assert len(emitted) == 40
    assert account.requests == 4 + 2


def keys_of(pages: Pages) -> list[str]:
    """The emitted key of each row: its id, or a surrogate key."""
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
    duplicates=st.frozensets(st.integers(1, 40)),
    newest_first=st.booleans(),
    size=st.sampled_from([1, 2, 3, 5, 10]),
    lookahead=st.sampled_from([0, 1, 4]),
    history=st.lists(edits, max_size=30),
)
def test_no_remaining_duplicate_is_lost(  # noqa: PLR0913 - one history
    *,
    count: int,
    duplicates: frozenset[int],
    newest_first: bool,
    size: int,
    lookahead: int,
    history: list[list[tuple[str, int, float]]],
) -> None:
    """Inserted and deleted rows do not hide an identical row."""
    account = AccountWithDuplicates(list(range(1, count + 1)), newest_first, history)
    account.duplicates = duplicates
    try:
        keys = Counter(keys_of(PagesOf(account, size, lookahead, [])))
    except IncompleteReadError:
        return
    stayed = [row for row in account.rows if row <= count]
    assert {str(row) for row in stayed if row not in duplicates} <= keys.keys()
    given = sum(key.startswith("surrogate:") for key in keys)
    assert given >= len(duplicates.intersection(stayed))


def test_a_row_that_moved_is_not_a_duplicate() -> None:
    """A row without an id that an insertion moved to the next page counts once."""
    history = [[], [], [("insert", 1, 0.0)]]
    account = AccountWithDuplicates(list(range(40)), newest_first=True, history=history)
    account.duplicates = frozenset({9})
    keys = keys_of(PagesOf(account, 10, 0, []))
    assert len({key for key in keys if key.startswith("surrogate:")}) == 1


def test_rows_identical_including_their_id_need_two_passes() -> None:
    """A row that the account shows and counts twice is not a missing row."""
    account = AccountWithDuplicates(list(range(31)), newest_first=False, history=[])
    account.duplicates, account.name = frozenset({3, 17}), "same"
    reader = reader_of(PagesOf(account, 10, 4, []))
    assert {json.loads(page.raw_rows[n])["id"] for page, places in reader for n in places} == {
        *(set(range(31)) - {3, 17}),
        "same",
    }
    assert reader.pass_number == 1


def test_endless_pages_without_a_count_end_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server invents new rows for ever and never sends a count."""
    monkeypatch.setattr(passes, "MAX_PAGES", 50)

    class Endless(MovingAccount):
        @override
        def respond(self, number: int, size: int) -> Page | None:
            page = super().respond(1, size)
            row = CustomerRow(id=self.requests)
            return page and replace(page, rows=[row], count=None, next="?page=2")

    account = Endless([1], newest_first=False, history=[])
    with pytest.raises(IncompleteReadError):
        read(PagesOf(account, 1, 4, []))
    assert account.requests < MAX_PASSES * 60
