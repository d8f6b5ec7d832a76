"""`-m sized` with large sizes runs what other runs do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.sized import sized_names

if TYPE_CHECKING:
    from pathlib import Path

MODULE = """
from hypothesis import given
from tests.support.sizes import only_large, scaled

CUSTOMERS = scaled(5, 50)
PAGES: int = CUSTOMERS // 5

@pytest.fixture
def cube():
    with Sandbox(customers=CUSTOMERS) as sandbox:
        yield sandbox

def answer():
    return PAGES

@only_large
def test_marked(): ...

@pytest.mark.parametrize("size", scaled([1], [1, 2]))
def test_with_cases(size): ...

def test_with_a_fixture(cube): ...

def test_with_a_helper():
    assert answer()

@given(text())
def test_of_any_text(text): ...

def test_of_one_size(warehouse):
    assert warehouse
"""


def test_a_test_is_sized_by_what_it_uses(tmp_path: Path) -> None:
    """Decorators, constants, fixtures and helpers count, however far away the size is."""
    path = tmp_path / "test_module.py"
    path.write_text(MODULE)
    tests = {name for name in sized_names(path) if name.startswith("test_")}
    assert tests == {
        "test_marked",
        "test_with_cases",
        "test_with_a_fixture",
        "test_with_a_helper",
        "test_of_any_text",
    }
