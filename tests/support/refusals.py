"""Runs that must be refused before they send anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.in_process import run_in_process
from tests.support.runs import assert_no_secret, complaint
from tests.support.strange_server import decoy

if TYPE_CHECKING:
    from collections.abc import Mapping

SECRET = "MARKED-SECRET"  # noqa: S105 - invented, to be looked for in the outputs


def refusal(
    settings: Mapping[str, Any] | None = None,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    **inputs: Any,  # noqa: ANN401 - a state or a catalog, of any shape
) -> str:
    """Run with wrong input, and return the one sentence that it ends with.

    Args:
        settings: Settings beside an address and a token; None if a file or a variable has them.
        arguments: Further arguments of the command.
        env: Environment variables.
        inputs: State or catalog.
    """
    with decoy() as account:
        address = {"api_url": f"http://127.0.0.1:{account.port}", "auth_token": SECRET}
        config = None if settings is None else {**address, **settings}
        run = run_in_process(config, env=env, extra_args=arguments, **inputs)
        assert not account.received, "a request was sent"
    assert run.stdout == ""
    assert "Internal error" not in run.stderr
    assert_no_secret(run, SECRET)
    return complaint(run)
