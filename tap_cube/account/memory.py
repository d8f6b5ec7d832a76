"""What the state remembers: where runs read each stream, so that later runs read it there too.

Keys and columns depend on the endpoint. If a run took the next endpoint because one was missing
for a night, every row would come again under another key. So the state holds, beside the
bookmarks, the row of docs/api.md that each stream was read from, and the partitions that showed
definitions of custom fields. Meltano keeps and merges whatever stands in ``bookmarks``::

    {"bookmarks": {
        "campaigns": {"endpoint": "C1"},
        "call_outcomes": {
            "endpoint": "C9", "partitions": [...],
            "names": {"ID": "ID_1cc5b56e"}, "types": {"number": ["crm__custom_info__20"]}},
        "custom_fields": {"definitions": {"data_owners/2/B2B": "C4"}, "partitions": [...]}}}

Two more things depend on earlier runs. Of keys whose names are alike, the first one has the plain
name (``account/names.py``): ``names`` has the columns that were emitted, by key, but not those that
no other key can have. Targets keep the type that a column had first: ``types`` has the columns
that not every account has by type, as the last run declared them that read the stream without a
failure. ``singer/versions.py`` explains the marks of full loads.

State of earlier versions has only bookmarks. The ids in their contexts tell the endpoints from
which they can come. Names are then those of a first run.
"""

from __future__ import annotations

import typing as t
from collections import defaultdict
from dataclasses import dataclass, field, replace

import msgspec

from tap_cube.account.generations import CAMPAIGNS
from tap_cube.account.model import partition_name
from tap_cube.errors import StateError
from tap_cube.logs import shown

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from singer_sdk.helpers.types import TapState

    from tap_cube.account.endpoint import Endpoint
    from tap_cube.account.model import Account
    from tap_cube.settings import Settings


@dataclass(frozen=True, slots=True)
class Expected:
    """Where to look for a resource, and what earlier runs make certain.

    Attributes:
        endpoints: The endpoints to try, in order.
        must_answer: Whether one of them answered before, so that no answer is a failure.
        has_rows: Whether its list had rows before, so that an empty list is a failure.
    """

    endpoints: tuple[Endpoint, ...]
    must_answer: bool = False
    has_rows: bool = False


NOTHING_EXPECTED: t.Final = Expected(())


