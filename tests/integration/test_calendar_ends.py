"""Times at the ends of the calendar: everything arrives, and no bookmark is carried there."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typing_extensions import override

from tests.support.in_process import run_in_process
from tests.support.singer_check import check
from tests.support.sizes import by_turns
from tests.support.strange_server import PagesServer, Reply, serving

TIMES = [
    "0001-01-01",
    "0001-01-01 00:00",
    "0001-01-01T00:00:00",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "0001-12-31T23:59:59.999999-14:00",
    "0999-06-01T12:00:00",
    "1000-01-01T00:00:00Z",
    "9998-12-31T23:59:59Z",
    "9999-12-31",
    "9999-12-31 23:59",
    "9999-12-31T23:59:59",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59.999999-14:00",
    "31.12.9999 23.59",
    "01.01.0001",
    "0000-00-00",
    "0000-01-01T00:00:00",
    "10000-01-01",
    "-0044-03-15",
    "44 BC",
    "12024-01-01T00:00:00Z",
]
KINDS = {
    "customers": "crm__change_log__updated",
    "callflow_customers": "callflow__last_change__when",
    "call_outcomes": "call_outcome__report_as__submitted_when",
}
CAMPAIGN = {
    "campaign__id": 1,
    "campaign__name": "Mersalg",
    "campaign__crm_type": "B2B",
    "campaign__is_active": True,
    "data_owner__id": 2,
    "data_owner__name": "Fjordmedia AS",
}
ZONES = ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/St_Johns", "Africa/Monrovia"]


class Account(PagesServer):
    """An account of one campaign, in which something happened at each of the times."""

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__(lambda _: {})
        self.windows: set[str] = set()

    @override
    def body(self, target: str) -> bytes | Reply | None:
        url = urlsplit(target)
        kind = url.path.rstrip("/").rpartition("/")[2]
        query = parse_qs(url.query)
        self.windows |= {*query.get("from_date", ()), *query.get("to_date", ())}
        if kind in {"campaigns", "crm_custom_fields"}:
            return json.dumps([CAMPAIGN] if kind == "campaigns" else []).encode()
        if kind not in KINDS:
            return None
        rows = [{"crm__customer_id": str(n), KINDS[kind]: time} for n, time in enumerate(TIMES)]
        return json.dumps({"count": len(rows), "next": None, "results": rows}).encode()


@pytest.mark.parametrize(("zone", "lookback"), by_turns(ZONES, [0, 2, 3650]))
def test_everything_arrives_whenever_it_happened(zone: str, lookback: int) -> None:
    """Neither a first run nor the next one fails; bookmarks lie in the account's own time."""
    ids = {str(number) for number in range(len(TIMES))}
    state: dict[str, Any] | None = None
    with serving(Account()) as account:
        settings = {
            "api_url": account.url,
            "auth_token": "t",
            "timezone": zone,
            "lookback_days": lookback,
            "start_date": "0999-01-01",
        }
        for _ in range(2):
            run = run_in_process(settings, state=state)
            assert run.returncode == 0, run.stderr
            check("".join(f"{json.dumps(m)}\n" for m in run.messages if m["type"] != "STATE"))
            assert {record["customer_id"] for record in run.records["call_outcomes"]} == ids
            state = run.state
    assert all(len(day) == 8 for day in account.windows)
    assert state
    for stream in ("data_owner_customers", "callflow_customers", "call_outcomes"):
        (part,) = state["bookmarks"][stream]["partitions"]
        assert part["replication_key_value"][:2] == "20"


def test_a_first_run_has_all_customers_and_call_states() -> None:
    """What the tap cannot read as a time stands in `unparsed_values`."""
    ids = {str(number) for number in range(len(TIMES))}
    with serving(Account()) as account:
        run = run_in_process({"api_url": account.url, "auth_token": "t"})
    assert run.returncode == 0, run.stderr
    for stream, column in (
        ("data_owner_customers", KINDS["customers"]),
        ("callflow_customers", KINDS["callflow_customers"]),
    ):
        assert {record["customer_id"] for record in run.records[stream]} == ids
        for record in run.records[stream]:
            assert record[column] or record["unparsed_values"]
