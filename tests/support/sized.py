"""Which tests depend on their sizes, so that a thorough run repeats no others."""

from __future__ import annotations

import ast
from functools import cache
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOURCES = ("tests.support.sizes", "hypothesis")


def is_sized(item: pytest.Item) -> bool:
    """Whether a test has other cases, or does more, with large sizes."""
    names = sized_names(item.path)
    name = item.originalname if isinstance(item, pytest.Function) else item.name
    return name in names or "pytestmark" in names


@cache
def sized_names(path: Path) -> frozenset[str]:
    """Names of a test module whose definition uses a source of sizes, or a name that does."""
    module = ast.parse(path.read_text("utf-8"))
    sized = set(_imported(module))
    uses = {name: _used(node) for node in module.body for name in _defined(node)}
    while more := {name for name in uses.keys() - sized if uses[name] & sized}:
        sized |= more
    return frozenset(sized)


def _imported(module: ast.Module) -> Iterator[str]:
    """Names that a module imports from a source of sizes."""
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(SOURCES):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith(SOURCES))


def _defined(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    names = (part for part in ast.walk(node) if isinstance(part, ast.Name))
    return {name.id for name in names if isinstance(name.ctx, ast.Store)}


def _used(node: ast.stmt) -> set[str]:
    """Names that a statement reads; an argument of a test is the name of a fixture."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} | {
        part.arg for part in ast.walk(node) if isinstance(part, ast.arg)
    }
