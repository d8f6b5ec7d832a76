"""The measurements, in groups that share a server."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.benchmarks.account import PAGE_SIZE
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
from tests.benchmarks.race import LOGGER, ONE_PAGE, Run, race, written_customers
from tests.benchmarks.server import FULL, OFF_TYPE, served
from tests.benchmarks.server import ONE_PAGE as SHORT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.race import Result

ALL = "all rows"
BAD = "1 % off type"
CHANGED = "1 % changed"
DISCOVER = "--discover"
IMPORT = "import singer_sdk"
TENFOLD = "ten times"
RECORD = "RECORD load"
BATCH = "BATCH load"
LATENCIES = (50, 100, 200)
CHECKED = 5 * PAGE_SIZE


@dataclass(frozen=True, slots=True)
class Plan:
    """The size of the measurements.

    Attributes:
        records: The number of customers of the account.
        rounds: The number of runs of each program.
        folder: The folder for settings.
    """

    records: int
    rounds: int
    folder: Path

    def reading(self, url: str, owner: int, name: str) -> Reading:
        """A reading with its own folder."""
        return Reading(url, owner, self.folder / f"{url.rpartition(':')[2]}-{owner}-{name}")


def installed() -> list[Program]:
    """The third-party programs that are or can be installed; the others are logged."""
    there = []
    for program in PEERS:
        try:
            if program.environment:
                program.environment.install()
        except subprocess.CalledProcessError:
            LOGGER.warning("%s is left out: it cannot be installed here", program.name)
        else:
            there.append(program)
    return there


def check(plan: Plan, programs: list[Program]) -> None:
    """Count the customers that each program writes, on a few pages.

    Raises:
        RuntimeError: A program writes other customers than those of the account.
    """
    with served(CHECKED) as urls:
        expected = {
            program.name: (program.command(plan.reading(urls[0], FULL, program.name)), CHECKED)
            for program in programs
            if program.writes
        }
        changed = plan.reading(urls[0], FULL, CHANGED)
        expected[CHANGED] = tap_cube(changed, is_incremental=True), CHECKED // 100
        for name, (command, customers) in expected.items():
            if (found := len(written_customers(command))) != customers:
                msg = f"{name}: wrote {found} customers of {customers}"
                raise RuntimeError(msg)


def cpu(plan: Plan, peers: list[Program]) -> list[Result]:
    """Measure P1, P4 and P6: all rows, rows with misfits, changed rows, and start-up."""
    with served(plan.records, plan.records) as urls:
        url = urls[0]

        def run(program: Program, setting: str, owner: int) -> Run:
            command = program.command(plan.reading(url, owner, program.name))
            rows = PAGE_SIZE if owner == SHORT else plan.records
            return Run(program.name, setting, command, url, rows)

        changed = tap_cube(plan.reading(url, FULL, "changed"), is_incremental=True)
        discover = [
            [*tap_cube(plan.reading(url, FULL, "discover"))[:-2], "--discover"],
            [*PLAIN.command(plan.reading(url, FULL, "discover-plain")), "--discover"],
        ]
        return race(
            [
                *(run(program, ONE_PAGE, SHORT) for program in (OURS, PLAIN, *peers)),
                *(run(program, ALL, FULL) for program in (OURS, PLAIN, *peers)),
                run(OURS, BAD, OFF_TYPE),
                Run(OURS.name, CHANGED, changed, url, plan.records),
                *(
                    Run(program.name, DISCOVER, command)
                    for program, command in zip((OURS, PLAIN), discover, strict=True)
                ),
                Run(PYTHON_NAME, IMPORT, [PYTHON, "-c", "import singer_sdk"]),
            ],
            plan.rounds,
        )


def latency(plan: Plan, peers: list[Program]) -> list[Result]:
    """Measure P2: the wall time with slow responses."""
    with served(plan.records, latencies=LATENCIES) as urls:
        return race(
            [
                Run(
                    program.name,
                    f"{milliseconds} ms",
                    program.command(plan.reading(url, FULL, program.name)),
                    url,
                    plan.records,
                )
                for milliseconds, url in urls.items()
                for program in (OURS, PLAIN, *peers)
            ],
            plan.rounds,
        )


def growth(plan: Plan) -> list[Result]:
    """Measure P3 and P7: ten times as many records."""
    records = 10 * plan.records
    with served(records) as urls:
        command = tap_cube(plan.reading(urls[0], FULL, "growth"))
        return race([Run(OURS.name, TENFOLD, command, urls[0], records)], plan.rounds)
