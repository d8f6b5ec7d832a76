"""The measurements, in groups whose figures are compared with each other."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tests.benchmarks.account import PAGE_SIZE
from tests.benchmarks.measure import Usage, measured, written_customers
from tests.benchmarks.names import (
    ALL,
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
    PLAIN,
    PYTHON,
    PYTHON_NAME,
    Program,
    Reading,
    tap_cube,
)
from tests.benchmarks.race import LOGGER, ONE_PAGE, Measured, Results, Run, race
from tests.benchmarks.server import ASKED, FULL, OFF_TYPE, served
from tests.benchmarks.server import ONE_PAGE as SHORT
from tests.support.tap_process import clean_environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CHECKED = 5 * PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Plan:
    """The size of the measurements.

    Attributes:
        records: The number of customers of the account.
        rounds: The number of runs of each program.
        folder: The folder for settings.
        peers: The programs that ours is compared with.
        campaigns: The number of campaigns of the account that has many.
        keys: The number of new keys of the account that has many.
    """

    records: int
    rounds: int
    folder: Path
    peers: Sequence[Program] = (PLAIN,)
    campaigns: int = 4000
    keys: int = 2000

    def reading(self, url: str, owner: int, name: str) -> Reading:
        """A reading with its own folder."""
        return Reading(url, owner, self.folder / f"{url.rpartition(':')[2]}-{owner}-{name}")


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
    with served(CHECKED) as urls:
        expected = {
            program.name: (program.command(plan.reading(urls[0], FULL, program.name)), CHECKED)
            for program in (OURS, *plan.peers)
            if program.writes
        }
        changed = plan.reading(urls[0], FULL, CHANGED)
        expected[CHANGED] = tap_cube(changed, is_incremental=True), CHECKED // 100
        for name, (command, customers) in expected.items():
            if (found := len(written_customers(command))) != customers:
                msg = f"{name}: wrote {found} customers of {customers}"
                raise RuntimeError(msg)


def cpu(plan: Plan) -> Results:
    """Measure P1, P3, P4, P6 and P7: all rows, ten times as many, changed rows, and start-up."""
    tenfold = 10 * plan.records
    with served(plan.records, plan.records) as urls, served(tenfold) as large:
        url = urls[0]

        def run(program: Program, setting: str, owner: int) -> Run:
            command = program.command(plan.reading(url, owner, program.name))
            rows = PAGE_SIZE if owner == SHORT else plan.records
            return Run(program.name, setting, partial(reading, command, url, rows))

        everybody = (OURS, *plan.peers)
        changed = tap_cube(plan.reading(url, FULL, "changed"), is_incremental=True)
        many = tap_cube(plan.reading(large[0], FULL, "tenfold"))
        start = {
            (OURS.name, DISCOVER): [
                *tap_cube(plan.reading(url, FULL, "discover"))[:-2], "--discover",
            ],
            (PYTHON_NAME, IMPORT): [PYTHON, "-c", "import singer_sdk"],
        }  # fmt: skip
        return race(
            [
                *(run(program, ONE_PAGE, SHORT) for program in everybody),
                *(run(program, ALL, FULL) for program in everybody),
                run(OURS, BAD, OFF_TYPE),
                Run(OURS.name, CHANGED, partial(reading, changed, url, plan.records)),
                Run(OURS.name, TENFOLD, partial(reading, many, large[0], tenfold)),
                *(Run(*key, partial(starting, command)) for key, command in start.items()),
            ],
            plan.rounds,
        )


def files(plan: Plan) -> Results:
    """Measure P8: packing all records of a run."""
    output = plan.folder / "output"
    with served(plan.records) as urls, output.open("wb") as file:
        measured(tap_cube(plan.reading(urls[0], FULL, FILE)), file)
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
