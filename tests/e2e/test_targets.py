"""docs/targets.md: what each target holds after three nights is what the account holds.

The account is read without the tap (`tests/support/held.py`), each target as its users read it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from tap_cube.streams.registry import RUN_LOG
from tests.support.compared import counted, differences
from tests.support.judges import JUDGES
from tests.support.nights import three_nights
from tests.support.sizes import only_large
from tests.support.stored import Place
from tests.support.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from _pytest.mark import ParameterSet

    from tests.support.nights import Night
    from tests.support.target import Target

    NightsOf = Callable[..., list[Night]]

pytestmark = [pytest.mark.slow, only_large]  # by default, `test_first_load` and `test_pipe` load


@pytest.fixture(scope="module")
def nights_of(tmp_path_factory: pytest.TempPathFactory) -> NightsOf:
    """Three nights, in messages or in files; each once."""
    known: dict[bool, list[Night]] = {}

    def find(*, into_files: bool) -> list[Night]:
        if into_files not in known:
            folder = tmp_path_factory.mktemp("files")
            known[into_files] = three_nights(folder, into_files=into_files)
        return known[into_files]

    return find


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    for judge in JUDGES:
        judge.install()


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    """Where a target loads to, with a database whose zone is not UTC."""
    target = request.node.callspec.params["target"]
    bucket = request.getfixturevalue("bucket") if target.name == "target-s3" else ""
    warehouse = request.getfixturevalue("warehouse") if "postgres" in target.name else None
    if warehouse:
        name = sql.Identifier(warehouse.database.database)
        zone = sql.SQL("ALTER DATABASE {} SET TimeZone = 'Europe/Oslo'").format(name)
        with warehouse.database.connect() as connection:
            connection.execute(zone)
    return Place(tmp_path, warehouse, bucket)


def case(target: Target, *, into_files: bool) -> ParameterSet:
    """A case of a target. One worker has all those that load the same nights."""
    group = pytest.mark.xdist_group("files" if into_files else "messages")
    return pytest.param(target, id=target.name, marks=group)


@pytest.mark.parametrize("target", [case(t, into_files=t.wants_files) for t in TARGETS])
def test_every_target_holds_what_the_account_holds(
    target: Target, place: Place, nights_of: NightsOf
) -> None:
    """Each value of each row of each table, and its type, after every night."""
    for night in nights_of(into_files=target.wants_files):
        target.load(night.output.stdout, place)
        tables, types = target.read(place)
        # Rows that an incremental night did not emit again have null in new columns, not "".
        left_out = {None} if night.is_full else {None, ""}
        kinds = {target.fold(column): kind for column, kind in night.kinds.items()}
        assert night.tables.keys() == night.output.schemas.keys()
        for stream, account in night.tables.items():
            keys = night.output.schemas[stream]["key_properties"]
            found = counted(target.latest(tables[stream], keys, kinds), left_out)
            expected = counted(map(target.kept, account), left_out)
            assert differences(found, expected) == [], stream
            if target.types:
                assert target.wrong_types(types[stream], kinds) == {}


FILES_ELSEWHERE = {
    "pipelinewise-target-postgres": "Unknown message type BATCH",
    "target-jsonl": "AttributeError",
    "target-sqlite": "",
}
"""What other targets say of BATCH messages; one loses the records without a word."""


@pytest.mark.parametrize(
    "target", [case(t, into_files=True) for t in TARGETS if t.name in FILES_ELSEWHERE]
)
def test_other_targets_do_not_load_files(target: Target, place: Place, nights_of: NightsOf) -> None:
    """The tap warns for this reason, and docs/targets.md names one target."""
    _, night, _ = nights_of(into_files=True)
    if said := FILES_ELSEWHERE[target.name]:
        with pytest.raises(AssertionError, match=said):
            target.load(night.output.stdout, place)
        return
    target.load(night.output.stdout, place)
    tables, _ = target.read(place)
    assert {stream for stream in tables if tables[stream]} <= {RUN_LOG}


@pytest.mark.parametrize("target", [case(t, into_files=False) for t in TARGETS if t.name == "dlt"])
def test_dlt_ends_well_if_the_tap_failed_at_once(target: Target, place: Place) -> None:
    """The tap has said why, and a traceback of dlt would hide it."""
    target.load("", place)
