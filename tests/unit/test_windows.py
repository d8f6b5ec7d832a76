"""Days are split until they are few enough to read, and no day is lost or read twice."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_cube.paging.windows import MAX_PAGES, MAX_PARTS, Window, small_windows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DAY = timedelta(days=1)
FIRST = date(2022, 1, 1)

wholes = st.builds(
    lambda first, days: Window(first, first + days * DAY),
    st.dates(date(1990, 1, 1), date(2100, 1, 1)),
    st.integers(0, 12_000),
)


def days_of(windows: Sequence[Window]) -> list[date]:
    """Every day of some windows, in their order."""
    return [window.first + n * DAY for window in windows for n in range(window.days)]


def days_from(first: date, number: int) -> Window:
    """So many days from one on."""
    return Window(first, first + (number - 1) * DAY)


@given(whole=wholes, answers=st.lists(st.integers(0, 3 * MAX_PAGES), max_size=200))
def test_every_day_comes_once_and_in_order(whole: Window, answers: list[int]) -> None:
    """Whatever the server counts, the windows together are the whole, without gap or overlap."""
    coming = iter(answers)
    windows = list(small_windows(whole, lambda _: next(coming, 0)))
    assert (windows[0].first, windows[-1].last) == (whole.first, whole.last)
    assert all(window.first <= window.last for window in windows)
    assert all(before.last + DAY == after.first for before, after in pairwise(windows))


@given(st.dictionaries(st.integers(0, 900), st.integers(1, 3 * MAX_PAGES), max_size=40))
def test_windows_are_small_where_days_are(pages: dict[int, int]) -> None:
    """Only a single day may have more pages than a window should."""
    whole = days_from(FIRST, 901)

    def pages_of(window: Window) -> int:
        days = range((window.first - FIRST).days, (window.last - FIRST).days + 1)
        return sum(pages.get(day, 0) for day in days)

    windows = list(small_windows(whole, pages_of))
    assert days_of(windows) == days_of([whole])
    assert all(window.days == 1 or pages_of(window) <= MAX_PAGES for window in windows)


@given(whole=wholes, answers=st.lists(st.integers(0, 3 * MAX_PAGES), max_size=200))
def test_a_window_is_asked_for_once_and_right_before_it_comes(
    whole: Window, answers: list[int]
) -> None:
    """Its first page can be kept from the question, so that no window costs a request more."""
    coming = iter(answers)
    asked: list[Window] = []

    def pages_of(window: Window) -> int:
        asked.append(window)
        return next(coming, 0)

    for window in small_windows(whole, pages_of):
        assert asked[-1] == window
    assert len(set(asked)) == len(asked)


def counting(number: int) -> tuple[list[Window], Callable[[Window], int]]:
    """A server that has so many pages in every range, and what it was asked."""
    asked: list[Window] = []

    def pages_of(window: Window) -> int:
        asked.append(window)
        return number

    return asked, pages_of


def test_a_quiet_range_is_one_window_and_one_question() -> None:
    """Where little happened nothing is split."""
    whole = days_from(FIRST, 1000)
    asked, pages_of = counting(MAX_PAGES)
    assert list(small_windows(whole, pages_of)) == asked == [whole]


def test_a_full_day_is_not_split() -> None:
    """The API knows nothing finer than a day, so that is read as it is."""
    day = days_from(FIRST, 1)
    _, pages_of = counting(1000)
    assert list(small_windows(day, pages_of)) == [day]


def test_a_range_is_split_into_no_more_parts_than_it_needs() -> None:
    """Twice as many pages as fit are tried in two parts, however many days there are."""
    whole = days_from(FIRST, 300)
    pages = {whole: MAX_PAGES + 1}
    windows = list(small_windows(whole, lambda window: pages.get(window, 1)))
    assert [window.days for window in windows] == [150, 150]


def test_a_range_is_not_split_into_very_many_parts_at_once() -> None:
    """Events are never spread evenly, so that most of many parts would be asked for nothing."""
    whole = days_from(FIRST, 9_000)
    pages = {whole: 100_000}
    windows = list(small_windows(whole, lambda window: pages.get(window, 1)))
    assert len(windows) == MAX_PARTS


@given(whole=wholes, number=st.integers(1, 40))
def test_parts_are_nearly_equal(whole: Window, number: int) -> None:
    """No part is more than a day longer than another, and none is empty."""
    lengths = [part.days for part in whole.parts(number)]
    assert len(lengths) == min(number, whole.days)
    assert sum(lengths) == whole.days
    assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize(
    ("window", "query"),
    [
        (days_from(date(2023, 12, 31), 1), "from_date=20231231&to_date=20231231"),
        (days_from(date(2024, 2, 28), 3), "from_date=20240228&to_date=20240301"),
    ],
)
def test_a_query_has_both_dates(window: Window, query: str) -> None:
    """Without both of them the server would answer for today alone (T20)."""
    assert window.query == query
