"""The performance targets, compared with the results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.benchmarks.names import (
    ALL,
    BAD,
    BATCH,
    CAMPAIGNS,
    CHANGED,
    DEFAULT,
    DISCOVER,
    FILE,
    FIXED,
    IMPORT,
    KEYS,
    LIMIT,
    LOADED,
    POOL,
    SLOW,
    STANDARD_FILE,
    TENFOLD,
    fixed_in,
)
from tests.benchmarks.programs import OURS, PEERS, PLAIN, PYTHON_NAME, VENDOR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.benchmarks.race import Results, Round

PART = "1/{:.1f}"
"""The form of a figure that is said as a part of another one."""

MB = 2**20


@dataclass(frozen=True, slots=True)
class Target:
    """A figure that is to be small.

    Attributes:
        number: The number of the target.
        what: The measured quantity.
        limit: The highest value that meets the target.
        guard: The highest value that the weekly guard accepts; it runs on unknown machines.
        form: How a value is written.
        value: Takes the figure from one round; raises `KeyError` if it was not measured.
    """

    number: str
    what: str
    limit: float
    guard: float
    form: str
    value: Callable[[Round], float]

    def written(self, value: float) -> str:
        """A value as the report shows it."""
        return self.form.format(1 / value if self.form == PART else value)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target and the median of what was measured."""

    target: Target
    value: float

    @property
    def is_met(self) -> bool:
        """Whether the target is met."""
        return self.value <= self.target.limit

    @property
    def is_guarded(self) -> bool:
        """Whether the guard accepts the value."""
        return self.value <= self.target.guard

    @property
    def judgement(self) -> str:
        """Whether the target is met, or by how much it is missed."""
        if self.is_met:
            return "met"
        return f"missed by {100 * (self.value / self.target.limit - 1):.0f} %"


def verdicts(results: Results) -> Iterator[Verdict]:
    """Compare each target whose figures were measured."""
    for target in TARGETS:
        try:
            yield Verdict(target, results.middle(target.value))
        except KeyError:
            continue


def _cost(of: Round, setting: str = ALL) -> float:
    return of.microseconds(OURS.name, setting)


def _of_fixed(of: Round, place: str) -> float:
    """Wall time by that of the best fixed width on the same server."""
    widths = [setting for setting in of.settings(FIXED) if fixed_in(place, setting)]
    if not widths:
        raise KeyError(place)
    return of.wall(OURS.name, place) / min(of.wall(FIXED, setting) for setting in widths)


def _linear(of: Round, kind: str) -> float:
    """What one of many costs, by what one of a quarter as many costs."""
    each = [of.microseconds(OURS.name, f"{part} {kind}", f"few {kind}") for part in ("all", "some")]
    return each[0] / each[1]


def _bytes_a_row(of: Round) -> float:
    grown = of.resident(OURS.name, TENFOLD) - of.resident(OURS.name, ALL)
    rows = of.entries[OURS.name, TENFOLD].rows - of.entries[OURS.name, ALL].rows
    return max(grown, 0) * MB / rows


def _of_loop(setting: str) -> Callable[[Round], float]:
    return lambda of: _cost(of, setting) / of.microseconds(VENDOR.name, ALL)


def _of_wall(program: str) -> Callable[[Round], float]:
    return lambda of: of.wall(OURS.name, SLOW) / of.wall(program, SLOW)


def _of_load(setting: str) -> Callable[[Round], float]:
    return lambda of: of.wall(OURS.name, setting) / of.wall(PLAIN.name, DEFAULT)


TARGETS: tuple[Target, ...] = (
    Target(
        "P1", "CPU a record, all rows typed and written, compared with the vendor's loop",
        0.65, 1.6, "{:.2f}", _of_loop(ALL),
    ),
    Target(
        "P1", "the same, compared with a plain SDK tap",
        1 / 12, 1 / 4, PART, lambda of: _cost(of) / of.microseconds(PLAIN.name, ALL),
    ),
    Target(
        "P1", "the same, if one row in a hundred has a value off its type",
        1.3, 1.6, "{:.2f} times", lambda of: _cost(of, BAD) / _cost(of),
    ),
    *(
        Target(
            "P2", f"wall at 100 ms a page, compared with {program.name}",
            1 / 6, 1 / 4, PART, _of_wall(program.name),
        )
        for program in (*PEERS, PLAIN)
    ),
    Target(
        "P2b", "wall at a server with four workers, compared with the best fixed width",
        1.15, 1.5, "{:.2f} times", lambda of: _of_fixed(of, POOL),
    ),
    Target(
        "P2b", "requests that queue there, on average",
        5, 8, "{:.1f}", lambda of: of.flight(OURS.name, POOL).queued,
    ),
    Target(
        "P2c", "wall at a server that accepts six at once, compared with the best fixed width",
        1.3, 1.7, "{:.2f} times", lambda of: _of_fixed(of, LIMIT),
    ),
    Target(
        "P2c", "share of requests that it refuses by 429; all rows arrive",
        0.02, 0.04, "{:.1%}", lambda of: of.flight(OURS.name, LIMIT).refused,
    ),
    Target(
        "P3", "peak memory, all rows",
        90, 110, "{:.0f} MB", lambda of: of.resident(OURS.name, ALL),
    ),
    Target(
        "P3", "peak memory, ten times the rows",
        90, 110, "{:.0f} MB", lambda of: of.resident(OURS.name, TENFOLD),
    ),
    Target("P3", "growth between the two, a row", 9, 25, "{:.1f} bytes", _bytes_a_row),
    Target(
        "P4", "CPU a record read, 1 % of rows changed, compared with the vendor's loop",
        0.3, 0.65, "{:.2f}", _of_loop(CHANGED),
    ),
    Target(
        "P5", "wall of a load into PostgreSQL by RECORD messages, compared with a plain tap",
        0.35, 0.6, "{:.2f}", _of_load(LOADED),
    ),
    Target(
        "P5", "the same by BATCH messages", 1 / 5, 1 / 3, PART, _of_load(BATCH),
    ),
    Target(
        "P6", "CPU of `--discover` beyond `import singer_sdk`",
        0.15, 0.4, "{:.2f} s",
        lambda of: of.cpu(OURS.name, DISCOVER) - of.cpu(PYTHON_NAME, IMPORT),
    ),
    Target(
        "P7", "CPU a record with ten times the rows",
        1.1, 1.3, "{:.2f} times", lambda of: _cost(of, TENFOLD) / _cost(of),
    ),
    Target(
        "P7", "CPU a campaign, compared with a quarter as many campaigns",
        1.3, 1.6, "{:.2f} times", lambda of: _linear(of, CAMPAIGNS),
    ),
    Target(
        "P7", "CPU a new key, compared with a quarter as many keys",
        1.3, 1.6, "{:.2f} times", lambda of: _linear(of, KEYS),
    ),
    Target(
        "P8", "CPU of packing a BATCH file of all rows, compared with Python's own gzip",
        0.5, 0.7, "{:.2f}", lambda of: of.cpu(OURS.name, FILE) / of.cpu(PYTHON_NAME, STANDARD_FILE),
    ),
)  # fmt: skip
