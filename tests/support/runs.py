"""Runs of the tap against a sandbox, each held against the rules of Singer and of secrecy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.singer_check import check
from tests.support.tap_process import TapRun, run_tap

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cube_sandbox import Sandbox

Record = dict[str, Any]
CUSTOMERS = "data_owner_customers"
ASSIGNED = "assignment_customers"
CRM = (2, "B2B")
"""The CRM that most tests read, and edit."""
EVENTS = frozenset({"C5", "C6", "C7", "C8", "C9", "C10", "C11"})
"""Rows that tell what happened to customers; an account without them has customers alone."""


def settings_for(cube: Sandbox, **settings: object) -> dict[str, Any]:
    """Settings that read a sandbox, without waiting long for what fails."""
    return {"api_url": cube.url, "auth_token": cube.token, "max_retries": 2, **settings}


def only(*crms: tuple[int, str]) -> dict[str, Any]:
    """Settings that read just these CRMs, and no assignment."""
    owners = [{"id": owner, "crm_types": [crm_type]} for owner, crm_type in crms]
    return {"data_owners": owners, "assignment_ids": []}


def sync(
    cube: Sandbox,
    *,
    state: Mapping[str, Any] | None = None,
    catalog: Mapping[str, Any] | None = None,
    extra_args: Sequence[str] = (),
    **settings: object,
) -> TapRun:
    """Run a sync that must succeed, and check every message it wrote."""
    run = run_tap(
        settings_for(cube, **settings), state=state, catalog=catalog, extra_args=extra_args
    )
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr
    assert_no_secret(run, cube.token, cube.password)
    check(run.stdout, before=state)
    return run


def discover(cube: Sandbox, **settings: object) -> dict[str, Any]:
    """Discover the catalog of a sandbox."""
    run = run_tap(settings_for(cube, **settings), extra_args=["--discover"])
    assert run.returncode == 0, run.stderr
    return run.catalog


def assert_no_secret(run: TapRun, *secrets: str) -> None:
    """Hold both outputs of a run against secrets that must not be in them."""
    for secret in secrets:
        assert secret not in run.stdout
        assert secret not in run.stderr


def ids(records: Iterable[Record], **context: object) -> set[str]:
    """The customer ids of records, of one partition if a context is given."""
    return {r["customer_id"] for r in records if context.items() <= r.items()}


def bookmarks(run: TapRun, stream: str = CUSTOMERS) -> dict[object, str]:
    """The bookmark of each partition of a stream: by CRM, or by assignment."""
    parts = (run.state or {})["bookmarks"][stream]["partitions"]
    return {
        part["context"].get("assignment_id")
        or (part["context"]["data_owner_id"], part["context"]["crm_type"]): part[
            "replication_key_value"
        ]
        for part in parts
        if "replication_key_value" in part
    }


OF_THE_SDK = ("Config validation failed", "An unhandled error occurred while syncing")
"""Errors that the SDK logs beside those of the tap."""


def complaints(run: TapRun) -> list[str]:
    """The errors of a run that had to fail, without their times and places."""
    assert run.returncode not in {0, None}
    assert "Traceback" not in run.stderr
    errors = [line for line in run.stderr.splitlines() if " | ERROR " in line]
    told = [error.split(" | ", 3)[3] for error in errors]
    return [text for text in told if not text.startswith(OF_THE_SDK)]


def complaint(run: TapRun) -> str:
    """The one error of a run that had to fail."""
    told = complaints(run)
    assert len(told) == 1, run.stderr
    return told[0]
