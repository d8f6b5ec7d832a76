"""Customers' places in the call flow of campaigns (rows C6, C5)."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta

from singer_sdk import typing as th
from typing_extensions import override

from tap_cube import generations
from tap_cube.heads import CallflowHead
from tap_cube.incremental import IncrementalStream
from tap_cube.streams.of_campaigns import CampaignsRowsStream
from tap_cube.values import as_moment

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tap_cube.generations import JSONType
    from tap_cube.sources import Source


class CallflowCustomersStream(CampaignsRowsStream, IncrementalStream[CallflowHead]):
    """Where each customer stands in each campaign, incremental by the minute of the last change.

    Moments are local wall-clock times, as Cube sends them (T38).
    """

    name = "callflow_customers"
    primary_keys = ("callflow_key",)
    replication_key = "callflow__last_change__when"
    added_columns = ("callflow_key", "customer_id")
    head_kind = CallflowHead
    fixed_fields = generations.CALLFLOW_FIELDS
    own_fields: t.ClassVar[Mapping[str, JSONType]] = {
        "callflow_key": th.StringType(),
        "customer_id": th.StringType(),
    }

    @override
    def target_of(self, source: Source) -> str | None:
        end = self.end_of(source)
        bookmark = self.bookmark(self.partition_of(source) or None)
        is_done = end and bookmark and bookmark >= self.bookmark_of(end)
        return None if is_done else super().target_of(source)

    @override
    def end_of(self, source: Source) -> str:
        has_ended = source.ended and source.ended < self.today()
        return f"{source.ended}T23:59:59" if has_ended else ""

    @override
    def moment_of(self, head: CallflowHead) -> str | None:
        try:
            moment = as_moment(head.callflow__last_change__when or "", self.settings.timezone)
        except (ValueError, ArithmeticError):
            return None
        return self._wall_clock(datetime.fromisoformat(moment)) if moment else None

    @override
    def added_of(self, source: Source, head: CallflowHead, key: str) -> Sequence[object]:
        names = str(head.data_owner__name or ""), str(head.campaign__name or "")
        campaign = source.columns.get("campaign__id")
        where = "/".join((names[0], str(head.campaign__crm_type or ""), names[1]))
        return f"{campaign or where}:{key}", head.key, *self.looked_up(names)

    @override
    def start_of(self, bookmark: str) -> str:
        moment = datetime.fromisoformat(bookmark)
        local = moment.astimezone(self.settings.timezone) if moment.tzinfo else moment
        wall = local.replace(tzinfo=self.settings.timezone)
        # When clocks go back an hour comes twice, and nobody says which one is meant.
        is_twice = wall.replace(fold=0).utcoffset() != wall.replace(fold=1).utcoffset()
        return self._wall_clock(wall - timedelta(hours=1) if is_twice else wall)

    @override
    def bookmark_of(self, moment: str) -> str:
        return as_moment(moment, self.settings.timezone) or ""

    @override
    def run_began(self) -> str:
        began = datetime.fromtimestamp(self._tap.initialized_at / 1000, self.settings.timezone)
        # A minute is all Cube tells, and this one is not over: what changes in it comes next time.
        # The second time of an hour that comes twice is after all of the first.
        minute = 59 if began.fold else began.minute
        return self._wall_clock(began.replace(minute=minute, second=0))

    def _wall_clock(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.settings.timezone):%Y-%m-%dT%H:%M:%S}"
