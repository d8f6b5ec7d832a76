"""How all tests run: compiled once, and Hypothesis without a clock, afresh, longer on request."""

from __future__ import annotations

import gc
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.support.sized import is_sized
from tests.support.sizes import IS_LARGE, scaled

if TYPE_CHECKING:
    from collections.abc import Generator

# Hundreds of tests start a program, which would be compiled anew each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell starts a job in the background with SIGINT ignored, and the programs would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile(
    "tap-cube",
    deadline=None,
    database=None,
    max_examples=scaled(25, 120),
    phases=set(Phase) - {Phase.explain},  # costs hundreds of examples for a hint
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tap-cube")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Import the tests without a search for garbage, and never search what they keep."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that differ in a thorough run."""
    for item in items if IS_LARGE else ():
        if is_sized(item):
            item.add_marker("sized")
