"""One sandbox per session, reset for each test."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from cube_sandbox import Sandbox
from tap_cube.http import limit
from tests.support.runs import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

TODAY = date(2024, 5, 17)


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    """Run a small account whose date is fixed, so that its content never changes."""
    with Sandbox(customers=12, outcomes=0, page_size=5, today=TODAY, without=EVENTS) as cube:
        yield cube


@pytest.fixture
def cube(running: Sandbox) -> Sandbox:
    """Reset the account and return it. It has customers only; most tests need no more.

    `cube.reset(without=(), outcomes=60)` adds events.
    """
    running.reset()
    return running


@pytest.fixture
def full_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let as many requests be in flight from the start as `read_ahead` allows."""
    monkeypatch.setattr(limit, "START", 16)
