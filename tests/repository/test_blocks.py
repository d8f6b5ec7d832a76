"""Each command, query and setting on a page is asked for by a test, which runs it."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from tests.repository.docs import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUN = frozenset({"dotenv", "json", "sh", "sql", "yaml"})
"""The languages of what a reader pastes. `text` and `console` show what a program prints."""

OTHERWISE = {
    ("README.md", "sh", "Try it"): "they are what `.ci/run` runs, and tests/e2e/test_demo.py",
    ("docs/architecture.md", "json", "Add a stream"): "a row, as the sandbox sends it",
    ("docs/architecture.md", "json", "What the state remembers"): "a state",
    ("docs/architecture.md", "sh", "Add a stream"): "tests/repository/test_architecture.py",
    ("docs/performance.md", "sh", "Run it"): "takes a quarter of an hour; tests/benchmarks",
}
"""Blocks that no test asks for by name, and what makes them true."""


def test_every_block_is_run() -> None:
    """A new block needs a test that runs it, in the section where it is."""
    asked = set(_asked())
    unknown = {
        block
        for block in _blocks()
        if not asked & {block, (*block[:2], "")} and block not in OTHERWISE
    }
    assert unknown == set()
    assert OTHERWISE.keys() <= set(_blocks())


def _blocks() -> Iterator[tuple[str, str, str]]:
    """Page, language and section of each block."""
    for path in [ROOT / "README.md", *ROOT.glob("docs/*.md")]:
        section = ""
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("## "):
                section = line.removeprefix("## ")
            found = re.fullmatch(r" *```(\w+)", line)
            if found and found[1] in RUN:
                yield path.relative_to(ROOT).as_posix(), found[1], section


def _asked() -> Iterator[tuple[str, str, str]]:
    """Page, language and section of each call of `fenced` in the tests."""
    for path in ROOT.glob("tests/**/*.py"):
        text = path.read_text("utf-8")
        tree = ast.parse(text if "fenced(" in text else "")
        names = dict(_constants(tree))
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "fenced":
                page, language, section = [_text(each, names, path) for each in call.args] + [
                    ""
                ] * (3 - len(call.args))
                yield page, language, section


def _constants(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Names that a module or a test gives to texts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _pairs(target, node.value)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, str]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, other in zip(target.elts, value.elts, strict=False):
            yield from _pairs(one, other)
    elif isinstance(target, ast.Name) and isinstance(value, ast.Constant):
        yield target.id, str(value.value)


def _text(argument: ast.expr, names: dict[str, str], path: Path) -> str:
    if isinstance(argument, ast.Constant):
        return str(argument.value)
    assert isinstance(argument, ast.Name), f"{path.name}: name the block by a text or a constant"
    return names[argument.id]
