"""What a campaign costs among many, and a new key."""

from __future__ import annotations

import json
import subprocess
import time
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from tests.benchmarks.measure import Usage, measured
from tests.benchmarks.names import CAMPAIGNS, KEYS
from tests.benchmarks.programs import OURS, PYTHON, tap_of
from tests.benchmarks.race import Measured, Results, Run, race
from tests.support.many_campaigns import ManyCampaigns
from tests.support.strange_server import serving
from tests.support.tap_process import clean_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.benchmarks.parts import Plan

STREAM = "callflow_customers"


def growth(plan: Plan) -> Results:
    """Measure P7: some campaigns and four times as many, and the same with new keys."""
    with ExitStack() as stack:
        runs = []
        for part, number in parts(plan.campaigns).items():
            url = stack.enter_context(serving(ManyCampaigns(number))).url
            settings = {"api_url": url, "auth_token": "t"}
            command = tap_of(plan.folder / f"{number}-campaigns", settings, STREAM)
            runs.append(Run(OURS.name, f"{part} {CAMPAIGNS}", partial(_reading, command, number)))
        runs += [
            Run(OURS.name, f"{part} {KEYS}", partial(_with_keys, number))
            for part, number in parts(plan.keys).items()
        ]
        return race(runs, plan.rounds)


def parts(number: int) -> Mapping[str, int]:
    """The numbers whose costs are compared; with only one of a thing a run is mostly start-up."""
    return {"few": 1, "some": number // 4, "all": number}


def _reading(command: Sequence[str], number: int) -> Measured:
    return Measured(measured(command), number)


def _with_keys(number: int) -> Measured:
    begun = time.monotonic()
    said = subprocess.run(  # noqa: S603 - our own module
        [PYTHON, "-m", "tests.benchmarks.keys", str(number)],
        capture_output=True,
        env=clean_environment(),
        check=True,
    ).stdout
    return Measured(Usage(time.monotonic() - begun, json.loads(said), 0), number)
