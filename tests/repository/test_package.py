"""A test release: built and checked by the workflow's own commands, then installed."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.repository.docs import ROOT
from tests.support.sizes import only_large
from tests.support.tap_process import SCRIPTS, SECONDS, clean_environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = [pytest.mark.slow, only_large]  # `.ci/run` builds and checks a wheel in any case

VERSION = "9.8.7"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A tagged clone of the last commit in which the workflow's job `build` ran."""
    folder = tmp_path / "release" / "tap-cube"
    folder.parent.mkdir()
    _run(["git", "clone", "--quiet", "--no-tags", str(ROOT), str(folder)])
    _run(["git", "tag", f"v{VERSION}"], folder)
    workflow = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text("utf-8"))
    for step in workflow["jobs"]["build"]["steps"]:
        if "run" in step:
            _run(["bash", "-e", "-c", step["run"]], folder, GITHUB_REF_NAME=f"v{VERSION}")
    return folder


def test_a_release_contains_only_the_package_and_runs(clone: Path, tmp_path: Path) -> None:
    """Archive and wheel have the tag's version; the tap runs as a tool, and not installed."""
    wheel, source = sorted((clone / "dist").glob("tap_cube-*"), key=lambda path: path.suffix)[::-1]
    assert wheel.name == f"tap_cube-{VERSION}-py3-none-any.whl"
    assert source.name == f"tap_cube-{VERSION}.tar.gz"
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2].split("/")[0] for name in archive.getnames()}
    assert names == {
        ".gitignore",
        "CHANGELOG.md",
        "LICENSE",
        "PKG-INFO",
        "README.md",
        "pyproject.toml",
        "tap_cube",
    }
    folders = {
        "UV_TOOL_DIR": str(tmp_path / "tools"),
        "UV_TOOL_BIN_DIR": str(tmp_path / "bin"),
    }
    _run(["uv", "tool", "install", "--quiet", str(wheel)], tmp_path, **folders)
    assert [path.stem for path in (tmp_path / "bin").iterdir()] == ["tap-cube"]
    output = _run([str(tmp_path / "bin/tap-cube"), "--about", "--format=json"], tmp_path)
    about = json.loads(output)
    assert about["version"] == VERSION
    assert "api_url" in about["settings"]["properties"]
    output = _run(["uvx", "--from", ".", "tap-cube", "--version"], clone, UV_TOOL_DIR=str(tmp_path))
    assert VERSION in output


def _run(command: Sequence[str], cwd: Path | None = None, **variables: str) -> str:
    """Run a command that must succeed, and return its standard output."""
    environment = clean_environment() | {"PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("VIRTUAL_ENV", None)  # the clone has its own
    environment.pop("UV_COMPILE_BYTECODE", None)  # each program runs once
    done = subprocess.run(  # noqa: S603 - our own commands
        command,
        cwd=cwd,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=2 * SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
