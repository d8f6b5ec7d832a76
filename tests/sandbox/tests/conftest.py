"""One sandbox for all tests, new for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest
import requests

from cube_sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator


class Ask(Protocol):
    """Asks the sandbox, with its token unless other headers are given."""

    def __call__(
        self,
        path: str,
        *,
        method: str = "GET",
        body: object = None,
        headers: dict[str, str] | None = None,
    ) -> requests.Response:
        """Answer whatever comes, redirects included."""


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    """Run a sandbox."""
    with Sandbox(customers=8, page_size=3) as cube:
        yield cube


@pytest.fixture
def cube(running: Sandbox) -> Sandbox:
    """Hand out the sandbox as if it had just begun."""
    running.reset()
    return running


@pytest.fixture
def ask(cube: Sandbox) -> Ask:
    """Hand out a client of the sandbox."""

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
            timeout=10,
        )

    return send
