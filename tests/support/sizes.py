"""How much tests try: little by default, a lot with ``TAP_CUBE_TEST_SIZES=large``."""

from __future__ import annotations

import os
from itertools import cycle, islice, product
from typing import TYPE_CHECKING, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")

IS_LARGE = os.environ.get("TAP_CUBE_TEST_SIZES") == "large"


def scaled(small: T, large: T) -> T:
    """Choose between the size of every run and the size of a thorough one."""
    return large if IS_LARGE else small


only_large = pytest.mark.skipif(not IS_LARGE, reason="TAP_CUBE_TEST_SIZES is not large")
"""Marks a test, or a case of one, that only a thorough run needs."""


def by_turns(rows: Iterable[object], *others: Iterable[object]) -> list[tuple[object, ...]]:
    """Pair each row with one combination of the others, by turns; with two when thorough."""
    turns = [*product(*others)]
    return [
        (row, *chosen)
        for number, row in enumerate(rows)
        for chosen in islice(cycle(turns), number, number + min(scaled(1, 2), len(turns)))
    ]
