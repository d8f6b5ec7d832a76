"""What cannot be read is left out and reported at the end; everything else arrives."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault
from tap_cube.streams.partitions import MAX_FAILURES
from tests.support.batch_runs import into, rows
from tests.support.event_runs import CALLFLOW, ONE_CRM, OUTCOMES, REGISTRATIONS, days_read, marks
from tests.support.runs import (
    CRM,
    CUSTOMERS,
    complaint,
    complaints,
    discover,
    entry_of,
    ids,
    logged,
    read,
    set_selected,
    settings_for,
    sync,
    unversioned,
    with_details,
)
from tests.support.singles import OF_CUSTOMERS
from tests.support.sizes import only_large
from tests.support.tap_process import run_tap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cube_sandbox import Request, Sandbox
    from cube_sandbox.faults import Kind
    from tests.support.tap_process import TapRun

FAILING = "campaigns/2"
OUTCOMES_PATH = f"/api/v1/{FAILING}/{OUTCOMES}/"


def begin(cube: Sandbox, **options: Any) -> None:  # noqa: ANN401 - options of the sandbox
    """Let the account have every stream of its generation, on several pages."""
    cube.reset(**{"generation": "2020", "without": (), "outcomes": 12, **options})


def failing(
    cube: Sandbox, is_affected: Callable[[Request], bool], kind: Kind = "500"
) -> Callable[[], None]:
    """Return what makes requests fail from the end of discovery on."""

    def inject(request: Request) -> None:
        if is_affected(request):
            cube.faults.append(Fault(kind, at=request.number))

    def begin() -> None:
        cube.before_request = inject
        cube.requests.clear()

    return begin


def mend(cube: Sandbox) -> None:
    """End all faults."""
    cube.before_request, cube.faults = None, []
    cube.requests.clear()


def keys(run: TapRun, stream: str = OUTCOMES) -> set[str]:
    """The keys of a stream's records."""
    return {record["call_outcome_key"] for record in run.records[stream]}


@pytest.mark.parametrize(("kind", "page"), [("500", 1), ("404", 2)])
def test_a_campaign_that_fails_hides_no_other(cube: Sandbox, kind: Kind, page: int) -> None:
    """Other campaigns and streams arrive, one sentence tells the failure, the next run mends it."""
    begin(cube)
    sound = sync(cube, **ONE_CRM)
    broken = read(
        cube,
        **ONE_CRM,
        discovered=failing(cube, lambda r: (r.path, r.page) == (OUTCOMES_PATH, page), kind),
        max_retries=0,
    )
    assert complaint(broken).startswith(f"{OUTCOMES} of {FAILING}")
    (warning,) = (line for line in logged(broken, "WARNING") if "The run goes on" in line)
    assert warning.startswith(complaint(broken))
    assert broken.records.keys() == sound.records.keys()
    for stream in sound.records.keys() - {OUTCOMES}:
        assert broken.records[stream] == sound.records[stream]
    others = [r for r in sound.records[OUTCOMES] if r["campaign__id"] != 2]
    assert [r for r in broken.records[OUTCOMES] if r["campaign__id"] != 2] == others
    assert marks(sound).keys() - marks(broken).keys() == {2}
    mend(cube)
    mended = sync(cube, state=broken.state, **ONE_CRM)
    assert keys(broken) | keys(mended) == keys(sound)
    assert marks(mended) == marks(sound)


@pytest.mark.parametrize(
    ("row", "failed", "lines"),
    [
        ("C2", CUSTOMERS, 3),
        ("C6", CALLFLOW, 3),  # discovery has read the newest campaign
        ("C11", REGISTRATIONS, 4),
    ],
)
def test_any_stream_may_fail(
    cube: Sandbox, tmp_path: Path, row: str, failed: str, lines: int
) -> None:
    """The others arrive, in files as well, with their bookmarks."""
    begin(cube, outcomes=3)
    options = into(tmp_path / "sound")
    sound = sync(cube, **options)
    broken = read(
        cube,
        discovered=failing(cube, lambda r: r.row == row),
        max_retries=0,
        **into(tmp_path / "broken"),
    )
    told = complaints(broken)
    assert len(told) == lines
    assert all(sentence.startswith(failed) for sentence in told)
    expected, found = rows(sound), rows(broken)
    others = expected.keys() - {failed}
    assert found.keys() - {failed} == others
    assert all(found[stream] == expected[stream] for stream in others)
    assert sound.state is not None
    assert broken.state is not None
    states = [unversioned(run.state)["bookmarks"] for run in (sound, broken)]
    assert {s: states[0][s] for s in others} == {s: states[1][s] for s in others}
    assert str(states[1].get(failed)).count("replication_key_value") == (failed == CALLFLOW)


