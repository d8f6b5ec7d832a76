"""Writes the results as a section of the README."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.parts import ALL, LATENCIES
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
PLOT = "docs/performance.svg"
BEGIN, END = "<!-- performance -->", "<!-- /performance -->"


def section(results: Results, records: int, command: str = COMMAND) -> str:
    """The text of the README's section on performance.

    Args:
        results: The results.
        records: The number of customers of the account.
        command: The command that measured it.
    """
    programs = [p for p in (OURS, PLAIN, *PEERS) if results.find(p.name, ALL)]
    parts = [
        _intro(results, records, command),
        *([f"![CPU and wall, compared]({PLOT})"] if programs else []),
    ]
    if judged := list(verdicts(results)):
        judgements = [
            (v.number, v.what, v.target, v.measured, "met" if v.is_met else "**missed**")
            for v in judged
        ]
        parts.append(_table(("#", "What", "Target", "Measured", ""), judgements))
    if programs:
        rows = [_row(results, program) for program in programs]
        walls = [f"at {latency} ms" for latency in (0, *LATENCIES)]
        head = ("Program", "Start-up, CPU s", "CPU µs a record", "Ratio", *walls, "Peak MB")
        parts += [
            f"Wall in seconds for {records:,} records:",
            _table(head, rows),
            _legend(programs),
        ]
    return "\n\n".join(parts)


def _intro(results: Results, records: int, command: str) -> str:
    rounds = max(result.rounds for result in results.results)
    day = datetime.now(tz=UTC).date()
    return (
        f"Measured on {day} with {_cores()} cores ({_processor()}), "
        f"{platform.python_implementation()} {platform.python_version()}, by\n\n"
        f"```console\n$ {command}\n```\n\n"
        f"{records:,} invented customers of 51 flat fields, 28 of them custom fields of mixed "
        "types, 1.9 KB of JSON each, 500 a page. Every program reads the same gzipped bodies, "
        "rendered beforehand, from one server on this machine over plain HTTP, and writes to "
        "`/dev/null`. CPU is user and system time of the program; *a record* is what the rows "
        "cost beyond a run that reads a single page. All figures are medians of "
        f"{rounds} runs in turn. That each program writes every customer is "
        "checked. "
        "Loads go by target-postgres into an empty PostgreSQL beside it; their CPU is that of tap "
        "and loader."
    )


def _row(results: Results, program: Program) -> tuple[str, ...]:
    cost = results.microseconds(program.name, ALL)
    own = results.microseconds(OURS.name, ALL)
    whole = results[program.name, ALL]
    found = [results.find(program.name, f"{latency} ms") for latency in LATENCIES]
    return (
        program.name,
        f"{results[program.name, ONE_PAGE].usage.cpu:.2f}",
        f"{cost:.1f}",
        f"{cost / own:.1f}",
        *(f"{result.usage.wall:.1f}" if result else "" for result in (whole, *found)),
        f"{whole.usage.resident:.0f}",
    )


def _legend(programs: Iterable[Program]) -> str:
    return "\n".join(f"* {program.name}: {program.does}." for program in programs)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    text = path.read_text() if path.exists() else ""
    found = re.search(r"^model name\s*: (.+)$", text, flags=re.MULTILINE)
    return found[1] if found else platform.machine()


def write(results: Results, records: int, command: str) -> None:
    """Write the README's section between its markers, and the plot; see `section` for arguments.

    Raises:
        ValueError: The README has no such section.
    """
    readme = ROOT / "README.md"
    before, begin, rest = readme.read_text("utf-8").partition(f"{BEGIN}\n")
    _, end, after = rest.partition(END)
    if not begin or not end:
        msg = f"README.md needs the lines {BEGIN} and {END}"
        raise ValueError(msg)
    readme.write_text(
        f"{before}{BEGIN}\n{section(results, records, command)}\n{END}{after}", "utf-8"
    )
    plot = ROOT / PLOT
    plot.parent.mkdir(exist_ok=True)
    plot.write_text(plotted(results, records), "utf-8")
