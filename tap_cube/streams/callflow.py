"""Customers' places in the call flow of campaigns (rows C6, C5)."""

from __future__ import annotations

import typing as t

from singer_sdk import typing as th
from typing_extensions import override

from tap_cube.records.rows import CallflowRow
from tap_cube.streams.base import CubeStream
from tap_cube.streams.campaign_rows import CampaignRows
from tap_cube.streams.cursors import MinuteCursor

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_cube.account.model import Account, Partition
    from tap_cube.streams.spec import CubeTap, StreamSpec


class CallflowCustomersStream(CubeStream[CallflowRow]):
    """Where each customer stands in each campaign, incremental by the minute of the last change."""

    replication_key = "callflow__last_change__when"
    row_type = CallflowRow
    rows: CampaignRows

    @override
    @classmethod
    def of_account(
        cls, tap: CubeTap, spec: StreamSpec, account: Account, streams: Mapping[str, t.Any]
    ) -> t.Self | None:
        del streams
        if spec.name not in account.resources:
            return None
        own = dict.fromkeys(("callflow_key", "customer_id"), th.StringType())
        rows = CampaignRows(account, spec, own)
        stream = cls(tap, spec, rows.resource, rows.columns)
        stream.rows = rows
        stream.added_columns = ("callflow_key", "customer_id", *rows.looked_up)
        stream.cursor = MinuteCursor(cls.replication_key, tap.settings.timezone)
        return stream

    @override
    def added_values(self, partition: Partition, row: CallflowRow, key: str) -> Sequence[object]:
        names = str(row.data_owner__name or ""), str(row.campaign__name or "")
        campaign = partition.columns.get("campaign__id")
        where = "/".join((names[0], str(row.campaign__crm_type or ""), names[1]))
        return f"{campaign or where}:{key}", row.customer_id, *self.rows.looked_up_values(names)
