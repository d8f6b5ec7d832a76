"""What streams about customers in campaigns share: columns, and ids looked up by names."""

from __future__ import annotations

import typing as t
from types import MappingProxyType

from singer_sdk import typing as th
from typing_extensions import override

from tap_cube import generations
from tap_cube.columns import CustomColumns
from tap_cube.custom_fields import SCHEMAS
from tap_cube.records import UNPARSED
from tap_cube.schemas import UNPARSED_SCHEMA, keyed, properties_of
from tap_cube.sources import ACCOUNT, ids_by_names
from tap_cube.stream import CubeStream

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.helpers.types import Context

    from tap_cube.generations import JSONType
    from tap_cube.records import Column
    from tap_cube.sources import Account, Source
    from tap_cube.tap import TapCube

_IDS: Mapping[str, JSONType] = MappingProxyType(
    {
        "campaign__id": th.IntegerType(),
        "data_owner_id": th.IntegerType(),
        "crm_type": th.StringType(),
        "assignment_id": th.IntegerType(),
    }
)
"""Ids by which rows are joined to campaigns and customers."""


class CampaignsRowsStream(CubeStream):
    """Rows about customers in campaigns, read by campaign, by CRM, or all in one.

    Args:
        tap: The tap.
        account: What discovery found.
        names: Readable column names of custom fields, by source and id.
    """

    fixed_fields: t.ClassVar[Mapping[str, JSONType]]
    own_fields: t.ClassVar[Mapping[str, JSONType]]

    def __init__(
        self, tap: TapCube, account: Account, names: Mapping[tuple[str, int], str]
    ) -> None:
        """Make the schema of fixed fields, definitions, and keys that discovery saw."""
        subjects = account.resources[self.name]
        self._custom = CustomColumns(account.fields, names)
        self._ids = ids_by_names(account.campaigns)
        sources = subjects.sources
        told = [s.columns for s in sources] + [c.columns for c in account.campaigns]
        ids = [name for name in _IDS if name == "campaign__id" or any(of.get(name) for of in told)]
        self._own = [name for name in ids if any(name in s.columns for s in sources)]
        self._looked_up = [name for name in ids if name not in self._own]
        self.added_columns = (*self.added_columns, *self._looked_up)
        columns = {name: _IDS[name] for name in ids}
        known = properties_of({**columns, **self.own_fields, **self.fixed_fields})
        properties = {**known, **self._custom.properties, **known, UNPARSED: dict(UNPARSED_SCHEMA)}
        declared = properties.keys() | self._custom.keys
        found = {key: self._schema_of(key) for key in subjects.keys if key not in declared}
        super().__init__(
            tap,
            endpoints={source.name: subjects.endpoint for source in sources},
            sources=() if sources == (ACCOUNT,) else sources,
            properties=keyed({**properties, **found}, self.primary_keys),
            may_be_list=subjects.is_list,
        )

    @override
    def columns_of(self, source: Source) -> Mapping[str, t.Any]:
        return {name: source.columns.get(name) for name in self._own}

    @override
    def column(self, key: str, source: Source) -> Column:
        name = self._custom.name_of(key, source.described_by)
        return self.known_column(name, self._schema_of(name))

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """Set none: the streams cap their bookmarks, and the SDK's cap never reaches partitions."""

    def looked_up(self, names: tuple[str, str]) -> list[object]:
        """Ids of a row's campaign that its source does not tell, by data owner's and its name."""
        ids = self._ids.get(names, {})
        return [ids.get(name) for name in self._looked_up]

    def _schema_of(self, key: str) -> dict[str, t.Any]:
        earlier = generations.EARLIER_EVENT_FIELDS
        known = properties_of({key: earlier[key]} if key in earlier else {})
        return known.get(key, dict(SCHEMAS["string"]))
