"""Accounts with thousands of campaigns: each costs as much as in a small account."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from tests.support.in_process import run_in_process
from tests.support.many_campaigns import STREAMS, ManyCampaigns
from tests.support.sizes import only_large
from tests.support.strange_server import serving

CAMPAIGNS = int(os.environ.get("TAP_CUBE_TEST_CAMPAIGNS", "500"))
"""Weekly four thousand."""

if TYPE_CHECKING:
    from collections.abc import Mapping

KEYS = {"callflow_customers": "callflow__last_change__when"}


def state_of(campaigns: int) -> dict[str, Any]:
    """The state of a run that read all campaigns to their end."""
    return {
        "bookmarks": {
            stream: {
                "endpoint": endpoint,
                "partitions": [
                    {
                        "context": {"campaign__id": number},
                        "replication_key": KEYS.get(stream, "submitted_at"),
                        "replication_key_value": "2025-12-31T12:00:00+01:00",
                    }
                    for number in range(1, campaigns + 1)
                ],
            }
            for stream, endpoint in STREAMS.items()
        }
    }


def cost(campaigns: int, archived: str = "", tries: int = 1) -> list[float]:
    """Processor seconds a campaign of the thread that syncs, in two nights; the best of tries.

    If the campaigns have been archived, the first night already has the state of an earlier one.
    """
    costs = []
    with serving(ManyCampaigns(campaigns, archived)) as server:
        state: Mapping[str, Any] | None = state_of(campaigns) if archived else None
        for _ in range(2):
            seconds, states = [], []
            for _ in range(tries):
                began = time.thread_time()
                run = run_in_process({"api_url": server.url, "auth_token": "t"}, state=state)
                seconds.append(time.thread_time() - began)
                assert run.returncode == 0, run.stderr
                states.append(run.state)
            costs.append(min(seconds) / campaigns)
            state = states[-1]
    return costs


@only_large
def test_a_campaign_that_has_ended_costs_the_same_among_a_hundred_and_a_thousand() -> None:
    """Its place in the state is found without a search."""
    few, many = min(cost(100, "2024-05-01", tries=2)), min(cost(1000, "2024-05-01"))
    assert many < 1.5 * few


@only_large
def test_a_campaign_costs_at_most_twice_as_much_among_many() -> None:
    """In the first run as in the next."""
    for few, many in zip(cost(100, tries=2), cost(CAMPAIGNS), strict=True):
        assert many < 2 * few
