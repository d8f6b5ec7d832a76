"""How much tests try: little by default, a lot with ``TAP_CUBE_TEST_SIZES=large``."""

from __future__ import annotations

import os
from typing import TypeVar

import pytest

T = TypeVar("T")

IS_LARGE = os.environ.get("TAP_CUBE_TEST_SIZES") == "large"


def scaled(small: T, large: T) -> T:
    """Choose between the size of every run and the size of a thorough one."""
    return large if IS_LARGE else small


only_large = pytest.mark.skipif(not IS_LARGE, reason="TAP_CUBE_TEST_SIZES is not large")
"""Marks a test, or a case of one, that only a thorough run needs."""
