"""Customers' places in the call flow of campaigns (rows C6, C5)."""

from __future__ import annotations

import re
import typing as t
from functools import partial
from urllib.parse import quote

from singer_sdk import typing as th
from typing_extensions import override

from tap_cube.records.ids import INTERNAL, SURROGATE, imported_key
from tap_cube.records.rows import CallflowRow
from tap_cube.settings_schema import CRM_TYPES
from tap_cube.streams.base import CubeStream
from tap_cube.streams.campaign_rows import CampaignRows
from tap_cube.streams.cursors import MinuteCursor

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_cube.account.model import Account, Partition
    from tap_cube.streams.spec import CubeTap, StreamSpec

_CRM = re.compile(f"/(?:{'|'.join(CRM_TYPES)})/")
_CUSTOMER = re.compile(rf":({SURROGATE}[^:]*:[0-9]+|{INTERNAL}[^:]*|[^:]*)\Z")


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
    def added_values(
        self, partition: Partition, rows: Sequence[CallflowRow], keys: Sequence[str]
    ) -> Sequence[Sequence[object]]:
        values = map(partial(self._values, partition), rows, keys)
        return [*zip(*values, strict=True)]

    def _values(self, partition: Partition, row: CallflowRow, key: str) -> Sequence[object]:
        names = str(row.data_owner__name or ""), str(row.campaign__name or "")
        campaign = partition.columns.get("campaign__id")
        crm_type = str(row.campaign__crm_type or "")
        own = f"{campaign}:{key}" if campaign else key_by_names(names[0], crm_type, names[1], key)
        return own, imported_key(row.customer_id), *self.rows.looked_up_values(names)


def key_by_names(owner: str, crm_type: str, campaign: str, key: str) -> str:
    """Key of a call state in a list that shows names of campaigns instead of their ids (C5).

    It is plain, such as ``Fjordmedia AS/B2B/Mersalg:971352``, if it can be read in one way only.
    Names may hold slashes and colons, too. Where they could be taken for separators, all parts are
    percent-encoded, so that the key holds no slash.

    Args:
        owner: Name of the data owner.
        crm_type: CRM type, which may be any text (T24).
        campaign: Name of the campaign.
        key: Key of the customer.
    """
    plain = f"{owner}/{crm_type}/{campaign}:{key}"
    start = len(owner) + len(crm_type) + 2
    crm, customer = _CRM.search(plain), _CUSTOMER.search(plain, start)
    is_clear = crm.span() == (len(owner), start) if crm else "/" not in owner + crm_type
    if is_clear and customer and customer[1] == key:
        return plain
    return ":".join(quote(part, safe="") for part in (owner, crm_type, campaign, key))
