"""Runs several programs in turn, round by round, and compares them within a round."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from itertools import zip_longest
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.benchmarks.flights import Flight
    from tests.benchmarks.measure import Usage

    Key = tuple[str, str]

LOGGER = logging.getLogger("benchmarks")

ONE_PAGE = "one page"
"""The setting of a run that reads one page of rows, which is mostly start-up."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run took.

    Attributes:
        usage: Its time and memory.
        rows: The number of rows that it read, or of what else its cost is divided by.
        flight: The requests as the server saw them; None where they are not recorded.
    """

    usage: Usage
    rows: int = 0
    flight: Flight | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One entry of a comparison.

    Attributes:
        program: The program's name.
        setting: The variant of the run, such as `100 ms`.
        measure: Runs it once.
    """

    program: str
    setting: str
    measure: Callable[[], Measured]


@dataclass(frozen=True, slots=True)
class Round:
    """All that was measured in one round, by program and setting.

    Every method raises `KeyError` if one of its entries was not measured.
    """

    entries: Mapping[Key, Measured] = field(default_factory=dict)

    def wall(self, program: str, setting: str) -> float:
        """Wall time in seconds."""
        return self.entries[program, setting].usage.wall

    def cpu(self, program: str, setting: str) -> float:
        """CPU time in seconds, user and system."""
        return self.entries[program, setting].usage.cpu

    def resident(self, program: str, setting: str) -> float:
        """Peak resident memory in MB."""
        return self.entries[program, setting].usage.resident

    def microseconds(self, program: str, setting: str, start: str = ONE_PAGE) -> float:
        """CPU time per row without start-up, by comparison with a run of few rows."""
        whole, few = self.entries[program, setting], self.entries[program, start]
        return (whole.usage.cpu - few.usage.cpu) / (whole.rows - few.rows) * 1e6

    def flight(self, program: str, setting: str) -> Flight:
        """The requests as the server saw them."""
        if (flight := self.entries[program, setting].flight) is None:
            raise KeyError(program, setting)
        return flight

    def settings(self, program: str) -> list[str]:
        """The settings in which a program was measured."""
        return [setting for name, setting in self.entries if name == program]


@dataclass(frozen=True, slots=True)
class Results:
    """All rounds."""

    rounds: tuple[Round, ...] = ()

    def __add__(self, more: Results) -> Results:
        """Add what was measured beside, in as many rounds."""
        pairs = zip_longest(self.rounds, more.rounds, fillvalue=Round())
        return Results(tuple(Round({**one.entries, **two.entries}) for one, two in pairs))

    def middle(self, figure: Callable[[Round], float]) -> float:
        """The median of a figure that is taken in each round.

        Raises:
            KeyError: No round has what the figure needs.
        """
        figures = []
        for each in self.rounds:
            try:
                figures.append(figure(each))
            except KeyError:
                continue
        if not figures:
            raise KeyError
        return median(figures)

    def has(self, program: str, setting: str) -> bool:
        """Whether any round has this entry."""
        return any((program, setting) in each.entries for each in self.rounds)


def race(runs: Sequence[Run], rounds: int) -> Results:
    """Run all entries in turn, round by round, so that noise affects them equally.

    Every other round runs backwards, so that no entry is always the one after a long rest.

    Raises:
        RuntimeError: A program failed, or did not read everything.
    """
    done = []
    for number in range(rounds):
        entries = {}
        for run in runs[:: -1 if number % 2 else 1]:
            found = entries[run.program, run.setting] = run.measure()
            LOGGER.info("%-14s %-16s %s", run.program, run.setting, found.usage)
        done.append(Round(entries))
    return Results(tuple(done))
