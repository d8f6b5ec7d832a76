"""Campaigns (row C1), as discovery has read them."""

from __future__ import annotations

import typing as t

from typing_extensions import override

from tap_cube.account import generations
from tap_cube.account.columns import StreamColumns
from tap_cube.account.model import ACCOUNT, Partition, Resource
from tap_cube.records.ids import by_id
from tap_cube.records.rows import Row
from tap_cube.streams.base import CubeStream

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from singer_sdk.helpers.types import Context, Record

    from tap_cube.account.model import Account
    from tap_cube.records.decoder import RecordDecoder
    from tap_cube.streams.spec import CubeTap, StreamSpec


class CampaignsStream(CubeStream[Row]):
    """The campaigns that the credential may see.

    The partitions of other streams come from the same list, so it is requested once.
    """

    rows: Sequence[Record]

    @override
    @classmethod
    def of_account(
        cls, tap: CubeTap, spec: StreamSpec, account: Account, streams: Mapping[str, t.Any]
    ) -> t.Self | None:
        del streams
        if account.campaign_rows is None:
            return None
        earlier = generations.EARLIER_CAMPAIGN_FIELDS
        keys = {key for row in account.campaign_rows for key in row}
        sent = {key: earlier[key] for key in earlier if key in keys}
        shown = [Partition.of_campaign(campaign).name for campaign in account.campaigns]
        gone = tap.memory.missing(shown, [{"campaign__id"}])
        unread = (*account.unread[spec.name], *gone)
        resource = Resource((ACCOUNT,), spec.endpoints[0], is_list=True, unread=unread)
        fields = {**generations.CAMPAIGN_FIELDS, **sent}
        columns = StreamColumns(spec.name, {}, fields, account.naming.of(spec.name))
        stream = cls(tap, spec, resource, columns)
        stream.rows = account.campaign_rows
        stream.stats.lists[ACCOUNT.name] = account.campaign_stats
        return stream

    @override
    def first_keys(self, partition: Partition) -> Iterable[str]:
        return dict.fromkeys(key for row in self.rows for key in row)

    @override
    def records(
        self, partition: Partition, context: Context | None, decoder: RecordDecoder
    ) -> Iterator[Record]:
        del partition, context
        rows = by_id(self.rows, "campaign__id").values()
        yield from [decoder.decode(self.prepare(row)) for row in rows]

    @override
    def prepare(self, row: Record) -> Record:
        # The one boolean that is documented to be "" for false (T36).
        if row.get("campaign__is_active") == "":
            return {**row, "campaign__is_active": False}
        return row
