"""Requests in flight: how many a server got at once, and what another number would have given."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate
from statistics import fmean
from typing import TYPE_CHECKING

from tests.benchmarks.names import FIXED, LIMIT, POOL, SLOW, fixed
from tests.benchmarks.parts import reading
from tests.benchmarks.programs import OURS, tap_cube
from tests.benchmarks.race import Measured, Results, Run, race
from tests.benchmarks.server import FULL, TAKEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.parts import Plan
    from tests.benchmarks.programs import Command, Reading

WIDTHS = {POOL: (4, 5, 6, 8), LIMIT: (5, 6)}
"""Where the best number of requests in flight is looked for; the server refuses more than six."""

REFUSED = 429


@dataclass(frozen=True, slots=True)
class Answer:
    """One response of a server.

    Attributes:
        at: When it was sent, in seconds after the first request came.
        seconds: How long after its request that was.
        queued: How many other requests waited for a worker when its request came.
        is_refusal: Whether it was 429.
    """

    at: float
    seconds: float
    queued: int = 0
    is_refusal: bool = False


@dataclass(frozen=True, slots=True)
class Flight:
    """All responses to one run."""

    answers: tuple[Answer, ...]

    @property
    def curve(self) -> list[tuple[float, int]]:
        """Each moment at which the number of requests in flight changed, and the number then."""
        changes = sorted(
            (at, step)
            for answer in self.answers
            for at, step in ((answer.at - answer.seconds, 1), (answer.at, -1))
        )
        numbers = accumulate(step for _, step in changes)
        return list(zip((at for at, _ in changes), numbers, strict=True))

    @property
    def queued(self) -> float:
        """How many requests waited for a worker, on average of all requests."""
        return fmean(answer.queued for answer in self.answers)

    @property
    def refused(self) -> float:
        """The share of responses that were 429."""
        return fmean(answer.is_refusal for answer in self.answers)


def latency(plan: Plan) -> Results:
    """Measure P2: the wall time with slow responses."""
    return race(
        [_flying(plan, SLOW, each.name, SLOW, each.command) for each in (OURS, *plan.peers)],
        plan.rounds,
    )


def capacity(place: str, plan: Plan) -> Results:
    """Measure P2b or P2c: ours next to fixed widths, on a server that bears only so much."""
    widths = [
        _flying(plan, place, FIXED, fixed(place, width), partial(fixed_tap, width))
        for width in WIDTHS[place]
    ]
    return race([_flying(plan, place, OURS.name, place, tap_cube), *widths], plan.rounds)


def fixed_tap(width: int, where: Reading) -> list[str]:
    """The command of our tap with a number of requests in flight that never changes."""
    python, _, *options = tap_cube(where, {"read_ahead": width})
    return [python, "-m", "tests.benchmarks.clients.fixed_width", *options]


def _flying(plan: Plan, place: str, program: str, setting: str, command: Command) -> Run:
    where = plan.reading(place, FULL, f"{program}-{setting}")
    return Run(program, setting, partial(flying, command(where), where.url, plan.records))


def flying(command: Sequence[str], url: str, rows: int) -> Measured:
    """Run a program that reads an account, and keep what the server recorded.

    Raises:
        RuntimeError: It failed, or did not request each page.
    """
    taken(url)
    return replace(reading(command, url, rows), flight=taken(url))


def taken(url: str) -> Flight:
    """All responses of a server since the last call."""
    with urllib.request.urlopen(f"{url}{TAKEN}", timeout=60) as answer:  # noqa: S310 - our own server
        record = json.load(answer)
    began = min((at - seconds for at, seconds, *_ in record), default=0)
    return Flight(
        tuple(
            Answer(at - began, seconds, queued, is_refusal=status == REFUSED)
            for at, seconds, queued, status in record
        )
    )
