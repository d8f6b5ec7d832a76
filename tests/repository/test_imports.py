"""Limits on imports, on private names of the SDK, and on the size of files and classes."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tap_cube.singer.stream import EncodedStream
from tap_cube.streams.registry import STREAMS
from tests.repository import docs
from tests.repository.private_names import uses
from tests.support.tap_process import clean_environment

if TYPE_CHECKING:
    from pathlib import Path

    from tap_cube.streams.spec import StreamSpec

MAX_LINES = 260
MAX_DEPTH = 3
"""Our own classes in a stream's inheritance chain, including the stream itself."""


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    """Check the imports of a folder with the package and its contract."""
    return subprocess.run(
        ["lint-imports", "--no-cache"],  # noqa: S607 - found on the given PATH
        cwd=root,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Copy the package and its contract."""
    hidden = shutil.ignore_patterns("__pycache__")
    shutil.copytree(docs.ROOT / "tap_cube", tmp_path / "tap_cube", ignore=hidden)
    shutil.copy(docs.ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_imports_keep_the_contract() -> None:
    """No package imports from its own layer or from above, and no package has a cycle."""
    done = lint_imports(docs.ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("records/values.py", "import tap_cube.paging.windows", "The wings stand on each other"),
        ("http/body.py", "import tap_cube.records.codec", "The wings stand on each other"),
        ("streams/spec.py", "import tap_cube.streams.base", "No circle inside a wing"),
        ("records/codec.py", "import requests", "Records do not know requests"),
    ],
)
def test_a_wrong_import_breaks_the_contract(
    project: Path, module: str, line: str, broken: str
) -> None:
    """The contract rejects imports from above or beside, cycles, and `requests` in `records/`."""
    path = project / "tap_cube" / module
    path.write_text(f"{path.read_text('utf-8')}\n{line}\n", "utf-8")
    done = lint_imports(project)
    assert done.returncode == 1
    assert f"{broken} BROKEN" in done.stdout


def test_a_new_package_must_be_in_the_contract(project: Path) -> None:
    """A package that is not in the contract breaks it."""
    (project / "tap_cube/helpers").mkdir()
    (project / "tap_cube/helpers/__init__.py").write_text('"""Anything."""\n')
    done = lint_imports(project)
    assert done.returncode == 1
    assert "tap_cube.helpers" in done.stdout + done.stderr


@pytest.mark.xdist_group("sdk")  # one worker reads the code of the SDK
def test_private_names_of_the_sdk_stay_in_one_place() -> None:
    """Only `singer/` and `tap.py` use private names of the SDK."""
    places = {
        (name, module)
        for name, modules in uses().items()
        for module in modules
        if module != "tap_cube.tap" and not module.startswith("tap_cube.singer.")
    }
    assert places == set()


def test_no_file_exceeds_the_limit() -> None:
    """No Python file that git tracks has more than `MAX_LINES` lines, tests included."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "*.py"],  # noqa: S607 - found on the given PATH
        cwd=docs.ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    names = listed.stdout.rstrip("\0").split("\0")
    assert {"tap_cube", "tests"} <= {name.partition("/")[0] for name in names}
    paths = {name: docs.ROOT / name for name in names}
    lines = {
        name: len(path.read_text("utf-8").splitlines())
        for name, path in paths.items()
        if path.exists()  # one that was just removed is still listed
    }
    assert {name: number for name, number in lines.items() if number > MAX_LINES} == {}


@pytest.mark.parametrize("spec", STREAMS, ids=lambda spec: spec.name)
def test_no_stream_exceeds_the_inheritance_depth(spec: StreamSpec) -> None:
    """A stream inherits from at most two other classes of ours."""
    assert isinstance(spec.type, type)
    ours = [cls for cls in spec.type.__mro__ if cls.__module__.startswith("tap_cube.")]
    assert EncodedStream in ours
    assert len(ours) <= MAX_DEPTH