@only_large
def test_a_dead_endpoint_does_not_cost_the_retries_of_every_campaign(cube: Sandbox) -> None:
    """After some failures in a row the others are tried once; without news they are not asked."""
    begin(cube, campaigns=16, outcomes=1)
    first = sync(cube)
    assert first.state is not None
    for number in list(days_read(first.state))[1::2]:
        cube.account.archive(number)
    archived = sync(cube, state=first.state)
    mend(cube)
    run = read(
        cube,
        state=archived.state,
        discovered=failing(cube, lambda r: r.row == "C9"),
        max_retries=1,
        read_ahead=0,
    )
    asked = Counter(request.path for request in cube.requests if request.row == "C9")
    assert len(complaints(run)) == len(asked)
    assert MAX_FAILURES < len(asked) < 16
    assert [*asked.values()] == [2] * MAX_FAILURES + [1] * (len(asked) - MAX_FAILURES)
    assert marks(run, REGISTRATIONS).keys() >= marks(first, REGISTRATIONS).keys() != set()


def test_a_refused_credential_ends_the_run_at_once(cube: Sandbox) -> None:
    """No other stream could do better, so none is asked for."""
    begin(cube)
    run = read(
        cube,
        discovered=failing(cube, lambda r: r.row == "C9", "401"),
        read_ahead=0,
    )
    assert "HTTP 401" in complaint(run)
    assert {request.row for request in cube.requests} == {"C9"}


def test_details_that_fail_come_again_with_all_their_customers(cube: Sandbox) -> None:
    """The customers arrive all the same; other CRMs have all their details."""
    cube.reset(customers=6)
    sound = sync(cube, selected=[OF_CUSTOMERS])
    last = cube.account.customer_ids(CRM)[-1]
    broken = read(
        cube,
        selected=[OF_CUSTOMERS],
        discovered=failing(cube, lambda r: r.path.endswith(f"2/B2B/customers/{last}")),
        max_retries=0,
    )
    assert complaint(broken).startswith(f"{OF_CUSTOMERS} of data_owners/2/B2B: HTTP 500")
    missing = ids(sound.records[OF_CUSTOMERS], data_owner_id=2, crm_type="B2B")
    missing -= ids(broken.records[OF_CUSTOMERS], data_owner_id=2, crm_type="B2B")
    assert last in missing
    assert len(broken.records[CUSTOMERS]) == len(sound.records[CUSTOMERS])
    assert with_details(sound) - with_details(broken) == {CRM}
    mend(cube)
    mended = sync(cube, selected=[OF_CUSTOMERS], state=broken.state)
    assert missing <= ids(mended.records[OF_CUSTOMERS], data_owner_id=2, crm_type="B2B")


def test_older_rows_are_deleted_only_if_everything_was_read(cube: Sandbox) -> None:
    """A CRM that fails activates nothing; a whole stream does, after its last record."""
    catalog = discover(cube)
    for entry in catalog["streams"]:
        set_selected(entry, selected=entry["tap_stream_id"] in {"campaigns", CUSTOMERS})
    entry_of(catalog)["replication_method"] = "FULL_TABLE"

    def activated(kind: Kind | None) -> dict[str, int]:
        mend(cube)
        path = "/api/v1/data_owners/2/B2B/customers/"
        run = read(
            cube,
            catalog=catalog,
            discovered=failing(cube, lambda r: r.path == path, kind) if kind else None,
            max_retries=0,
            emit_activate_version_messages=True,
        )
        assert (run.returncode == 0) == (kind is None)
        messages = [m for m in run.messages if m["type"] in {"RECORD", "ACTIVATE_VERSION"}]
        last = {m["stream"]: m for m in messages}
        versions = {m["stream"]: m["version"] for m in messages if m["type"] == "RECORD"}
        ends = {s: m["version"] for s, m in last.items() if m["type"] == "ACTIVATE_VERSION"}
        assert ends.items() <= versions.items()
        assert len(ends) == sum(m["type"] == "ACTIVATE_VERSION" for m in messages)
        return ends

    assert activated(None).keys() == {"campaigns", CUSTOMERS}
    assert activated("500").keys() == {"campaigns"}
    assert activated("403").keys() == {"campaigns"}


def is_of_sync(request: Request) -> bool:
    """Whether a request is for customers or registrations that discovery does not look at."""
    pages = {"C2": request.page > 1, "C11": "from_date=20000101" in request.query}
    return pages.get(request.row or "", False)


def test_the_command_names_every_failure_in_its_last_lines(cube: Sandbox) -> None:
    """Two streams fail: two kinds of sentences end the log, the status is 1, the rest is there."""
    begin(cube, campaigns=4)
    settings = settings_for(cube, max_retries=0, **ONE_CRM)
    failing(cube, is_of_sync)()
    run = run_tap(settings)
    told = complaints(run)
    assert [line.partition(",")[0] for line in told] == [
        f"{CUSTOMERS} of data_owners/2/B2B",
        f"{REGISTRATIONS} of campaigns/2",
        f"{REGISTRATIONS} of campaigns/8",
    ]
    assert run.stderr.splitlines()[-1].endswith(told[-1])
    assert run.records[OUTCOMES]
