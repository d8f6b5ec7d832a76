"""Ranges of days are split into small windows; no day is lost or read twice."""

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

ranges = st.builds(
    lambda first, days: Window(first, first + days * DAY),
    st.dates(date(1990, 1, 1), date(2100, 1, 1)),
    st.integers(0, 12_000),
)


def days_of(windows: Sequence[Window]) -> list[date]:
    """Every day of the windows, in their order."""
    return [window.first + n * DAY for window in windows for n in range(window.days)]


def days_from(first: date, number: int) -> Window:
    """A window of `number` days from the first one."""
    return Window(first, first + (number - 1) * DAY)


@given(full_range=ranges, counts=st.lists(st.integers(0, 3 * MAX_PAGES), max_size=200))
def test_every_day_comes_once_and_in_order(full_range: Window, counts: list[int]) -> None:
    """The windows cover the full range without gap or overlap, whatever the server counts."""
    remaining = iter(counts)
    windows = list(small_windows(full_range, lambda _: next(remaining, 0)))
    assert (windows[0].first, windows[-1].last) == (full_range.first, full_range.last)
    assert all(window.first <= window.last for window in windows)
    assert all(before.last + DAY == after.first for before, after in pairwise(windows))


@given(st.dictionaries(st.integers(0, 900), st.integers(1, 3 * MAX_PAGES), max_size=40))
def test_only_a_single_day_exceeds_the_page_limit(pages: dict[int, int]) -> None:
    """A window of several days has at most `MAX_PAGES` pages."""
    full_range = days_from(FIRST, 901)

    def pages_of(window: Window) -> int:
        days = range((window.first - FIRST).days, (window.last - FIRST).days + 1)
        return sum(pages.get(day, 0) for day in days)

    windows = list(small_windows(full_range, pages_of))
    assert days_of(windows) == days_of([full_range])
    assert all(window.days == 1 or pages_of(window) <= MAX_PAGES for window in windows)


@given(full_range=ranges, counts=st.lists(st.integers(0, 3 * MAX_PAGES), max_size=200))
def test_a_window_is_counted_once_and_right_before_it_is_read(
    full_range: Window, counts: list[int]
) -> None:
    """The request that counts a window also brings its first page."""
    remaining = iter(counts)
    requested: list[Window] = []

    def pages_of(window: Window) -> int:
        requested.append(window)
        return next(remaining, 0)

    for window in small_windows(full_range, pages_of):
        assert requested[-1] == window
    assert len(set(requested)) == len(requested)


def counting(number: int) -> tuple[list[Window], Callable[[Window], int]]:
    """A server with the same number of pages in every range, and its requests."""
    requested: list[Window] = []

    def pages_of(window: Window) -> int:
        requested.append(window)
        return number

    return requested, pages_of


def test_a_range_with_few_events_is_one_window_and_one_request() -> None:
    """A range within the page limit is not split."""
    full_range = days_from(FIRST, 1000)
    requested, pages_of = counting(MAX_PAGES)
    assert list(small_windows(full_range, pages_of)) == requested == [full_range]


def test_a_single_day_is_not_split() -> None:
    """The API has no range smaller than a day."""
    day = days_from(FIRST, 1)
    _, pages_of = counting(1000)
    assert list(small_windows(day, pages_of)) == [day]


def test_a_range_is_split_into_as_few_parts_as_possible() -> None:
    """One page too many splits the range in two, whatever its number of days."""
    full_range = days_from(FIRST, 300)
    pages = {full_range: MAX_PAGES + 1}
    windows = list(small_windows(full_range, lambda window: pages.get(window, 1)))
    assert [window.days for window in windows] == [150, 150]


def test_the_number_of_parts_of_a_split_is_limited() -> None:
    """Events are not spread evenly, so most of many small parts would be empty."""
    full_range = days_from(FIRST, 9_000)
    pages = {full_range: 100_000}
    windows = list(small_windows(full_range, lambda window: pages.get(window, 1)))
    assert len(windows) == MAX_PARTS


@given(full_range=ranges, number=st.integers(1, 40))
def test_parts_are_nearly_equal(full_range: Window, number: int) -> None:
    """Parts differ by at most one day, and none is empty."""
    lengths = [part.days for part in full_range.parts(number)]
    assert len(lengths) == min(number, full_range.days)
    assert sum(lengths) == full_range.days
    assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize(
    ("window", "query"),
    [
        (days_from(date(2023, 12, 31), 1), "from_date=20231231&to_date=20231231"),
        (days_from(date(2024, 2, 28), 3), "from_date=20240228&to_date=20240301"),
    ],
)
def test_a_query_has_both_dates(window: Window, query: str) -> None:
    """Without both dates the server returns only today (T20)."""
    assert window.query == query
