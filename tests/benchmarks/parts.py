"""The measurements, in groups whose figures are compared with each other."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from tests.benchmarks.account import PAGE_SIZE
from tests.benchmarks.measure import Usage, measured, written_customers
from tests.benchmarks.names import (
    ALL,
    AT_ONCE,
    BAD,
    CHANGED,
    DISCOVER,
    FILE,
    IMPORT,
    STANDARD_FILE,
    TENFOLD,
)
from tests.benchmarks.programs import (
    OURS,
    PEERS,
    PYTHON,
    PYTHON_NAME,
    Program,
    Reading,
    tap_cube,
)
from tests.benchmarks.race import LOGGER, ONE_PAGE, Measured, Results, Run, race
from tests.benchmarks.server import ASKED, FULL, OFF_TYPE, served
from tests.benchmarks.server import ONE_PAGE as SHORT
from tests.benchmarks.server import TENFOLD as MANY
from tests.support.tap_process import clean_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

CHECKED = 5 * PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Plan:
    """The size of the measurements.

    Attributes:
        records: The number of customers of the account.
        rounds: The number of runs of each program.
        folder: The folder for settings.
        urls: The URL of each server.
        peers: The programs that ours is compared with.
    """

    records: int
    rounds: int
    folder: Path
    urls: Mapping[str, str]
    peers: Sequence[Program]

    @property
    def campaigns(self) -> int:
        """The number of campaigns of an account that has many; 4,000 for 100,000 records."""
        return self.records // 25

    @property
    def keys(self) -> int:
        """The number of new keys in an account that has many; 2,000 for 100,000 records."""
        return self.records // 50

    def reading(self, place: str, owner: int, name: str) -> Reading:
        """A reading from one of the servers, with its own folder."""
        return Reading(self.urls[place], owner, self.folder / f"{place}-{owner}-{name}")


def installed(programs: Sequence[Program] = PEERS) -> list[Program]:
    """Those third-party programs that are or can be installed; the others are logged."""
    there = []
    for program in programs:
        try:
            if program.environment:
                program.environment.install()
        except subprocess.CalledProcessError:
            LOGGER.warning("%s is left out: it cannot be installed here", program.name)
        else:
            there.append(program)
    return there


def check(plan: Plan) -> None:
    """Count the customers that each program writes, on a few pages.

    Raises:
        RuntimeError: A program writes other customers than those of the account.
    """
    with served(CHECKED) as (url,):
        few = replace(plan, urls={AT_ONCE: url}, folder=plan.folder / "check")
        expected = {
            program.name: (program.command(few.reading(AT_ONCE, FULL, program.name)), CHECKED)
            for program in (OURS, *plan.peers)
            if program.writes
        }
        changed = few.reading(AT_ONCE, FULL, CHANGED)
        expected[CHANGED] = tap_cube(changed, is_incremental=True), CHECKED // 100
        for name, (command, customers) in expected.items():
            if (found := len(written_customers(command))) != customers:
                msg = f"{name}: wrote {found} customers of {customers}"
                raise RuntimeError(msg)


def cpu(plan: Plan) -> Results:
    """Measure P1, P3, P4, P6 and P7: all rows, ten times as many, changed rows, and start-up."""
    url, everybody = plan.urls[AT_ONCE], (OURS, *plan.peers)

    def run(program: Program, setting: str, owner: int, rows: int) -> Run:
        command = program.command(plan.reading(AT_ONCE, owner, program.name))
        return Run(program.name, setting, partial(reading, command, url, rows))

    changed = tap_cube(plan.reading(AT_ONCE, FULL, CHANGED), is_incremental=True)
    discover = [*tap_cube(plan.reading(AT_ONCE, FULL, DISCOVER))[:-2], "--discover"]
    sdk = [PYTHON, "-c", "import singer_sdk"]
    return race(
        [
            *(run(program, ONE_PAGE, SHORT, PAGE_SIZE) for program in everybody),
            *(run(program, ALL, FULL, plan.records) for program in everybody),
            run(OURS, BAD, OFF_TYPE, plan.records),
            run(OURS, TENFOLD, MANY, 10 * plan.records),
            Run(OURS.name, CHANGED, partial(reading, changed, url, plan.records)),
            Run(OURS.name, DISCOVER, partial(starting, discover)),
            Run(PYTHON_NAME, IMPORT, partial(starting, sdk)),
        ],
        plan.rounds,
    )


def files(plan: Plan) -> Results:
    """Measure P8: packing all records of a run."""
    output = plan.folder / "output"
    with output.open("wb") as file:
        measured(tap_cube(plan.reading(AT_ONCE, FULL, FILE)), file)
    ways = {(OURS.name, FILE): "tap", (PYTHON_NAME, STANDARD_FILE): "gzip"}
    return race(
        [
            Run(*key, partial(_packing, [way, str(output)], plan.records))
            for key, way in ways.items()
        ],
        plan.rounds,
    )


def reading(command: Sequence[str], url: str, rows: int) -> Measured:
    """Run a program that reads an account.

    Raises:
        RuntimeError: It failed, or did not request each page.
    """
    _pages_asked(url)
    usage = measured(command)
    if (pages := _pages_asked(url)) != -(-rows // PAGE_SIZE):
        msg = f"{command!r} asked for {pages} pages of {rows} rows"
        raise RuntimeError(msg)
    return Measured(usage, rows)


def starting(command: Sequence[str]) -> Measured:
    """Run a program that reads nothing."""
    return Measured(measured(command))


def _packing(arguments: Sequence[str], rows: int) -> Measured:
    said = subprocess.run(  # noqa: S603 - our own module
        [PYTHON, "-m", "tests.benchmarks.packing", *arguments],
        stdout=subprocess.PIPE,
        env=clean_environment(),
        check=True,
    ).stdout
    return Measured(Usage(0, json.loads(said), 0), rows)


def _pages_asked(url: str) -> int:
    """The number of different pages requested since the previous call."""
    with urllib.request.urlopen(f"{url}{ASKED}", timeout=10) as answer:  # noqa: S310 - our own server
        distinct, _ = json.load(answer)
    return int(distinct)
