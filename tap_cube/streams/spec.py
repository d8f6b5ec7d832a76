"""What a stream is given: the tap, and its line in the registry."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from functools import cached_property

from singer_sdk import Tap

from tap_cube.errors import PartialRunError
from tap_cube.http.client import CubeClient
from tap_cube.http.prefetch import WorkerPool
from tap_cube.paging.first_pages import FirstPages

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.streams import Stream

    from tap_cube.account.endpoint import Endpoint
    from tap_cube.account.generations import JSONType
    from tap_cube.account.memory import Memory
    from tap_cube.account.model import Account
    from tap_cube.records.rows import Row
    from tap_cube.settings import Settings


class StreamType(t.Protocol):
    """A stream's class."""

    @property
    def row_type(self) -> type[Row] | None:
        """What is decoded of every row; None for what is not Cube's."""

    def of_account(
        self, tap: CubeTap, spec: StreamSpec, account: Account, streams: Mapping[str, t.Any]
    ) -> Stream | None:
        """Make the stream from what discovery found; None if the account has nothing for it.

        Args:
            tap: The tap.
            spec: The stream's line in the registry.
            account: What discovery found.
            streams: The streams made before it, by name.
        """


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """A stream's line in the registry.

    Attributes:
        name: Name of the stream.
        type: Its class.
        meaning: What a row is, for the documents.
        endpoints: Where it may be read from, in the order to try; none for what is not Cube's.
        primary_keys: Columns of its primary key.
        fields: Fixed fields of its rows, where the registry decides them.
        parent: Name of the stream whose records it goes with.
    """

    name: str
    type: StreamType
    meaning: str
    endpoints: tuple[Endpoint, ...]
    primary_keys: tuple[str, ...]
    fields: Mapping[str, JSONType] = field(default_factory=dict)
    parent: str = ""


class CubeTap(Tap):
    """What streams use of the tap.

    Attributes:
        settings: Settings that passed every rule.
        memory: What the state says of earlier runs.
    """

    settings: Settings
    memory: Memory

    @cached_property
    def client(self) -> CubeClient:
        """The account, shared by all streams."""
        return CubeClient(self.settings, self.logger)

    @cached_property
    def pool(self) -> WorkerPool:
        """The threads that send requests, shared by all streams."""
        return WorkerPool(self.client.limit)

    @cached_property
    def first_pages(self) -> FirstPages:
        """First pages that were fetched and whose rows were not read yet."""
        return FirstPages()

    @cached_property
    def failures(self) -> list[str]:
        """What could not be read in this run, one sentence for each failure."""
        return []

    def raise_failures(self) -> None:
        """End a run that could not read everything.

        Raises:
            PartialRunError: If there are failures.
        """
        if self.failures:
            raise PartialRunError([*dict.fromkeys(self.failures)])
