"""Nightly and weekly runs into a warehouse, and what they leave there."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from tap_cube.tap import TapCube
from tests.support import held
from tests.support.compared import counted, differences
from tests.support.lives import everything
from tests.support.runs import discover, read, set_selected
from tests.support.singer_check import as_message, batch_lines
from tests.support.stored import SCHEMA
from tests.support.tap_process import TapRun
from tests.support.target import Target
from tests.support.targets import TARGETS, in_postgres

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cube_sandbox import Sandbox
    from tests.support.held import Row, Tables
    from tests.support.lives import Lives
    from tests.support.stored import Place, Stored

DELETED, VERSION = "_sdc_deleted_at", "_sdc_table_version"
DETAILS = {
    "assignment_customer_details": "assignment_customers",
    "data_owner_customer_details": "data_owner_customers",
}
_ASSIGNED, _OWNED = ("assignment_id", "customer_id"), ("data_owner_id", "crm_type", "customer_id")
KEYS = {
    "campaigns": ("campaign__id",),
    "custom_fields": ("source", "id"),
    "assignment_customers": _ASSIGNED,
    "assignment_customer_details": _ASSIGNED,
    "data_owner_customers": _OWNED,
    "data_owner_customer_details": _OWNED,
    **{stream: (key,) for stream, key in held.EVENTS.items()},
}
_TARGETS = {target.name: target for target in TARGETS}
PIPELINEWISE = _TARGETS["pipelinewise-target-postgres"]
"""A target that does not know ACTIVATE_VERSION."""

Keys = dict[str, set[tuple[object, ...]]]


def deleting(*, is_hard: bool) -> Target:
    """target-postgres, which deletes rows, or marks them."""
    settings = in_postgres(use_copy=True, validate_records=False, hard_delete=is_hard)
    return replace(_TARGETS["target-postgres, use_copy"], settings=settings)


@dataclass(frozen=True)
class InMemory(Target):
    """A target that does with rows in memory what target-postgres does with those of a table."""

    rows: dict[str, dict[tuple[object, ...], Row]] = field(default_factory=dict)

    @override
    def load(self, output: str, place: Place) -> None:
        for message in TapRun(0, output, "").messages:
            match message["type"]:
                case "RECORD":
                    self._put(message["stream"], message)
                case "BATCH":
                    for line in batch_lines(message):
                        self._put(message["stream"], as_message(json.loads(line)))
                case "ACTIVATE_VERSION":
                    rows = self.rows.get(message["stream"], {})
                    for key in [k for k in rows if rows[k][VERSION] < message["version"]]:
                        del rows[key]

    def _put(self, stream: str, message: dict[str, Any]) -> None:
        row = {**message["record"], VERSION: message["version"]}
        self.rows.setdefault(stream, {})[key_of(row, stream)] = row


def in_memory() -> Target:
    """An empty one."""
    rows: dict[str, dict[tuple[object, ...], Row]] = {}

    def read(_: Place) -> Stored:
        return {name: [*found.values()] for name, found in rows.items()}, {}

    return InMemory("memory", Path(), lambda _: {}, read, rows=rows)


@dataclass(slots=True)
class _Clock:
    """Gives each run a second of its own, since that is the version of a full load."""

    last: int = 0

    def tick(self) -> int:
        self.last = max(self.last + 1, int(time.time()))
        return self.last


@dataclass(slots=True)
class Pipeline:
    """Runs of the tap, each from the state of the one before, and what they load.

    Attributes:
        cube: The account.
        place: Where the tables go.
        target: What loads them.
        has_details: Whether details of customers are selected.
        settings: Settings of every run of the tap.
        state: What the last run left.
    """

    cube: Sandbox
    place: Place
    target: Target
    has_details: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] | None = None
    _clock: _Clock = field(default_factory=_Clock)

    def catalog(self, *, is_full: bool = False) -> dict[str, Any]:
        """Discover a catalog.

        Args:
            is_full: Whether all streams are forced to FULL_TABLE, as `weekly` of `meltano.yml` is.
        """
        found = discover(self.cube, **self.settings)
        for entry in found["streams"]:
            if self.has_details:
                set_selected(entry, selected=True)
            if is_full:
                (root,) = (p["metadata"] for p in entry["metadata"] if not p["breadcrumb"])
                root["replication-method"] = "FULL_TABLE"
        return found

    def read(
        self, catalog: dict[str, Any] | None = None, *, may_fail: bool = False, **settings: object
    ) -> TapRun:
        """Run the tap."""
        chosen = catalog or self.catalog()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(TapCube, "initialized_at", 1000 * self._clock.tick())
            run = read(self.cube, state=self.state, catalog=chosen, **(self.settings | settings))
        assert may_fail or run.returncode == 0, run.stderr
        return run

    def load(self, run: TapRun, schema: str = SCHEMA) -> None:
        """Load what a run wrote, and keep its state."""

        def settings(place: Place) -> Mapping[str, Any]:
            return {**self.target.settings(place), "default_target_schema": schema}

        replace(self.target, settings=settings).load(run.stdout, self.place)
        self.state = run.state or self.state

    def nightly(self) -> None:
        """Load what has changed."""
        self.load(self.read())

    def weekly(self) -> None:
        """Load everything, with the state."""
        self.load(self.read(self.catalog(is_full=True)))

    def refresh(self) -> None:
        """Load everything, without the state."""
        self.state = None
        self.nightly()

    def tables(self, *, is_live: bool = True) -> Tables:
        """The rows of each table, by default those that are not marked as deleted."""
        tables, _ = self.target.read(self.place)
        return {
            name: [row for row in rows if not (is_live and row.get(DELETED))]
            for name, rows in tables.items()
        }

    def keys(self) -> Keys:
        """The keys of the rows that are not marked as deleted."""
        return {
            name: {tuple(row[key] for key in KEYS[name]) for row in rows}
            for name, rows in self.tables().items()
        }

    def check(self, lives: Lives, *, is_live: bool = True) -> None:
        """Compare every table with the account, and search it for those who have gone.

        Args:
            lives: The people of the account.
            is_live: Whether to search only the rows that are not marked as deleted.
        """
        account, live = lives.look(), self.tables()
        kinds = {self.target.fold(name): kind for name, kind in held.kinds(self.cube).items()}
        for stream, rows in account.items():
            assert rows or not live[stream]
            found = counted(self.target.latest(live[stream], KEYS[stream], kinds))
            expected = counted(map(self.target.kept, rows))
            assert differences(found, expected) == [], stream
        for stream, parent in DETAILS.items() if self.has_details else ():
            known = {key_of(row, parent) for row in account[parent] if has_id(row)}
            assert {key_of(row, parent) for row in live[stream]} == known
        assert lives.remembered(everything(self.tables(is_live=is_live)), account) == []


def key_of(row: Row, stream: str) -> tuple[object, ...]:
    """The key of a row."""
    return tuple(row[name] for name in KEYS[stream])


def has_id(row: Row) -> bool:
    """Whether a customer has an id."""
    return bool(row["customer_id"] != held.SURROGATE)
