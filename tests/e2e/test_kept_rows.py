"""docs/erasure.md: a full load that may have missed something deletes nothing that exists."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault, Sandbox, Traps
from tests.support.batch_runs import into
from tests.support.erasing import Pipeline, in_memory
from tests.support.event_runs import EMPTY_PAGE
from tests.support.lives import Lives
from tests.support.runs import CRM, only
from tests.support.sizes import only_large
from tests.support.stored import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.erasing import Keys

pytestmark = [pytest.mark.slow, only_large]  # by default, tests of the tap's messages alone

KEPT = "rows that have gone from the account stay in the target"
OTHER = (1, "B2C")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong with a full load.

    Attributes:
        name: What it is.
        account: Attributes of the account meanwhile.
        settings: Settings of the run.
        needs_state: Whether only the state shows that something is missing.
        has_details: Whether details of customers are selected.
    """

    name: str
    account: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    needs_state: bool = False
    has_details: bool = False


def failing(kind: Any, row: str, **where: Any) -> dict[str, Any]:  # noqa: ANN401 - of a fault
    """The account while an endpoint fails."""
    return {"faults": [Fault(kind, row=row, **where)]}


TROUBLES = [
    Trouble("a CRM is forbidden", {"forbidden": {"data_owners/1/B2C"}}),
    Trouble("an assignment is forbidden", {"forbidden": {"assignments/12"}}),
    Trouble("a campaign is forbidden", {"forbidden": {"campaigns/2"}}),
    Trouble("details are forbidden", failing("403", "C3"), has_details=True),
    Trouble("the campaigns are forbidden", {"forbidden": {"campaigns"}}, needs_state=True),
    Trouble("CRMs are not found", {"without": {"C2", "C3"}}, needs_state=True),
    Trouble("a page fails", failing("503", "C2", page=2)),
    Trouble("a page is missing", failing("404", "C2", page=2)),
    Trouble("a list seems empty", failing("empty-list", "C2", body=EMPTY_PAGE), needs_state=True),
    Trouble("events seem empty", failing("empty-list", "C9", body=EMPTY_PAGE), needs_state=True),
    Trouble("events fail", failing("500", "C9")),
    Trouble("the credential is refused", failing("401", "C2", page=2)),
    Trouble("definitions fail", failing("500", "C4")),
    Trouble(
        "lists are incomplete",
        {"traps": Traps(count=lambda count: count + 1)},
        {"on_incomplete_read": "warn"},
    ),
    Trouble("settings are narrower", settings=only(CRM), needs_state=True),
    Trouble("start_date is later", settings={"start_date": "2026-01-01"}, needs_state=True),
]


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    """Run a small account."""
    with Sandbox(customers=8, outcomes=40, page_size=5, anonymised=1) as cube:
        yield cube


@pytest.fixture
def pipeline(cube: Sandbox, tmp_path: Path) -> Pipeline:
    """An empty warehouse."""
    return Pipeline(cube, Place(tmp_path, None, ""), in_memory())


def lost(before: Keys, after: Keys) -> Keys:
    """The keys that have gone."""
    return {name: gone for name in before if (gone := before[name] - after[name])}


@pytest.mark.parametrize(
    ("trouble", "has_state"),
    [
        *((trouble, True) for trouble in TROUBLES[::4]),
        *((trouble, False) for trouble in TROUBLES[1::7] if not trouble.needs_state),
    ],
    ids=lambda value: getattr(value, "name", "weekly" if value is True else "refresh"),
)
def test_a_full_load_in_trouble_deletes_nothing_that_exists(
    cube: Sandbox, pipeline: Pipeline, trouble: Trouble, *, has_state: bool
) -> None:
    """And says so. When all is well again, the next one deletes who has gone, and nobody else."""
    pipeline.has_details = trouble.has_details
    pipeline.nightly()
    before, state, lives = pipeline.keys(), pipeline.state, Lives(cube, random.Random(1))
    catalog = pipeline.catalog(is_full=True)
    normal = {name: getattr(cube, name) for name in trouble.account}
    for name, value in trouble.account.items():
        setattr(cube, name, value)
    pipeline.state = state if has_state else None
    run = pipeline.read(catalog, may_fail=True, **trouble.settings)
    pipeline.load(run)
    assert KEPT in run.stderr or run.returncode
    assert lost(before, pipeline.keys()) == {}

    for name, value in normal.items():
        setattr(cube, name, value)
    pipeline.state = pipeline.state or state
    pipeline.nightly()
    assert lost(before, pipeline.keys()) == {}
    lives.go_on(10)
    pipeline.weekly()
    pipeline.check(lives, is_live=False)


@pytest.mark.parametrize("seed", range(2))
def test_a_full_load_that_is_cut_off_is_finished_by_the_next_run(
    cube: Sandbox, pipeline: Pipeline, tmp_path: Path, seed: int
) -> None:
    """Whatever part of it the target got: nothing that exists is lost meanwhile."""
    chance = random.Random(seed)
    pipeline.settings = into(tmp_path / "files", batch_size=5) if seed % 2 else {}
    lives = Lives(cube, chance)
    pipeline.nightly()
    lives.go_on(10)
    before = pipeline.keys()
    whole = pipeline.read(pipeline.catalog(is_full=True))
    lines = whole.stdout.split("\n")[:-1]
    cut = "".join(f"{line}\n" for line in lines[: chance.randrange(1, len(lines))])
    part = replace(whole, stdout=cut)
    pipeline.load(part)
    activated = {m["stream"] for m in part.messages if m["type"] == "ACTIVATE_VERSION"}
    gone = lost(before, pipeline.keys())
    assert gone.keys() <= activated
    pipeline.nightly()
    if part.state:
        pipeline.check(lives, is_live=False)
    pipeline.weekly()
    pipeline.check(lives, is_live=False)
    assert lost(gone, pipeline.keys()) == gone


def test_shards_that_do_not_send_the_message_delete_nothing(pipeline: Pipeline) -> None:
    """Each loads its part of the account in full; the table keeps all parts."""
    pipeline.nightly()
    before = pipeline.keys()
    for crm in (CRM, OTHER):
        shard = replace(pipeline, settings={**only(crm), "emit_activate_version_messages": False})
        shard.refresh()
        shard.weekly()
        assert lost(before, pipeline.keys()) == {}


def test_without_the_setting_a_shard_deletes_the_rows_of_the_others(pipeline: Pipeline) -> None:
    """That is why docs/scale.md sets it."""
    pipeline.nightly()
    shard = replace(pipeline, settings=only(CRM))
    shard.refresh()
    assert {row["crm_type"] for row in pipeline.tables()["data_owner_customers"]} == {CRM[1]}
