"""One command names the repository's owner everywhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.repository import hub, owner
from tests.repository.docs import ROOT
from tests.support.sizes import only_large

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the repository's files, known to git."""
    folder = tmp_path / "copy"
    names = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)  # noqa: S607
    for name in filter(None, names.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    for arguments in (["init", "--quiet"], ["add", "."]):
        _said("git", *arguments, folder=folder)
    return folder


@only_large
def test_one_command_renames_the_owner_everywhere(copy: Path) -> None:
    """No old name is left, what is generated agrees, and the way back restores every file.

    A file that was removed does not matter.
    """
    (copy / "SECURITY.md").unlink()
    assert "pyproject.toml" in _python(copy, "owner", "Moved-To").split()
    assert _said("git", "grep", f"github.com/{hub.ACCOUNT}", folder=copy, status=1) == ""
    assert _python(copy, "docs") == _python(copy, "hub") == _python(copy, "owner", "Moved-To") == ""
    assert "hub/listing.yml" in _python(copy, "owner", hub.ACCOUNT).split()
    assert _said("git", "diff", "--name-status", folder=copy).split() == ["D", "SECURITY.md"]


@pytest.mark.parametrize("name", ["", "-acme", "acme-", "ac--me", "acme data", "a" * 40, "acme/x"])
def test_an_impossible_name_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that GitHub would not allow changes nothing."""
    with pytest.raises(SystemExit):
        owner.main(["--", name])
    assert f"{name!r} is not the name of a GitHub account" in capsys.readouterr().err


def _python(folder: Path, module: str, *arguments: str) -> str:
    return _said(sys.executable, "-m", f"tests.repository.{module}", *arguments, folder=folder)


def _said(*command: str, folder: Path, status: int = 0) -> str:
    done = subprocess.run(  # noqa: S603 - our own commands
        command, cwd=folder, stdout=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == status, done.stdout
    return done.stdout
