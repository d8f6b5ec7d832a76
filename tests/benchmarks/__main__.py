"""Measures the tap against its targets and against other programs that read the same account.

    uv run --locked python -m tests.benchmarks --rounds 2 --write

takes about thirteen minutes on two otherwise idle cores.
"""

from __future__ import annotations

import argparse
import logging
import shlex
import sys
import tempfile
from functools import partial
from pathlib import Path

from tests.benchmarks import parts, report
from tests.benchmarks.account import PAGE_SIZE
from tests.benchmarks.flights import capacity, latency
from tests.benchmarks.growth import growth
from tests.benchmarks.names import LIMIT, POOL, RULES
from tests.benchmarks.programs import PLAIN, VENDOR
from tests.benchmarks.race import Results
from tests.benchmarks.server import served
from tests.benchmarks.targets import verdicts

GROUPS = {
    "p1": ["cpu"], "p2": ["latency"], "p2b": [POOL], "p2c": [LIMIT], "p3": ["cpu"], "p4": ["cpu"],
    "p5": ["load"], "p6": ["cpu"], "p7": ["cpu", "growth"], "p8": ["files"],
}  # fmt: skip
"""The measurements for each target."""

UNGUARDED = {"p5"}
"""Takes minutes, and most of them are the loader's."""


def measured(plan: parts.Plan, groups: set[str]) -> Results:
    """Measure the given groups."""
    parts.check(plan)
    results = Results()
    for name, measure in (
        ("cpu", parts.cpu),
        ("latency", latency),
        (POOL, partial(capacity, POOL)),
        (LIMIT, partial(capacity, LIMIT)),
        ("growth", growth),
        ("files", parts.files),
    ):
        if name in groups:
            results += measure(plan)
    if "load" in groups:
        # The database imports Django, and the peak memory of a child includes its parent's size.
        from tests.benchmarks.load import loads  # noqa: PLC0415 - last, for the reason above

        results += loads(plan)
    return results


def main(argv: list[str] | None = None) -> int:
    """Measure, and print the results, write them into the documents, or judge them.

    Returns:
        1 if the guard finds a figure beyond its wide margin.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="customers of the account")
    parser.add_argument("--rounds", type=int, default=3, help="how often each program runs")
    parser.add_argument("--only", default="", help="targets, such as p1,p2b; all by default")
    parser.add_argument("--write", action="store_true", help="write the page and the plots")
    parser.add_argument(
        "--guard",
        action="store_true",
        help="compare with the vendor's loop and a plain tap alone, by wide margins, without a "
        "database; end with 1 if a figure is beyond",
    )
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    chosen = set(options.only.split(",")) if options.only else set(GROUPS)
    if options.records % PAGE_SIZE:
        parser.error(f"--records has to be a multiple of {PAGE_SIZE}")
    if unknown := chosen - GROUPS.keys():
        parser.error(f"no such targets: {', '.join(sorted(unknown))}")
    if options.guard:
        chosen -= UNGUARDED
    peers = (PLAIN, VENDOR) if options.guard else (PLAIN, *parts.installed())
    groups = {group for target in chosen for group in GROUPS[target]}
    with (
        tempfile.TemporaryDirectory() as folder,
        served(options.records, [*RULES.values()], is_whole="cpu" in groups) as found,
    ):
        urls = dict(zip(RULES, found, strict=True))
        plan = parts.Plan(options.records, options.rounds, Path(folder), urls, peers)
        results = measured(plan, groups)
    command = shlex.join([*report.COMMAND.split(), *(sys.argv[1:] if argv is None else argv)])
    if options.write:
        report.write(results, options.records, command)
    sys.stdout.write(report.judgement(results, options.records, command) + "\n\n")
    sys.stdout.write(report.comparison(results, options.records) + "\n")
    return guarded(results, chosen) if options.guard else 0


def guarded(results: Results, chosen: set[str]) -> int:
    """Print the figures that the guard refuses, and the chosen targets that have no figure.

    Returns:
        1 if there is one.
    """
    judged = list(verdicts(results))
    unknown = sorted(chosen - {each.target.number.lower() for each in judged})
    for number in unknown:
        sys.stdout.write(f"{number.upper()}: not measured\n")
    refused = [each for each in judged if not each.is_guarded]
    for each in refused:
        target = each.target
        sys.stdout.write(
            f"{target.number}: {target.what}: {target.written(each.value)}, "
            f"the guard's margin is {target.written(target.guard)}\n"
        )
    return 1 if refused or unknown else 0


if __name__ == "__main__":
    sys.exit(main())
