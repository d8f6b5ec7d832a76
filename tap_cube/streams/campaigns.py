"""Campaigns (row C1): a bare list, however many there are."""

from __future__ import annotations

import typing as t

from typing_extensions import override

from tap_cube import generations
from tap_cube.schemas import keyed, properties_of
from tap_cube.stream import CubeStream

if t.TYPE_CHECKING:
    from collections.abc import Collection

    from singer_sdk.helpers.types import Record

    from tap_cube.tap import TapCube


class CampaignsStream(CubeStream):
    """The campaigns that the credential may see.

    Args:
        tap: The tap.
        keys: Keys that the account's campaigns have.
    """

    name = "campaigns"
    primary_keys = ("campaign__id",)

    def __init__(self, tap: TapCube, keys: Collection[str]) -> None:
        """Declare the newest fields, and earlier ones that the account still sends."""
        earlier = generations.EARLIER_CAMPAIGN_FIELDS
        sent = {key: earlier[key] for key in earlier if key in keys}
        fields = {**generations.CAMPAIGN_FIELDS, **sent}
        super().__init__(
            tap,
            endpoints={"": generations.CAMPAIGNS[0]},
            properties=keyed(properties_of(fields), self.primary_keys),
        )

    @override
    def prepare(self, row: Record) -> Record:
        # The one boolean that is documented to be "" for false (T36).
        if row.get("campaign__is_active") == "":
            return {**row, "campaign__is_active": False}
        return row
