"""A record of every run: one row for each list that it read, or should have read.

It says whether last night was complete, in the same place as the rows themselves. A stream reaches
the warehouse by any target, which a log or a table of one target's own would not. The rows come at
the very end, so a run that was killed has none. No full load deletes them: they have no version.
"""

from __future__ import annotations

import secrets
import typing as t
from contextlib import contextmanager
from datetime import UTC, datetime
from types import MappingProxyType

from singer_sdk import typing as th
from typing_extensions import override

from tap_cube.account.columns import nullable_properties, with_required_keys
from tap_cube.errors import CubeError, OutputError
from tap_cube.singer.stats import ListStats, Result
from tap_cube.singer.stream import EncodedStream

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context, Record

    from tap_cube.account.generations import JSONType
    from tap_cube.account.model import Account
    from tap_cube.singer.partition_state import EncodedStateWriter
    from tap_cube.streams.base import CubeStream
    from tap_cube.streams.spec import CubeTap, StreamSpec

_text, _number, _moment = th.StringType(), th.IntegerType(), th.DateTimeType()
_KEYS = dict.fromkeys(("run_id", "stream", "source"), _text)
_NUMBERS = (
    "counted", "read", "emitted", "unchanged", "passes", "requests", "retries", "unparsed",
    "anonymised",
)  # fmt: skip

RUN_LOG_FIELDS: Mapping[str, JSONType] = MappingProxyType(
    {
        **_KEYS,
        "endpoint": _text,
        **dict.fromkeys(_NUMBERS, _number),
        "result": _text,
        **dict.fromkeys(("complete", "run_succeeded"), th.BooleanType()),
        **dict.fromkeys(("began", "ended"), _moment),
    }
)
"""Columns of the record. None of them holds anything of a customer."""

ACCOUNT_SOURCE: t.Final = "account"
"""Source of a list of the whole account. An empty text would be null in some databases."""


class RunLogStream(EncodedStream):
    """What the other streams counted in this run.

    Args:
        tap: The tap.
        spec: The stream's line in the registry.
        streams: The streams to record.
    """

    row_type: t.ClassVar[None] = None
    writes_state = False
    declares_early = False

    def __init__(
        self, tap: CubeTap, spec: StreamSpec, streams: Iterable[CubeStream[t.Any]]
    ) -> None:
        self.tap, self._streams = tap, [*streams]
        self._run_succeeded = False
        properties = with_required_keys(
            nullable_properties(spec.name, RUN_LOG_FIELDS), spec.primary_keys
        )
        super().__init__(
            tap, name=spec.name, primary_keys=spec.primary_keys, properties=properties, partitions=1
        )

    @classmethod
    def of_account(
        cls, tap: CubeTap, spec: StreamSpec, account: Account, streams: Mapping[str, t.Any]
    ) -> t.Self:
        """Make the stream of a `StreamType`, after all others."""
        del account
        return cls(tap, spec, streams.values())

    @override  # type: ignore[misc]  # "final", as in `CubeStream`
    def sync(self, context: Context | None = None) -> None:
        """Do nothing: the run has not ended when the SDK syncs its streams."""

    @contextmanager
    def of_run(self, failures: Sequence[str]) -> Iterator[None]:
        """Write the rows when the block has ended, also if the run breaks off.

        Args:
            failures: What could not be read, known at the end.
        """
        try:
            yield
        except OutputError:
            raise  # nobody reads what is written
        except CubeError:
            self._write(run_succeeded=False)
            raise
        self._write(run_succeeded=not failures)

    def _write(self, *, run_succeeded: bool) -> None:
        self._run_succeeded = run_succeeded
        if self.selected:
            super().sync()
            self.writer.flush()  # also if the run has no state yet
            t.cast("EncodedStateWriter", self.tap.state_writer).repeat()

    @override
    def get_batch_config(self, config: Mapping[str, t.Any]) -> None:
        """Return None: a file for a few rows is not worth it."""

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        # The time comes first, so that the ids of runs sort by it. Two runs may begin at once.
        began = datetime.fromtimestamp(self.tap.initialized_at / 1000, UTC)
        run_id = f"{began:%Y-%m-%dT%H:%M:%S.%f}Z-{secrets.token_hex(4)}"
        for stream in self._streams:
            if stream.selected or stream.has_selected_descendents:
                for source, endpoint, stats in _lists(stream):
                    key = {"run_id": run_id, "stream": stream.name, "source": source}
                    yield {**key, "endpoint": endpoint, **self._numbers(stream, source, stats)}

    def _numbers(self, stream: CubeStream[t.Any], source: str, stats: ListStats) -> Record:
        client, name = self.tap.client, "" if source == ACCOUNT_SOURCE else source
        return {
            "counted": stats.counted,
            "read": stats.read,
            "emitted": stats.emitted if stream.selected else 0,  # else only its details are
            "unchanged": stats.unchanged,
            "passes": stats.passes,
            "requests": client.requests[stream.name][name],
            "retries": client.retries[stream.name][name],
            "unparsed": stats.unparsed,
            "anonymised": stats.anonymised,
            "result": stats.result,
            "complete": stats.result is Result.COMPLETE,
            "run_succeeded": self._run_succeeded,
            "began": stats.began and stats.began.isoformat(),
            "ended": stats.ended and stats.ended.isoformat(),
        }


def _lists(stream: CubeStream[t.Any]) -> Iterator[tuple[str, str | None, ListStats]]:
    """Yield source, endpoint and numbers of the lists that the run read, or should have read."""
    asked, names = stream.tap.client.requests[stream.name], set()
    for partition in stream.resource.partitions:
        names.add(partition.name)
        # A campaign that has ended and was read to its end is not requested any more.
        if asked[partition.name] or stream.target_of(partition):
            endpoint = stream.endpoint_of(partition).row
            yield partition.name or ACCOUNT_SOURCE, endpoint, stream.stats.of(partition.name)
    skipped = ListStats(result=Result.SKIPPED)
    for partition in stream.resource.skipped:
        if partition.name not in names:
            yield partition.name, None, skipped
