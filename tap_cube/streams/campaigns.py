"""Campaigns (row C1): a bare list, however many there are."""

from __future__ import annotations

import typing as t

from typing_extensions import override

from tap_cube.account import generations
from tap_cube.account.columns import StreamColumns
from tap_cube.account.model import ACCOUNT, Resource
from tap_cube.records.codec import decode_row
from tap_cube.records.ids import by_id
from tap_cube.records.rows import Row
from tap_cube.streams.base import CubeStream

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk.helpers.types import Context, Record

    from tap_cube.account.model import Account, Partition
    from tap_cube.records.decoder import RecordDecoder
    from tap_cube.streams.spec import CubeTap, StreamSpec


class CampaignsStream(CubeStream[Row]):
    """The campaigns that the credential may see."""

    @override
    @classmethod
    def of_account(
        cls, tap: CubeTap, spec: StreamSpec, account: Account, streams: Mapping[str, t.Any]
    ) -> t.Self | None:
        del streams
        if account.campaign_keys is None:
            return None
        earlier = generations.EARLIER_CAMPAIGN_FIELDS
        sent = {key: earlier[key] for key in earlier if key in account.campaign_keys}
        resource = Resource((ACCOUNT,), spec.endpoints[0], is_list=True)
        return cls(tap, spec, resource, StreamColumns({**generations.CAMPAIGN_FIELDS, **sent}))

    @override
    def records(
        self, partition: Partition, context: Context | None, decoder: RecordDecoder
    ) -> Iterator[Record]:
        del context
        pages = self.read(partition)
        rows = (decode_row(page.raw_rows[place]) for page, places in pages for place in places)
        for row in by_id(rows, "campaign__id").values():
            yield decoder.decode(self.prepare(row))

    @override
    def prepare(self, row: Record) -> Record:
        # The one boolean that is documented to be "" for false (T36).
        if row.get("campaign__is_active") == "":
            return {**row, "campaign__is_active": False}
        return row
