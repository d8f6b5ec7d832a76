"""Days and times at both ends of the calendar, which some systems send for none at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typing_extensions import override

from tests.support.in_process import run_in_process
from tests.support.runs import read_at
from tests.support.singer_check import check
from tests.support.sizes import by_turns
from tests.support.strange_server import PagesServer, serving

if TYPE_CHECKING:
    from tests.support.strange_server import Reply

SENT = "2024-05-17 10:00"
ENDS = [
    "0001-01-01", "0001-01-01 00:00", "0001-01-01T00:00:00", "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00", "0001-12-31T23:59:59.999999-14:00", "01.01.0001",
    "0999-05-05 10:00", "9998-12-31T23:59:59Z", "9999-12-31", "9999-12-31T23:59:59",
    "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999-14:00", "31.12.9999 23.59",
    "0000-00-00", "0000-01-01T00:00:00", "10000-01-01", "-0044-03-15", "44 BC",
]  # fmt: skip
FIELDS = {
    "customers": "crm__change_log__updated",
    "callflow_customers": "callflow__last_change__when",
    "call_outcomes": "call_outcome__report_as__submitted_when_timestamp",
    "product_registrations": "call_outcome__report_as__submitted_when",
}
STREAMS = ["data_owner_customers", "callflow_customers", "call_outcomes", "product_registrations"]


class Ends(PagesServer):
    """An account with a campaign, and a row for each time in each of its lists."""

    def __init__(self, archived: str, times: list[str]) -> None:
        """Archive the campaign on a day, if one is given."""
        super().__init__(str)
        self._times = times
        self.days: set[str] = set()
        self._campaign = {
            "campaign__id": 1,
            "campaign__is_active": not archived,
            "campaign__archived_date": archived,
            "campaign__crm_type": "B2B",
            "data_owner__id": 2,
        }

    @override
    def body(self, target: str) -> bytes | Reply | None:
        url = urlsplit(target)
        kind, query = url.path.strip("/").split("/")[-1], parse_qs(url.query)
        self.days |= {*query.get("from_date", ()), *query.get("to_date", ())}
        if kind not in FIELDS:
            return json.dumps([self._campaign] if kind == "campaigns" else []).encode()
        rows = [{"crm__customer_id": str(n), FIELDS[kind]: t} for n, t in enumerate(self._times)]
        return json.dumps({"count": len(rows), "next": None, "results": rows}).encode()


def bookmarks(state: dict[str, Any] | None) -> list[datetime]:
    """The bookmark of each stream, where it has one."""
    assert state
    parts = [part for name in STREAMS for part in state["bookmarks"][name].get("partitions", [])]
    values = [part["replication_key_value"] for part in parts if "replication_key_value" in part]
    moments = [datetime.fromisoformat(value) for value in values]
    return [moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in moments]


@pytest.mark.parametrize(
    ("archived", "zone", "lookback"),
    by_turns(
        ["", "0001-01-01", "9999-12-31"],
        ["Europe/Oslo", "Pacific/Kiritimati", "America/Adak", "Africa/Monrovia"],
        [0, 2, 3650],
    ),
)
def test_times_at_the_ends_of_the_calendar_end_no_run(
    archived: str, zone: str, lookback: int
) -> None:
    """All rows arrive, days are asked for in eight digits, and no bookmark is out of this world."""
    settings: dict[str, Any] = {"timezone": zone, "lookback_days": lookback}
    if not archived:
        settings["start_date"] = "0999-01-01"
    with serving(Ends(archived, [SENT, *ENDS])) as server:
        run = read_at(server.url, **settings)
        assert run.returncode == 0, run.stderr
        rows = dict.fromkeys(STREAMS, len(ENDS) + 1)
        if not archived:
            rows = {name: rows[name] for name in STREAMS[2:]}  # these are older than the start
        assert {name: len(run.records[name]) for name in rows} == rows
        check("".join(f"{json.dumps(each)}\n" for each in run.messages if each["type"] != "STATE"))
        assert {len(day) for day in server.days} == {8}
        first = bookmarks(run.state)
        assert {moment.year for moment in first} <= {2024, datetime.now(UTC).year}
        assert len(first) == len(STREAMS)


@pytest.mark.parametrize("time", ENDS)
def test_a_list_with_nothing_but_such_a_time_is_read_again_the_next_night(time: str) -> None:
    """Its bookmark, where it gets one, stops neither the next run nor a later change."""
    with serving(Ends("", [time])) as server:
        run = read_at(server.url, timezone="Europe/Oslo")
        assert run.returncode == 0, run.stderr
    with serving(Ends("", [time, datetime.now(UTC).strftime("%Y-%m-%d %H:%M")])) as server:
        config = {"api_url": server.url, "auth_token": "t"}
        again = run_in_process(config, state=run.state)
        assert again.returncode == 0, again.stderr
        for name in STREAMS:
            assert "1" in {record["customer_id"] for record in again.records[name]}
