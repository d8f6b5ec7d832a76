"""Writes the results into the page of performance, and draws its plots."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.flight_plot import flights_plotted
from tests.benchmarks.names import ALL, SLOW
from tests.benchmarks.plot import plotted
from tests.benchmarks.programs import OURS, PEERS, PLAIN
from tests.benchmarks.race import ONE_PAGE
from tests.benchmarks.targets import verdicts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.benchmarks.programs import Program
    from tests.benchmarks.race import Results

ROOT = Path(__file__).parents[2]
COMMAND = "uv run --locked python -m tests.benchmarks"
PAGE = "docs/performance.md"
BARS, FLIGHTS = "docs/performance.svg", "docs/in-flight.svg"
HEAD = (
    "Program", "Start-up, CPU s", "CPU µs a record", "times tap-cube",
    "Seconds, no latency", "Seconds, 100 ms a page", "times tap-cube", "Peak MB",
)  # fmt: skip
PROGRAMS, JUDGED = "comparison", "performance"
"""The names of the page's two written parts."""


def comparison(results: Results, records: int) -> str:
    """The page's table of programs; "" if none was measured.

    Args:
        results: The results.
        records: The number of customers of the account.
    """
    programs = [p for p in (OURS, PLAIN, *PEERS) if results.has(p.name, ALL)]
    if not programs:
        return ""
    intro = (
        f"{records:,} customers of 51 fields, 500 a page, read from a server on the same machine "
        "and written to `/dev/null`: CPU time without start-up, and seconds to the end. Each "
        f"is the median of {len(results.rounds)} runs in turn, of {_measured_on()}."
    )
    table = _table(HEAD, [_row(results, program) for program in programs])
    picture = f"![CPU and wall, compared]({Path(BARS).name})"
    return "\n\n".join([intro, picture, table, _legend(programs)])


def judgement(results: Results, records: int, command: str = COMMAND) -> str:
    """The page's table of targets, and how it was measured.

    Args:
        results: The results.
        records: The number of customers of the account.
        command: The command that measured it.
    """
    judged = [
        (
            each.target.number,
            each.target.what,
            f"≤ {each.target.written(each.target.limit)}",
            each.target.written(each.value),
            each.judgement,
        )
        for each in verdicts(results)
    ]
    intro = (
        f"Measured on {_measured_on()}, {platform.python_implementation()} "
        f"{platform.python_version()}, {records:,} records, rounds: {len(results.rounds)}, by"
    )
    table = _table(("#", "What", "Target", "Measured", "Result"), judged)
    return "\n\n".join([intro, f"```console\n$ {command}\n```", table])


def _row(results: Results, program: Program) -> tuple[str, ...]:
    name = program.name
    slow = [""] * 2
    if results.has(name, SLOW):
        wall = results.middle(lambda of: of.wall(name, SLOW))
        times = results.middle(lambda of: of.wall(name, SLOW) / of.wall(OURS.name, SLOW))
        slow = [f"{wall:.1f}", f"{times:.1f}"]
    cost = results.middle(lambda of: of.microseconds(name, ALL))
    times = results.middle(lambda of: of.microseconds(name, ALL) / of.microseconds(OURS.name, ALL))
    return (
        name,
        f"{results.middle(lambda of: of.cpu(name, ONE_PAGE)):.2f}",
        f"{cost:.1f}",
        f"{times:.1f}",
        f"{results.middle(lambda of: of.wall(name, ALL)):.1f}",
        *slow,
        f"{results.middle(lambda of: of.resident(name, ALL)):.0f}",
    )


def _legend(programs: Iterable[Program]) -> str:
    return "\n".join(f"* {program.name}: {program.does}." for program in programs)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _measured_on() -> str:
    cores = len(os.sched_getaffinity(0))
    return f"{datetime.now(tz=UTC).date()} with {cores} cores ({_processor()})"


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    text = path.read_text() if path.exists() else ""
    found = re.search(r"^model name\s*: (.+)$", text, flags=re.MULTILINE)
    return found[1] if found else platform.machine()


def write(results: Results, records: int, command: str, root: Path = ROOT) -> None:
    """Write the page's two tables and the plots; what was not measured stays.

    Raises:
        ValueError: The page has no place for them.
    """
    page = root / PAGE
    text = page.read_text("utf-8")
    parts = {PROGRAMS: comparison(results, records), JUDGED: judgement(results, records, command)}
    for name, content in parts.items():
        before, _, after = _split(text, name)
        text = f"{before}{content}{after}" if content else text
    page.write_text(text, "utf-8")
    for name, picture in ((BARS, plotted(results, records)), (FLIGHTS, flights_plotted(results))):
        if picture:
            (root / name).write_text(picture, "utf-8")


def written(name: str) -> str:
    """The present content of a written part of the page."""
    return _split((ROOT / PAGE).read_text("utf-8"), name)[1]


def _split(text: str, name: str) -> tuple[str, str, str]:
    """Split the page into what is before a written part, the part, and what is after it."""
    begin, end = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
    parts = re.fullmatch(f"(.*{begin})(.*)({end}.*)", text, flags=re.DOTALL)
    if not parts:
        msg = f"{PAGE} needs the lines {begin.strip()} and {end.strip()}"
        raise ValueError(msg)
    return parts[1], parts[2], parts[3]
