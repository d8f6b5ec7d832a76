"""As many requests are in flight as the server gains from, and none while it asks for a pause."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault
from tap_cube.errors import CubeError
from tap_cube.http.client import CubeClient
from tap_cube.http.exchange import RequestLabel
from tap_cube.settings import Settings
from tests.benchmarks.flights import taken
from tests.benchmarks.server import FULL, served
from tests.support.breaking import assert_complete
from tests.support.in_process import run_in_process
from tests.support.runs import CRM, CUSTOMERS, ids, only, read, settings_for
from tests.support.sizes import by_turns, scaled

if TYPE_CHECKING:
    from cube_sandbox import Sandbox

SECONDS = 60
"""How long a broken test may hang."""

RECORDS = 15_000


@pytest.mark.parametrize(("kind", "share"), by_turns(["429", "503"], [0.6, 0.2]))
def test_many_refused_requests_lose_no_row(cube: Sandbox, kind: Any, share: float) -> None:  # noqa: ANN401 - kind
    """The tap retries until it has all rows, although the server refuses many requests."""
    fault = Fault(kind, share=share, retry_after=0)
    cube.reset(customers=30, faults=[fault])
    run = read(cube, max_retries=40, **only(CRM))
    assert_complete(cube, run)
    assert f"HTTP {kind}; retrying" in run.stderr


@pytest.mark.parametrize(
    "rule", scaled(["limit:150:3"], ["delay:300", "pool:150:2", "limit:150:3"])
)
def test_a_server_gets_the_requests_that_it_gains_from(rule: str) -> None:
    """Slow responses are requested side by side, up to `read_ahead`, unless that gains nothing."""
    crm = {"id": FULL, "crm_types": ["B2C"]}
    with served(RECORDS, [rule]) as (url,):
        config = {"api_url": url, "auth_token": "t", "data_owners": [crm], "read_ahead": 5}
        run = run_in_process(config)
        flight = taken(url)
    assert run.returncode == 0, run.stderr
    assert len(ids(run.records[CUSTOMERS])) == RECORDS
    most = max(number for _, number in flight.curve)
    assert most <= 5
    if rule.startswith("delay"):
        assert most > 2
    assert flight.queued < 2
    assert flight.refused < 1 / 10


def test_a_retry_after_holds_the_requests_of_all_streams(cube: Sandbox) -> None:
    """While the server asks to wait, no stream sends a request; the end of the run ends that."""
    cube.reset(faults=[Fault("429", row="C2", times=1, retry_after=3600)])
    settings = Settings.from_config(settings_for(cube))
    client = CubeClient(settings, logging.getLogger("tap-cube.test"))
    ends: list[str] = []

    def get(stream: str, path: str) -> None:
        try:
            client.get(path, RequestLabel(stream, ""), bytes)
        except CubeError as error:
            ends.append(str(error))

    refused = threading.Thread(target=get, args=(CUSTOMERS, "/api/v1/data_owners/2/B2B/customers/"))
    other = threading.Thread(target=get, args=("campaigns", "/api/v1/campaigns/"))
    refused.start()
    while refused.is_alive() and not client.retries[CUSTOMERS]:
        refused.join(0.01)
    other.start()
    other.join(0.5)
    assert other.is_alive()
    client.stop()
    for thread in (refused, other):
        thread.join(SECONDS)
    assert len(ends) == 2
    assert [request.row for request in cube.requests] == ["C2"]
