"""Full loads: every row has their version, and a complete one deletes what it did not bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from meltano.core.utils import merge

from cube_sandbox import Fault
from tests.integration.test_failures import failing, mend
from tests.support.runs import (
    CRM,
    CUSTOMERS,
    discover,
    ids,
    logged,
    only,
    read,
    schemas,
    set_selected,
    sync,
    unversioned,
)
from tests.support.singles import OF_CUSTOMERS
from tests.support.sizes import scaled

if TYPE_CHECKING:
    from cube_sandbox import Sandbox
    from tests.support.tap_process import TapRun

TWO = (2, "B2B"), (2, "B2C")
STAY = "rows that have gone from the account stay in the target"


def activated(run: TapRun) -> dict[str, int]:
    """The versions that a run activated, by stream."""
    return {m["stream"]: m["version"] for m in run.messages if m["type"] == "ACTIVATE_VERSION"}


def version_of(run: TapRun, stream: str = CUSTOMERS) -> int:
    """The version of a stream in the state that a run left."""
    found: int = (run.state or {})["bookmarks"][stream]["version"]
    return found


def full(cube: Sandbox, *selected: str, **settings: Any) -> dict[str, Any]:  # noqa: ANN401 - any
    """A catalog as Meltano writes it for the job `weekly`."""
    catalog = discover(cube, **settings)
    for entry in catalog["streams"]:
        (root,) = (part["metadata"] for part in entry["metadata"] if not part["breadcrumb"])
        root["replication-method"] = "FULL_TABLE"
        if entry["tap_stream_id"] in selected:
            set_selected(entry, selected=True)
    return catalog


def aged(state: Any) -> Any:  # noqa: ANN401 - any JSON
    """A copy of a state that is some days old: versions are seconds."""
    if isinstance(state, list):
        return [aged(each) for each in state]
    if not isinstance(state, dict):
        return state
    aging = {"version", "activated", "loaded", "emptied"}
    return {
        key: max(0, state[key] - 500_000) if key in aging else aged(state[key]) for key in state
    }


def kept(run: TapRun, stream: str = CUSTOMERS) -> str:
    """Why a run let the target keep what it did not bring."""
    told = logged(run, "INFO") + logged(run, "WARNING")
    (line,) = (line for line in told if line.startswith(f"{stream}: {STAY}"))
    return line


def test_incremental_runs_keep_the_version_of_the_full_load(cube: Sandbox) -> None:
    """A full load ends with its version; the nights after it have the same, and delete nothing."""
    first = sync(cube, **only(CRM))
    assert activated(first)[CUSTOMERS] == version_of(first)
    second = sync(cube, state=first.state, **only(CRM))
    assert version_of(second) == version_of(first)
    assert CUSTOMERS not in activated(second)
    # The two small lists that every run reads wholly are full loads each time.
    assert activated(second).keys() == {"campaigns", "custom_fields"}
    weekly = sync(cube, catalog=full(cube, **only(CRM)), state=second.state, **only(CRM))
    assert activated(weekly)[CUSTOMERS] == version_of(weekly) > version_of(second)
    night = sync(cube, state=weekly.state, **only(CRM))
    assert version_of(night) == version_of(weekly)
    assert len(night.records[CUSTOMERS]) < len(weekly.records[CUSTOMERS])


@pytest.mark.parametrize("merging", [False, True], ids=["runner", "meltano"])
def test_an_interrupted_full_load_goes_on_with_its_version(cube: Sandbox, *, merging: bool) -> None:
    """What it has read is not read again; when the rest has come, older rows go.

    Meltano merges the state of a full refresh over the one before.
    """
    before = sync(cube, **only(*TWO))
    broken = read(
        cube,
        discovered=failing(cube, lambda r: "/2/B2C/customers" in r.path),
        max_retries=0,
        **only(*TWO),
    )
    assert CUSTOMERS not in activated(broken)
    assert "Not read: data_owners/2/B2C" in kept(broken)
    mend(cube)
    state = broken.state
    if merging:
        state = merge(broken.state, aged(before.state))  # type: ignore[no-untyped-call]
    mended = sync(cube, state=state, **only(*TWO))
    assert len(ids(mended.records[CUSTOMERS], crm_type="B2C")) == 12
    assert len(ids(mended.records[CUSTOMERS], crm_type="B2B")) < 12
    assert activated(mended)[CUSTOMERS] == version_of(broken) == version_of(mended)


EMPTY = '{"count": 0, "next": null, "results": []}'
SHORT = '{"count": 9, "next": null, "results": []}'


def of_b2c(request: Any) -> bool:  # noqa: ANN401 - the sandbox's Request
    """Whether a request is for the customers of the second CRM."""
    is_theirs: bool = request.path.endswith("/2/B2C/customers/")
    return is_theirs


@pytest.mark.parametrize("broken", [*scaled(["403"], ["403", "404", SHORT]), EMPTY])
def test_what_a_weekly_run_does_not_see_is_not_deleted(cube: Sandbox, broken: str) -> None:
    """A CRM is hidden for a night. The next night reads it wholly, and older rows go then."""
    first = sync(cube, **only(*TWO))
    catalog = full(cube, **only(*TWO))

    def spoil(request: Any) -> None:  # noqa: ANN401 - likewise
        if of_b2c(request):
            is_body = broken.startswith("{")
            kind: Any = "not-json" if is_body else broken
            cube.faults.append(Fault(kind, at=request.number, body=broken if is_body else None))

    def begin() -> None:
        cube.before_request = spoil

    weekly = read(
        cube,
        catalog=catalog,
        state=first.state,
        discovered=begin,
        on_incomplete_read="warn",
        max_retries=0,
        **only(*TWO),
    )
    assert CUSTOMERS not in activated(weekly)
    assert "campaigns" in activated(weekly)
    assert "Not read: data_owners/2/B2C. The next run" in kept(weekly)
    mend(cube)
    night = sync(cube, state=weekly.state, **only(*TWO))
    assert len(ids(night.records[CUSTOMERS], crm_type="B2C")) == 12
    assert activated(night)[CUSTOMERS] == version_of(weekly) > version_of(first)


@pytest.mark.parametrize(
    ("narrower", "reason"),
    [
        (only(CRM), "Earlier runs read data_owners/2/B2C"),
        ({"start_date": "2024-01-01", **only(*TWO)}, "'start_date' is not what it was"),
    ],
)
def test_narrower_settings_delete_nothing_until_they_are_accepted(
    cube: Sandbox, narrower: dict[str, Any], reason: str
) -> None:
    """The state knows what the table holds. A full refresh has no state, and accepts them."""
    first = sync(cube, **only(*TWO))
    weekly = sync(cube, state=first.state, catalog=full(cube, **narrower), **narrower)
    assert CUSTOMERS not in activated(weekly)
    assert reason in kept(weekly)
    assert "--full-refresh" in kept(weekly)
    night = sync(cube, state=weekly.state, **narrower)
    assert CUSTOMERS not in activated(night)
    assert CUSTOMERS in activated(sync(cube, **narrower))


def test_shards_can_share_a_table(cube: Sandbox) -> None:
    """With the setting off nothing is deleted, also when it is on again."""
    options = {"emit_activate_version_messages": False, **only(CRM)}
    run = sync(cube, **options)
    assert not activated(run)
    assert CUSTOMERS not in activated(sync(cube, state=run.state, **only(CRM)))


def test_a_state_of_an_earlier_version_is_no_full_load(cube: Sandbox) -> None:
    """Its bookmarks hold. The next full load deletes what it does not bring."""
    first = sync(cube, **only(CRM))
    cube.requests.clear()
    night = sync(cube, state=unversioned(first.state), **only(CRM))
    assert 0 < len(night.records[CUSTOMERS]) < 12
    assert CUSTOMERS not in activated(night)
    weekly = sync(cube, state=night.state, catalog=full(cube, **only(CRM)), **only(CRM))
    assert activated(weekly)[CUSTOMERS] == version_of(weekly) > version_of(night)


def test_details_are_full_loads_of_their_own(cube: Sandbox) -> None:
    """They go with those of the customers, and whenever they were just selected."""
    first = sync(cube, selected=[OF_CUSTOMERS], **only(CRM))
    assert activated(first)[OF_CUSTOMERS] == version_of(first, OF_CUSTOMERS)
    night = sync(cube, selected=[OF_CUSTOMERS], state=first.state, **only(CRM))
    assert version_of(night, OF_CUSTOMERS) == version_of(first, OF_CUSTOMERS)
    assert not activated(night).keys() & {CUSTOMERS, OF_CUSTOMERS}
    without = sync(cube, state=night.state, **only(CRM))
    again = sync(cube, selected=[OF_CUSTOMERS], state=without.state, **only(CRM))
    assert activated(again)[OF_CUSTOMERS] > version_of(first, OF_CUSTOMERS)
    assert version_of(again) == version_of(first)
    weekly = sync(
        cube, catalog=full(cube, OF_CUSTOMERS, **only(CRM)), state=again.state, **only(CRM)
    )
    assert activated(weekly)[OF_CUSTOMERS] > activated(again)[OF_CUSTOMERS]


def test_details_that_do_not_answer_for_a_night_are_not_deleted(cube: Sandbox) -> None:
    """The customers are read; their details come with the next run, all of them."""
    first = sync(cube, selected=[OF_CUSTOMERS], **only(*TWO))
    broken = read(
        cube,
        catalog=full(cube, OF_CUSTOMERS, **only(*TWO)),
        state=first.state,
        discovered=failing(cube, lambda r: "/2/B2C/customers/" in r.path and r.row != "C2", "404"),
        max_retries=0,
        **only(*TWO),
    )
    assert CUSTOMERS in activated(broken)
    assert OF_CUSTOMERS not in activated(broken)
    assert "Not read: data_owners/2/B2C" in kept(broken, OF_CUSTOMERS)
    mend(cube)
    night = sync(cube, selected=[OF_CUSTOMERS], state=broken.state, **only(*TWO))
    assert len(ids(night.records[OF_CUSTOMERS], crm_type="B2C")) == 12
    assert activated(night)[OF_CUSTOMERS] == version_of(broken, OF_CUSTOMERS)


def test_a_weekly_run_empties_columns_that_nothing_shows_any_more(cube: Sandbox) -> None:
    """A field was deleted. Targets would keep its last values in rows that come again."""
    cube.reset(customers=3)
    field = cube.account.add_definition(CRM, "Kommentar fra kunden")
    customer = cube.account.customer_ids(CRM)[0]
    cube.account.update_customer(CRM, customer, custom={field: "Ring meg hjemme"})
    first = sync(cube, **only(CRM))
    column = f"crm__custom_info__{field}"
    cube.account.delete_definition(CRM, field)
    weekly = sync(cube, catalog=full(cube, **only(CRM)), state=first.state, **only(CRM))
    assert column in schemas(weekly)[0]
    assert not any(column in record for record in weekly.records[CUSTOMERS])
    assert column not in schemas(sync(cube, **only(CRM)))[0]
