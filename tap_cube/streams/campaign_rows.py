"""What streams about campaigns share: columns, and ids looked up by names."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from dataclasses import replace
from types import MappingProxyType

from singer_sdk import typing as th

from tap_cube.account import generations
from tap_cube.account.columns import CustomColumns, StreamColumns

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_cube.account.campaigns import Campaign
    from tap_cube.account.generations import JSONType
    from tap_cube.account.model import Account
    from tap_cube.streams.spec import StreamSpec

_IDS: Mapping[str, JSONType] = MappingProxyType(
    {
        "campaign__id": th.IntegerType(),
        "data_owner_id": th.IntegerType(),
        "crm_type": th.StringType(),
        "assignment_id": th.IntegerType(),
    }
)
"""Ids by which rows are joined to campaigns and customers."""


class CampaignRows:
    """Rows read by campaign, by CRM, or all at once, and the ids that each of them gets.

    Args:
        account: What discovery found.
        spec: The stream's line in the registry.
        own: Fields that the tap adds to every row.

    Attributes:
        columns: The columns of the stream.
        resource: Where the rows are; partitions have the ids that all their rows have.
        looked_up: Ids that no partition has for all its rows.
    """

    def __init__(
        self, account: Account, spec: StreamSpec, own: Mapping[str, JSONType] = MappingProxyType({})
    ) -> None:
        resource = account.resources[spec.name]
        given = [partition.columns for partition in resource.partitions]
        known = [*given, *(campaign.columns for campaign in account.campaigns)]
        ids = [name for name in _IDS if name == "campaign__id" or any(of.get(name) for of in known)]
        constant = [name for name in ids if any(name in of for of in given)]
        self.looked_up = tuple(name for name in ids if name not in constant)
        self.resource = replace(
            resource,
            partitions=tuple(
                replace(each, columns={name: each.columns.get(name) for name in constant})
                for each in resource.partitions
            ),
        )
        self._ids_by_names = ids_by_names(account.campaigns)
        self.columns = StreamColumns(
            spec.name,
            {**{name: _IDS[name] for name in ids}, **own},
            spec.fields,
            account.naming.of(spec.name),
            CustomColumns(account.fields, account.label_names),
            keys=resource.keys,
            rare=generations.EARLIER_EVENT_FIELDS,
        )

    def looked_up_values(self, names: tuple[str, str]) -> list[object]:
        """The other ids of a row, by the names of its data owner and its campaign."""
        ids = self._ids_by_names.get(names, {})
        return [ids.get(name) for name in self.looked_up]


def ids_by_names(campaigns: Iterable[Campaign]) -> dict[tuple[str, str], dict[str, object]]:
    """Map the names of data owner and campaign to the campaign's ids.

    If several campaigns have these names, an id in which they differ is None.
    """
    by_names = defaultdict(list)
    for campaign in campaigns:
        by_names[campaign.data_owner, campaign.name].append(campaign.columns)
    return {
        names: {
            name: value if all(other[name] == value for other in others) else None
            for name, value in first.items()
        }
        for names, (first, *others) in by_names.items()
    }
