"""No row is lost while rows are inserted and deleted between pages: generated histories."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from tap_cube.errors import IncompleteReadError
from tap_cube.paging.complete import MAX_PASSES
from tap_cube.records.rows import CustomerRow
from tests.support.moving_account import MovingAccount, PagesOf, edits, read, reader_of
from tests.support.sizes import scaled

if TYPE_CHECKING:
    from tap_cube.records.page import Page

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("HISTORIES", scaled("200", "1000")))

histories = st.lists(edits, max_size=60)


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@example(
    count=5,
    newest_first=False,
    size=2,
    lookahead=0,
    order=[],
    history=[[], [], [], [("both", 1, 0.5)]],
)
@given(
    count=st.integers(0, 60),
    newest_first=st.booleans(),
    size=st.sampled_from([1, 2, 3, 5, 10, 25]),
    lookahead=st.sampled_from([0, 1, 4, 16]),
    order=st.lists(st.integers(0, 15), max_size=8),
    history=histories,
)
def test_no_remaining_row_is_lost(  # noqa: PLR0913 - one history
    *,
    count: int,
    newest_first: bool,
    size: int,
    lookahead: int,
    order: list[int],
    history: list[list[tuple[str, int, float]]],
) -> None:
    """A read is complete, or ends in an error after a limited number of requests."""
    account = MovingAccount(list(range(count)), newest_first, history)
    try:
        emitted = set(read(PagesOf(account, size, lookahead, order)))
    except IncompleteReadError:
        # Only an account that changed during every pass may end in an error.
        assert sum(map(bool, history[: account.requests])) >= MAX_PASSES
    else:
        assert {row for row in account.rows if row < 10_000} <= emitted
    max_pages = -(-(count + account.last_inserted - 10_000) // size)
    assert account.requests <= (2 * max_pages + 2) * MAX_PASSES


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("lookahead", [0, 4])
def test_an_unchanged_account_is_read_once(*, lookahead: int, newest_first: bool) -> None:
    """No row is emitted twice, and the completeness check costs two requests."""
    account = MovingAccount(list(range(100)), newest_first, [])
    assert read(PagesOf(account, 10, lookahead, [])) == list(range(100))
    assert account.requests == 10 + 2


def test_new_rows_at_the_end_cost_no_further_pass() -> None:
    """Rows appended before every response do not prevent a complete read."""
    history = [[("insert", 3, 0.0)] for _ in range(60)]
    account = MovingAccount(list(range(100)), newest_first=False, history=history)
    emitted = read(PagesOf(account, 10, 4, [3, 1, 2]))
    assert set(range(100)) <= set(emitted)
    assert len(emitted) == len(set(emitted))


def test_a_deletion_is_noticed_despite_an_insertion() -> None:
    """The count stays the same, and the row that moved to another page is still read."""
    account = MovingAccount(
        list(range(50)), newest_first=False, history=[[], [], [("both", 1, 0.0)]]
    )
    assert set(range(1, 50)) <= set(read(PagesOf(account, 10, 0, [])))


def test_hundreds_of_deletions_at_once_lose_no_row() -> None:
    """Every remaining row is read, and no row is emitted twice."""
    account = MovingAccount(
        list(range(1000)), newest_first=False, history=[[], [], [], [("delete", 40, 0.1)] * 8]
    )
    emitted = read(PagesOf(account, 10, 4, []))
    assert set(account.rows) <= set(emitted)
    assert len(emitted) == len(set(emitted))


def test_an_account_that_always_changes_ends_in_an_error() -> None:
    """Deletions and new first rows before every response prevent a complete read."""
    history = [[("both", 2, 0.3)] for _ in range(2000)]
    account = MovingAccount(list(range(2000)), newest_first=True, history=history)
    with pytest.raises(IncompleteReadError, match="Run again when the account changes less"):
        read(PagesOf(account, 10, 4, []))


def test_a_count_that_is_too_high_ends_in_an_error() -> None:
    """A server that counts more rows than its pages hold prevents a complete read."""

    class CountingTooMany(MovingAccount):
        @override
        def respond(self, number: int, size: int) -> Page | None:
            page = super().respond(number, size)
            return page and replace(page, count=90)

    with pytest.raises(IncompleteReadError, match="counts 90, the last pass found 35"):
        read(PagesOf(CountingTooMany(list(range(35)), newest_first=False, history=[]), 10, 4, []))


def test_without_counts_a_second_pass_confirms_the_first() -> None:
    """Without a count, passes are repeated until one finds no new row."""

    class Uncounted(MovingAccount):
        @override
        def respond(self, number: int, size: int) -> Page | None:
            page = super().respond(number, size)
            return page and replace(page, count=None)

    account = Uncounted(list(range(50)), newest_first=False, history=[[], [], [("delete", 1, 0.0)]])
    assert set(range(1, 50)) <= set(read(PagesOf(account, 10, 4, [])))


def test_rows_with_the_same_id_need_two_passes() -> None:
    """Rows that share an id by mistake are all read: their text distinguishes them."""

    class SharingIds(MovingAccount):
        @override
        def respond(self, number: int, size: int) -> Page | None:
            page = super().respond(number, size)
            if page is None:
                return None
            rows = [{"id": row["id"] // 2, "name": row["id"]} for row in json.loads(page.body)]
            decoded = [CustomerRow(id=row["id"]) for row in rows]
            return replace(page, body=json.dumps(rows).encode(), rows=decoded, _raw_rows=None)

    account = SharingIds(list(range(31)), newest_first=False, history=[])
    reader = reader_of(PagesOf(account, 10, 4, []))
    names = {json.loads(page.raw_rows[n])["name"] for page, places in reader for n in places}
    assert names == set(range(31))
    assert reader.pass_number == 1
