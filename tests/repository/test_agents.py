"""AGENTS.md names commands that exist, and the layers of the import contract."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import tomllib
from typing import Any

import pytest

from tests.repository.docs import ROOT
from tests.support.documented import fenced
from tests.support.tap_process import SCRIPTS

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
RUNS = [
    command.strip()
    for text in fenced("AGENTS.md", "sh", "Commands")
    for line in text.splitlines()
    for command in line.partition("  #")[0].split("&&")
]


@pytest.mark.parametrize("command", RUNS)
def test_a_command_names_what_exists(command: str) -> None:
    """Its program, its module, its files and its dependency group are those of the project."""
    words = shlex.split(command)
    if words[:2] == ["uv", "run"]:
        assert words[2] == "--locked"
        words = words[3:]
        if words[0] == "--group":
            _, group, *words = words
            assert any(each.startswith(words[0]) for each in PROJECT["dependency-groups"][group])
        else:
            assert (SCRIPTS / words[0]).exists()
        if words[:2] == ["python", "-m"]:
            assert importlib.util.find_spec(words[2])
        for path in (word for word in words if re.match(r"tests/|tap_cube$", word)):
            assert (ROOT / path).exists()
    elif words[0].startswith("."):
        assert os.access(ROOT / words[0], os.X_OK)
    else:
        assert words in (["pip", "install", "uv"], ["uv", "sync", "--locked"])


def test_the_wings_are_those_of_the_contract() -> None:
    """The layers stand in the order in which `lint-imports` checks them."""
    layers = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    assert fenced("AGENTS.md", "text", "Wings") == ["\n".join([*layers, ""])]


def test_the_folders_of_tests_are_all_named() -> None:
    """No folder with tests is left out."""
    page = (ROOT / "AGENTS.md").read_text("utf-8")
    folders = {path.relative_to(ROOT).parts[1] for path in ROOT.glob("tests/*/**/test_*.py")}
    assert {name for name in folders - {"benchmarks"} if f"`tests/{name}`" not in page} == set()
