"""No row is lost while rows come and go between the pages: whole histories, as fast as they run."""

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
    window=0,
    order=[],
    history=[[], [], [], [("both", 1, 0.5)]],
)
@given(
    count=st.integers(0, 60),
    newest_first=st.booleans(),
    size=st.sampled_from([1, 2, 3, 5, 10, 25]),
    window=st.sampled_from([0, 1, 4, 16]),
    order=st.lists(st.integers(0, 15), max_size=8),
    history=histories,
)
def test_rows_that_stay_are_read_whatever_comes_and_goes(  # noqa: PLR0913 - one history
    *,
    count: int,
    newest_first: bool,
    size: int,
    window: int,
    order: list[int],
    history: list[list[tuple[str, int, float]]],
) -> None:
    """A run is complete, or an error after a bounded number of requests: never short and green."""
    account = MovingAccount(list(range(count)), newest_first, history)
    try:
        emitted = set(read(PagesOf(account, size, window, order)))
    except IncompleteReadError:
        # Only an account that changed during every reading may end in an error.
        assert sum(map(bool, history[: account.asked])) >= MAX_PASSES
    else:
        assert {row for row in account.rows if row < 10_000} <= emitted
    most = -(-(count + account.born - 10_000) // size)
    assert account.asked <= (2 * most + 2) * MAX_PASSES


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("window", [0, 4])
def test_a_quiet_account_is_read_once(*, window: int, newest_first: bool) -> None:
    """Without a change no row comes twice, and completeness costs two requests."""
    account = MovingAccount(list(range(100)), newest_first, [])
    assert read(PagesOf(account, 10, window, [])) == list(range(100))
    assert account.asked == 10 + 2


def test_new_rows_at_the_end_cost_no_further_reading() -> None:
    """Rows that are appended all the while do not make an account unreadable."""
    history = [[("insert", 3, 0.0)] for _ in range(60)]
    account = MovingAccount(list(range(100)), newest_first=False, history=history)
    emitted = read(PagesOf(account, 10, 4, [3, 1, 2]))
    assert set(range(100)) <= set(emitted)
    assert len(emitted) == len(set(emitted))


def test_a_deletion_evened_out_by_an_insertion_is_noticed() -> None:
    """The count stays the same, and still the row that slid is read."""
    account = MovingAccount(
        list(range(50)), newest_first=False, history=[[], [], [("both", 1, 0.0)]]
    )
    assert set(range(1, 50)) <= set(read(PagesOf(account, 10, 0, [])))


def test_hundreds_deleted_at_once_cost_one_more_reading() -> None:
    """Every row that stays is read, and none twice."""
    account = MovingAccount(
        list(range(1000)), newest_first=False, history=[[], [], [], [("delete", 40, 0.1)] * 8]
    )
    emitted = read(PagesOf(account, 10, 4, []))
    assert set(account.rows) <= set(emitted)
    assert len(emitted) == len(set(emitted))


def test_an_account_that_never_rests_ends_in_an_error() -> None:
    """Deletions and new rows in front between all answers leave no certainty."""
    history = [[("both", 2, 0.3)] for _ in range(2000)]
    account = MovingAccount(list(range(2000)), newest_first=True, history=history)
    with pytest.raises(IncompleteReadError, match="Run again when the account changes less"):
        read(PagesOf(account, 10, 4, []))


def test_a_count_that_is_too_high_is_never_taken_for_complete() -> None:
    """A server that counts more rows than its pages hold is an error."""

    class Boasting(MovingAccount):
        @override
        def answer(self, number: int, size: int) -> Page | None:
            page = super().answer(number, size)
            return page and replace(page, count=90)

    with pytest.raises(IncompleteReadError, match="counts 90, the last pass found 35"):
        read(PagesOf(Boasting(list(range(35)), newest_first=False, history=[]), 10, 4, []))


def test_without_counts_a_second_reading_is_the_witness() -> None:
    """A server that tells no count is read until a reading brings nothing new."""

    class Silent(MovingAccount):
        @override
        def answer(self, number: int, size: int) -> Page | None:
            page = super().answer(number, size)
            return page and replace(page, count=None)

    account = Silent(list(range(50)), newest_first=False, history=[[], [], [("delete", 1, 0.0)]])
    assert set(range(1, 50)) <= set(read(PagesOf(account, 10, 4, [])))


def test_several_rows_with_one_id_are_complete_with_the_second_reading() -> None:
    """Ids that the account gave twice by mistake are no loss: the rows' texts tell them apart."""

    class Careless(MovingAccount):
        @override
        def answer(self, number: int, size: int) -> Page | None:
            page = super().answer(number, size)
            if page is None:
                return None
            rows = [{"id": row["id"] // 2, "name": row["id"]} for row in json.loads(page.body)]
            heads = [CustomerRow(id=row["id"]) for row in rows]
            return replace(page, body=json.dumps(rows).encode(), rows=heads, _raw_rows=None)

    account = Careless(list(range(31)), newest_first=False, history=[])
    reader = reader_of(PagesOf(account, 10, 4, []))
    names = {json.loads(page.raw_rows[n])["name"] for page, places in reader for n in places}
    assert names == set(range(31))
    assert reader.pass_number == 1
