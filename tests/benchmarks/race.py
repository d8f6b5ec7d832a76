"""Runs several programs in turn, and takes the medians of their usage."""

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
    """One entry of a comparison.

    Attributes:
        program: The program's name.
        setting: The variant of the run, such as `100 ms`.
        command: The command line.
        url: The URL of the account.
        rows: The number of rows that it must read, or 0.
    """

    program: str
    setting: str
    command: Sequence[str]
    url: str = ""
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """The medians of an entry over all rounds."""

    program: str
    setting: str
    rows: int
    rounds: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class Results:
    """All results."""

    results: tuple[Result, ...] = ()

    def __add__(self, more: Iterable[Result]) -> Results:
        """Add further results."""
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
        """CPU time per record without start-up, by comparison with a single page.

        Raises:
            KeyError: One of the two was not measured.
        """
        whole, start = self[program, setting], self[program, ONE_PAGE]
        return (whole.usage.cpu - start.usage.cpu) / (whole.rows - start.rows) * 1e6


ONE_PAGE = "one page"
"""The setting of a run that reads one page of rows, which is mostly start-up."""


def race(runs: Sequence[Run], rounds: int) -> list[Result]:
    """Run all entries in turn, round by round, so that noise affects them equally.

    Raises:
        RuntimeError: A program failed, or did not request all pages.
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
    """The customer ids in the output of a program."""
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
    """The number of different pages requested since the previous call."""
    with urllib.request.urlopen(f"{url}{ASKED}", timeout=10) as answer:  # noqa: S310 - our own server
        distinct, _ = json.load(answer)
    return int(distinct)
