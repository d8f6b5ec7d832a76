"""A server with as many campaigns as one likes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from typing_extensions import override

from tests.support.strange_server import PagesServer

if TYPE_CHECKING:
    from tests.support.strange_server import Reply

STREAMS = {
    "callflow_customers": "C6",
    "call_outcomes": "C9",
    "product_registrations": "C11",
}
"""The streams of a campaign, and their endpoints."""

WHEN = "2025-05-01 10:00"


class ManyCampaigns(PagesServer):
    """An account with a customer in each of its campaigns, who was called once."""

    def __init__(self, campaigns: int, archived: str = "") -> None:
        """Archive all campaigns on a day, if one is given."""
        super().__init__(str)
        self._campaigns = [
            {
                "campaign__id": number,
                "campaign__name": f"Kampanje {number}",
                "campaign__is_active": not archived,
                "campaign__archived_date": archived,
                "campaign__crm_type": "B2B",
                "data_owner__id": 2,
                "data_owner__name": "Eksempel AS",
            }
            for number in range(1, campaigns + 1)
        ]

    @override
    def body(self, target: str) -> bytes | Reply | None:
        *_, own, kind = urlsplit(target).path.strip("/").split("/")
        rows: list[dict[str, Any]] = [{"crm__customer_id": own}]
        if kind in STREAMS:
            rows[0] |= {
                "callflow__last_change__when": WHEN,
                "call_outcome__report_as__submitted_when": WHEN,
            }
        elif kind != "customers":
            return json.dumps(self._campaigns if kind == "campaigns" else []).encode()
        return json.dumps({"count": 1, "next": None, "results": rows}).encode()
