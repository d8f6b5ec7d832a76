"""Measures the tap against its targets and against other programs that read the same account.

    uv run --locked python -m tests.benchmarks --readme

takes about twenty minutes for two rounds on two otherwise idle cores.
"""

from __future__ import annotations

import argparse
import logging
import shlex
import sys
import tempfile
from pathlib import Path

from tests.benchmarks import parts, report
from tests.benchmarks.programs import OURS, PLAIN
from tests.benchmarks.race import Results

GROUPS = {
    "p1": "cpu", "p2": "latency", "p3": "growth", "p4": "cpu", "p5": "load", "p6": "cpu",
    "p7": "growth",
}  # fmt: skip
"""The measurements for each target; growth also needs the CPU time of fewer rows."""


def measured(plan: parts.Plan, groups: set[str]) -> Results:
    """Measure the given groups."""
    peers = parts.installed()
    parts.check(plan, [OURS, PLAIN, *peers])
    results = Results()
    if groups & {"cpu", "growth"}:
        results += parts.cpu(plan, peers)
    if "latency" in groups:
        results += parts.latency(plan, peers)
    if "growth" in groups:
        results += parts.growth(plan)
    if "load" in groups:
        # The database imports Django, and the peak memory of a child includes its parent's size.
        from tests.benchmarks.load import loads  # noqa: PLC0415 - last, for the reason above

        results += loads(plan)
    return results


def main(argv: list[str] | None = None) -> None:
    """Measure, and print the results or write them to the README."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="customers of the account")
    parser.add_argument("--rounds", type=int, default=3, help="how often each program runs")
    parser.add_argument("--only", default=",".join(GROUPS), help="targets, such as p1,p2")
    parser.add_argument("--readme", action="store_true", help="write the README's section and plot")
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if unknown := set(options.only.split(",")) - GROUPS.keys():
        parser.error(f"no such targets: {', '.join(sorted(unknown))}")
    groups = {GROUPS[target] for target in options.only.split(",")}
    with tempfile.TemporaryDirectory() as folder:
        results = measured(parts.Plan(options.records, options.rounds, Path(folder)), groups)
    command = shlex.join([*report.COMMAND.split(), *(sys.argv[1:] if argv is None else argv)])
    if options.readme:
        report.write(results, options.records, command)
    sys.stdout.write(report.section(results, options.records, command) + "\n")


if __name__ == "__main__":
    main()
