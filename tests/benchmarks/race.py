"""Runs of several programs in turn, and the medians of what they used."""

from __future__ import annotations

import json
import logging
import re
import tempfile
import urllib.request
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.benchmarks.account import PAGE_SIZE
from tests.benchmarks.measure import Usage, measured, middle
from tests.benchmarks.server import ASKED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LOGGER = logging.getLogger("benchmarks")


@dataclass(frozen=True, slots=True)
class Run:
    """One entry in a race.

    Attributes:
        program: The program's name.
        setting: What sets this run apart, such as `100 ms`.
        command: Its command line.
        url: Address of the account it reads.
        rows: Rows it has to read; 0 where it need not read any.
    """

    program: str
    setting: str
    command: Sequence[str]
    url: str = ""
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """The medians of an entry's rounds."""

    program: str
    setting: str
    rows: int
    rounds: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that was measured."""

    results: tuple[Result, ...] = ()

    def __add__(self, more: Iterable[Result]) -> Results:
        """With further results."""
        return Results((*self.results, *more))

    def find(self, program: str, setting: str) -> Result | None:
        """The result of an entry; None if it was not measured."""
        found = (r for r in self.results if (r.program, r.setting) == (program, setting))
        return next(found, None)

    def __getitem__(self, key: tuple[str, str]) -> Result:
        """The result of a program and a setting.

        Raises:
            KeyError: It was not measured.
        """
        if (result := self.find(*key)) is None:
            raise KeyError(key)
        return result

    def microseconds(self, program: str, setting: str) -> float:
        """CPU a record without start-up: what the rows beyond a single page's cost more.

        Raises:
            KeyError: One of the two was not measured.
        """
        whole, start = self[program, setting], self[program, ONE_PAGE]
        return (whole.usage.cpu - start.usage.cpu) / (whole.rows - start.rows) * 1e6


ONE_PAGE = "one page"
"""The setting of a run that reads one page of rows, which is nearly all start-up."""


def race(runs: Sequence[Run], rounds: int) -> list[Result]:
    """Run all entries in turn, round by round, so that a noisy minute strikes them alike.

    Raises:
        RuntimeError: A program failed, or did not ask for all pages.
    """
    usages: defaultdict[int, list[Usage]] = defaultdict(list)
    for _ in range(rounds):
        for place, run in enumerate(runs):
            usages[place].append(usage := _raced(run))
            LOGGER.info(
                "%-14s %-14s %7.2f s wall %7.2f s CPU %4.0f MB",
                run.program, run.setting, usage.wall, usage.cpu, usage.resident,
            )  # fmt: skip
    return [
        Result(run.program, run.setting, run.rows, rounds, middle(usages[place]))
        for place, run in enumerate(runs)
    ]


def written_customers(command: Sequence[str]) -> set[bytes]:
    """Customer ids that stand in what a program writes."""
    with tempfile.TemporaryFile() as output:
        measured(command, output)
        output.seek(0)
        return {found for line in output for found in _CUSTOMER.findall(line)}


_CUSTOMER = re.compile(rb'"crm__customer_id":\s*"(\d+)"')


def _raced(run: Run) -> Usage:
    if not run.rows:
        return measured(run.command)
    _pages_asked(run.url)
    usage = measured(run.command)
    if (pages := _pages_asked(run.url)) != -(-run.rows // PAGE_SIZE):
        msg = f"{run.program} asked for {pages} pages of {run.rows} rows"
        raise RuntimeError(msg)
    return usage


def _pages_asked(url: str) -> int:
    """How many different pages were asked for since this was asked last."""
    with urllib.request.urlopen(f"{url}{ASKED}", timeout=10) as answer:  # noqa: S310 - our own server
        distinct, _ = json.load(answer)
    return int(distinct)
