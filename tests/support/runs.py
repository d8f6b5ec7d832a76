"""Runs of the tap against a sandbox; each is checked for valid Singer output and for secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.in_process import run_in_process
from tests.support.singer_check import check

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from cube_sandbox import Sandbox
    from tests.support.tap_process import TapRun

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


def read(
    cube: Sandbox,
    *,
    state: Mapping[str, Any] | None = None,
    catalog: Mapping[str, Any] | None = None,
    selected: Collection[str] = (),
    discovered: Callable[[], object] | None = None,
    **settings: object,
) -> TapRun:
    """Read a sandbox in this process, in a run that may fail.

    Whatever the end, what was written must be right: whole messages, no state ahead of them, and
    no secret.

    Args:
        cube: The account.
        state: What the run before left.
        catalog: What to read, and how; discovered when left out.
        selected: Streams to read that are not by default.
        discovered: Called between discovery and sync, to break what discovery found whole.
        settings: Settings of the tap.
    """
    if selected:
        catalog = discover(cube, **settings)
        for entry in catalog["streams"]:
            if entry["tap_stream_id"] in selected:
                set_selected(entry, selected=True)
    run = run_in_process(
        settings_for(cube, **settings), catalog=catalog, state=state, discovered=discovered
    )
    assert_no_secret(run, cube.token, cube.password)
    check(run.stdout, before=state)
    return run


def read_at(
    url: str,
    *,
    catalog: Mapping[str, Any] | None = None,
    **settings: Any,  # noqa: ANN401 - settings
) -> TapRun:
    """Read a server that is no sandbox, and that may show a row as often as it likes."""
    return run_in_process({"api_url": url, "auth_token": "t", **settings}, catalog=catalog)


def sync(cube: Sandbox, **options: Any) -> TapRun:  # noqa: ANN401 - those of `read`
    """Read a sandbox in a run that must succeed."""
    run = read(cube, **options)
    assert run.returncode == 0, run.stderr
    return run


def discover(cube: Sandbox, **settings: object) -> dict[str, Any]:
    """Discover the catalog of a sandbox."""
    return discovery(cube, **settings).catalog


def discovery(cube: Sandbox, **settings: object) -> TapRun:
    """Discover what a sandbox has, for the catalog and for what was said meanwhile."""
    run = run_in_process(settings_for(cube, **settings), extra_args=["--discover"])
    assert run.returncode == 0, run.stderr
    assert_no_secret(run, cube.token, cube.password)
    return run


def entry_of(catalog: Mapping[str, Any], stream: str = CUSTOMERS) -> dict[str, Any]:
    """A stream's part of a catalog."""
    (entry,) = (each for each in catalog["streams"] if each["tap_stream_id"] == stream)
    found: dict[str, Any] = entry
    return found


def set_selected(entry: dict[str, Any], *columns: str, selected: bool) -> None:
    """Select or deselect columns of a stream, or the stream itself, as a user's catalog does."""
    for breadcrumb in [["properties", column] for column in columns] or [[]]:
        parts = [part for part in entry["metadata"] if part["breadcrumb"] == breadcrumb]
        if not parts:
            parts = [{"breadcrumb": breadcrumb, "metadata": {}}]
            entry["metadata"] += parts
        parts[0]["metadata"]["selected"] = selected


def assert_no_secret(run: TapRun, *secrets: str) -> None:
    """Hold both outputs of a run against secrets that must not be in them."""
    for secret in secrets:
        assert secret not in run.stdout
        assert secret not in run.stderr


def unversioned(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """A state or a message without its versions, which are times, and without numbers of files."""
    if isinstance(value, list):
        return [unversioned(each) for each in value]
    if not isinstance(value, dict):
        return value
    versions = {"version", "activated", "loaded", "emptied", "details", "since", "start"}
    dropped = versions | {"batch_files"}
    return {name: unversioned(each) for name, each in value.items() if name not in dropped}


def ids(records: Iterable[Record], **context: object) -> set[str]:
    """The customer ids of records, of one partition if a context is given."""
    return {r["customer_id"] for r in records if context.items() <= r.items()}


def schemas(run: TapRun, stream: str = CUSTOMERS) -> list[dict[str, Any]]:
    """The properties that each SCHEMA message of a stream declares, in order."""
    return [
        message["schema"]["properties"]
        for message in run.messages
        if message["type"] == "SCHEMA" and message["stream"] == stream
    ]


def bookmarks(run: TapRun, stream: str = CUSTOMERS) -> dict[object, str]:
    """The bookmark of each partition of a stream: by CRM, or by assignment."""
    parts = (run.state or {})["bookmarks"][stream].get("partitions", [])
    return {
        part["context"].get("assignment_id")
        or (part["context"]["data_owner_id"], part["context"]["crm_type"]): part[
            "replication_key_value"
        ]
        for part in parts
        if "replication_key_value" in part
    }


def with_details(run: TapRun) -> set[tuple[int, str]]:
    """The CRMs whose customers all had their details, as the state says."""
    parts = (run.state or {})["bookmarks"][CUSTOMERS].get("partitions", [])
    contexts = (part["context"] for part in parts if part.get("details"))
    return {(context["data_owner_id"], context["crm_type"]) for context in contexts}


def complaints(run: TapRun) -> list[str]:
    """The errors of a run that had to fail, without their times and places."""
    assert run.returncode == 1, run.stderr
    assert "Traceback" not in run.stderr
    return logged(run, "ERROR")


def logged(run: TapRun, level: str) -> list[str]:
    """What a run logged at a level, without times and places."""
    lines = [line for line in run.stderr.splitlines() if f" | {level} " in line]
    return [line.split(" | ", 3)[3] for line in lines]


def complaint(run: TapRun) -> str:
    """The one error of a run that had to fail."""
    told = complaints(run)
    assert len(told) == 1, run.stderr
    return told[0]
