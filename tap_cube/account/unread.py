"""What a run does not read although the account may have it.

A full load deletes the rows that it does not bring. So a stream deletes nothing if discovery could
not see all that belongs to it.
"""

from __future__ import annotations

import typing as t
from collections import defaultdict

if t.TYPE_CHECKING:
    from tap_cube.account.endpoint import Endpoint
    from tap_cube.settings import Settings

_SHOWN_BY: t.Final = {
    "campaign__id": ("campaigns", "assignment_customers", "data_owner_customers"),
    "assignment__id": ("assignment_customers",),
    "data_owner__id": ("data_owner_customers",),
}
"""The streams whose partitions each id of a campaign shows."""

_KINDS: t.Final = {
    frozenset({"campaign__id"}): "campaigns",
    frozenset({"assignment_id"}): "assignment_customers",
    frozenset({"data_owner_id", "crm_type"}): "data_owner_customers",
}
"""The stream that stands for all that have these ids in the path of their endpoint."""


class Unread:
    """What discovery could not see, by stream.

    It is kept for the streams that discovery finds by itself. For any other stream it follows from
    the ids in the path of its endpoint: a stream that is read by CRM, for example, lacks what the
    customers of CRMs lack. The endpoint of the whole account lacks nothing.

    Args:
        settings: Settings. Assignments and CRMs that they name do not depend on campaigns.
    """

    def __init__(self, settings: Settings) -> None:
        named = {
            "assignment_customers": settings.assignment_ids,
            "data_owner_customers": settings.crms,
        }
        self._named = {stream for stream in named if named[stream] is not None}
        self._names = defaultdict[str, dict[str, None]](dict)

    def add(self, stream: str, name: str) -> None:
        """Add the name of a partition, or a short phrase, to what a stream lacks."""
        self._names[stream][name] = None

    def add_campaigns(self, phrase: str, name: str = "campaign__id") -> None:
        """Add campaigns that are not known, or whose assignments or CRMs are not.

        Args:
            phrase: What is not read of them.
            name: The id that they do not show.
        """
        for stream in _SHOWN_BY[name]:
            if stream not in self._named:
                self.add(stream, phrase)
                if stream != "campaigns":
                    self.add("custom_fields", phrase)

    def of(self, stream: str) -> tuple[str, ...]:
        """What a stream lacks that discovery finds by itself."""
        return tuple(self._names.get(stream, ()))

    def at(self, endpoint: Endpoint) -> tuple[str, ...]:
        """What any other stream lacks that is read from an endpoint."""
        kind = _KINDS.get(frozenset(endpoint.ids))
        return self.of(kind) if kind else ()