@dataclass(frozen=True, slots=True)
class Memory:
    """What earlier runs left in the state; nothing in a first run or a full refresh.

    Attributes:
        endpoints: Row of docs/api.md that each stream was read from.
        definitions: Row for each partition whose list of definitions was not empty.
        contexts: Contexts of the partitions that were read, by stream.
        names: Names of the columns of some keys, by stream; the run adds those that it emits.
        types: Columns of each type that not every account has, by stream.
    """

    endpoints: Mapping[str, str] = field(default_factory=dict)
    definitions: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, Sequence[Mapping[str, t.Any]]] = field(default_factory=dict)
    names: dict[str, dict[str, str]] = field(default_factory=dict)
    types: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)

    @classmethod
    def of_state(cls, state: Mapping[str, t.Any]) -> t.Self:
        """Read a state.

        Args:
            state: A state whose bookmarks and partitions have the right shape.

        Raises:
            StateError: If what it remembers is damaged.
        """
        marks = state.get("bookmarks", {})
        for stream, mark in marks.items():
            if not _is_mark(mark):
                msg = (
                    f"The state of stream {shown(stream)} is damaged. "
                    "Fix or clear it, then run again."
                )
                raise StateError(msg)
        return cls(
            {name: mark["endpoint"] for name, mark in marks.items() if "endpoint" in mark},
            marks.get("custom_fields", {}).get("definitions", {}),
            {name: _contexts(mark) for name, mark in marks.items()},
            {name: dict(mark["names"]) for name, mark in marks.items() if "names" in mark},
            {name: mark["types"] for name, mark in marks.items() if "types" in mark},
        )

    def expected(self, stream: str, endpoints: Sequence[Endpoint]) -> Expected:
        """Where to look for the rows of a stream.

        Args:
            stream: Name of the stream.
            endpoints: All its endpoints, in the order in which a first run tries them.

        Raises:
            StateError: If the state names an endpoint that the stream does not have.
        """
        if row := self.endpoints.get(stream):
            return Expected(_named(stream, row, endpoints), must_answer=True)
        ids = [context.keys() for context in self.contexts.get(stream, ())]
        fitting = tuple(endpoint for endpoint in endpoints if endpoint.ids in ids)
        return Expected(fitting or tuple(endpoints), must_answer=bool(fitting))

    def expected_campaigns(self, settings: Settings) -> Expected:
        """Where to look for the campaigns.

        State of earlier versions does not name their endpoint. There, a partition that the
        settings do not name can only come from the list of campaigns.
        """
        listed = "campaigns" in self.endpoints or (
            not self.endpoints
            and any(
                "campaign__id" in context
                or ("crm_type" in context and settings.crms is None)
                or ("assignment_id" in context and settings.assignment_ids is None)
                for contexts in self.contexts.values()
                for context in contexts
            )
        )
        return Expected(CAMPAIGNS, must_answer=listed, has_rows=listed)

    def expected_definitions(self, partition: str, endpoints: Sequence[Endpoint]) -> Expected:
        """Where to look for the definitions of a partition, by its name."""
        if row := self.definitions.get(partition):
            named = _named("custom_fields", row, endpoints)
            return Expected(named, must_answer=True, has_rows=True)
        # Earlier versions left the context of a list that answered, even of an empty one.
        old = () if self.endpoints else self.contexts.get("custom_fields", ())
        answered = any(context.get("source") == partition for context in old)
        return Expected(tuple(endpoints), must_answer=answered)

    def missing(self, shown: Iterable[str], kinds: Iterable[set[str]]) -> list[str]:
        """Names of partitions that earlier runs read and that the account no longer shows.

        Args:
            shown: Names of the partitions that the account shows.
            kinds: Names of the ids in the contexts to compare.
        """
        kinds = list(kinds)
        read = {
            partition_name(context): None
            for contexts in self.contexts.values()
            for context in contexts
            if context.keys() - {"source"} in kinds
        }
        return sorted(read.keys() - set(shown))

    def updated(self, account: Account) -> t.Self:
        """The memory with what a run has found; what it did not look for stays."""
        found = {name: each.endpoint.row for name, each in account.resources.items()}
        if account.campaign_rows:
            found["campaigns"] = CAMPAIGNS[0].row
        defined = {d.partition.name: d.endpoint.row for d in account.definitions if d.rows}
        return replace(
            self,
            endpoints={**self.endpoints, **found},
            definitions={**self.definitions, **defined},
        )

    def write(self, state: TapState) -> None:
        """Write the memory into a state, beside its bookmarks; nothing if it is empty."""
        known: dict[str, dict[str, t.Any]] = defaultdict(dict)
        for stream, row in self.endpoints.items():
            known[stream]["endpoint"] = row
        for stream, keys in self.names.items():
            if keys:
                known[stream]["names"] = keys
        if self.definitions:
            known["custom_fields"]["definitions"] = dict(self.definitions)
        for stream, mark in known.items():
            state.setdefault("bookmarks", {}).setdefault(stream, {}).update(mark)


class _Mark(msgspec.Struct):
    """What a stream's part of the state remembers."""

    endpoint: str = ""
    definitions: dict[str, str] = msgspec.field(default_factory=dict)
    names: dict[str, str] = msgspec.field(default_factory=dict)
    types: dict[str, list[str]] = msgspec.field(default_factory=dict)


def _is_mark(mark: Mapping[str, t.Any]) -> bool:
    try:
        msgspec.convert(mark, _Mark)
    except msgspec.ValidationError:
        return False
    return True


def _contexts(mark: Mapping[str, t.Any]) -> list[Mapping[str, t.Any]]:
    """Contexts of the partitions in a stream's part of the state; one empty for the account."""
    if contexts := [part["context"] for part in mark.get("partitions", [])]:
        return contexts
    return [{}] if "replication_key_value" in mark else []


def _named(stream: str, row: str, endpoints: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    if named := tuple(endpoint for endpoint in endpoints if endpoint.row == row):
        return named
    msg = (
        f"{stream}: the state names the address {shown(row)}, which this version of the tap does "
        "not know. Use the version that wrote it, or run once without a state."
    )
    raise StateError(msg)
