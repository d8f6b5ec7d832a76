"""One sandbox for all tests, reset before each of them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import requests

from cube_sandbox import Sandbox
from cube_sandbox.postgres import SERVER_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator


#: The present day of the accounts that have one of their own.
TODAY = date(2024, 11, 5)

posix_only = pytest.mark.skipif(
    sys.platform == "win32", reason="the launcher of PostgreSQL needs POSIX users and signals"
)


class Ask(Protocol):
    """Sends requests to the sandbox, by default with its token."""

    def __call__(
        self,
        path: str,
        *,
        method: str = "GET",
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> requests.Response:
        """Return the response, without following redirects."""


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    """Run a sandbox."""
    with Sandbox(customers=8, page_size=3) as cube:
        yield cube


@pytest.fixture
def cube(running: Sandbox) -> Sandbox:
    """Yield the sandbox after a reset."""
    running.reset()
    return running


@pytest.fixture
def empty(cube: Sandbox) -> Sandbox:
    """Yield an account without events."""
    cube.reset(outcomes=0, today=TODAY, page_size=100)
    return cube


@pytest.fixture
def ask(cube: Sandbox) -> Ask:
    """Yield a client of the sandbox."""

    def send(
        path: str,
        *,
        method: str = "GET",
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> requests.Response:
        token = {"Authorization": f"Token {cube.token}"}
        return requests.request(
            method,
            cube.url + path,
            json=body,
            headers=token if headers is None else headers,
            allow_redirects=False,
            timeout=60,
        )

    return send


def results(ask: Ask, path: str) -> list[dict[str, Any]]:
    """Read the only page of a list."""
    answer = ask(path).json()
    assert answer["next"] is None
    rows: list[dict[str, Any]] = answer["results"]
    return rows


@pytest.fixture
def server_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The temporary folder of PostgreSQL servers, open to all users and empty again at the end."""
    monkeypatch.delenv(SERVER_VARIABLE, raising=False)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o1777)  # as /tmp is
        monkeypatch.setenv("TMPDIR", name)
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield folder
        assert list(folder.iterdir()) == []


@contextlib.contextmanager
def python(code: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run code in a Python process that the test can end."""
    child = subprocess.Popen(  # noqa: S603 - this interpreter, our own code
        [sys.executable, "-W", "error", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    with child:
        try:
            yield child
        finally:
            child.kill()
