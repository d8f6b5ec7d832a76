"""The performance targets, compared with the results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.benchmarks.parts import ALL, BAD, BATCH, CHANGED, DISCOVER, IMPORT, RECORD, TENFOLD
from tests.benchmarks.programs import OURS, PEERS, PLAIN, PYTHON_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.benchmarks.race import Results


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target and its result.

    Attributes:
        number: The number of the target.
        what: The measured quantity.
        target: The required value.
        measured: The measured value.
        is_met: Whether the target is met.
    """

    number: str
    what: str
    target: str
    measured: str
    is_met: bool


def verdicts(results: Results) -> Iterator[Verdict]:
    """Check every target whose figures are all available."""
    for judge in JUDGES:
        try:
            yield judge(results)
        except KeyError:
            continue


def _cpu(results: Results) -> Verdict:
    own, plain = (results.microseconds(program.name, ALL) for program in (OURS, PLAIN))
    return Verdict(
        "P1",
        "CPU a record, all rows",
        "≤ 1/5 of plain, ≤ 25 µs",
        f"{own:.1f} µs, 1/{plain / own:.1f} of plain ({plain:.0f} µs)",
        own <= min(plain / 5, 25),
    )


def _off_type(results: Results) -> Verdict:
    times = results.microseconds(OURS.name, BAD) / results.microseconds(OURS.name, ALL)
    return Verdict(
        "P1",
        "the same, 1 % of the rows with a value off its type",
        "≤ 1.3 times P1",
        f"{times:.2f} times",
        times <= 1.3,  # noqa: PLR2004 - the target
    )


def _latency(results: Results) -> Verdict:
    own = results[OURS.name, "100 ms"].usage.wall
    others = {
        program.name: result.usage.wall / own
        for program in (PLAIN, *PEERS)
        if (result := results.find(program.name, "100 ms"))
    }
    if PLAIN.name not in others:
        raise KeyError(PLAIN.name)
    ratios = ", ".join(f"1/{times:.1f} of {name}" for name, times in others.items())
    return Verdict(
        "P2",
        "wall at 100 ms a page",
        "≤ 1/5 of plain and of any other",
        f"{own:.1f} s: {ratios}",
        min(others.values()) >= 5,
    )


def _memory(results: Results) -> Verdict:
    small, large = (results[OURS.name, setting].usage.resident for setting in (ALL, TENFOLD))
    return Verdict(
        "P3",
        "peak memory, and with ten times the rows",
        "≤ 90 MB, flat",
        f"{small:.0f} and {large:.0f} MB",
        large <= min(90, small * 1.1),
    )


def _incremental(results: Results) -> Verdict:
    own, changed = (results.microseconds(OURS.name, setting) for setting in (ALL, CHANGED))
    return Verdict(
        "P4",
        "CPU a record read, 1 % of the rows changed",
        "≤ 1/3 of P1",
        f"{changed:.1f} µs, 1/{own / changed:.1f}",
        changed <= own / 3,
    )


def _load(results: Results) -> Verdict:
    batch, record, plain = (
        results[name, setting].usage
        for name, setting in ((OURS.name, BATCH), (OURS.name, RECORD), (PLAIN.name, RECORD))
    )
    return Verdict(
        "P5",
        "CPU of a load into PostgreSQL with the recommended settings of the loader, against plain "
        "with its defaults",
        "RECORD ≤ 0.35, BATCH ≤ 1/5",
        f"{record.cpu / plain.cpu:.2f} and 1/{plain.cpu / batch.cpu:.1f} of {plain.cpu:.1f} s "
        f"(wall {record.wall:.1f}, {batch.wall:.1f} and {plain.wall:.1f} s)",
        record.cpu <= 0.35 * plain.cpu and batch.cpu <= plain.cpu / 5,
    )


def _start(results: Results) -> Verdict:
    own, plain, sdk = (
        results[name, setting].usage.cpu
        for name, setting in (
            (OURS.name, DISCOVER),
            (PLAIN.name, DISCOVER),
            (PYTHON_NAME, IMPORT),
        )
    )
    return Verdict(
        "P6",
        "CPU of `--discover` beyond `import singer_sdk`",
        "≤ 0.15 s",
        f"{own - sdk:.2f} s (plain {plain - sdk:.2f} s, the import {sdk:.2f} s)",
        own - sdk <= 0.15,  # noqa: PLR2004 - the target
    )


def _growth(results: Results) -> Verdict:
    times = results.microseconds(OURS.name, TENFOLD) / results.microseconds(OURS.name, ALL)
    return Verdict(
        "P7",
        "CPU a record with ten times the rows",
        "within 10 %",
        f"{times:.2f} times",
        times <= 1.1,  # noqa: PLR2004 - the target
    )


JUDGES: tuple[Callable[[Results], Verdict], ...] = (
    _cpu, _off_type, _latency, _memory, _incremental, _load, _start, _growth,
)  # fmt: skip
