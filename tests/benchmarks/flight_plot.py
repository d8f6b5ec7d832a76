"""Draws the requests in flight, and how long each took, as an SVG for light and dark pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.names import LIMIT, POOL, SLOW
from tests.benchmarks.plot import STYLE, text_at
from tests.benchmarks.programs import OURS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.flights import Flight
    from tests.benchmarks.race import Results

TITLES = {
    SLOW: ("P2: each response takes 100 ms", 0),
    POOL: ("P2b: four workers of 100 ms, all else queues", 4),
    LIMIT: ("P2c: 100 ms, and 429 for all above six at once", 6),
}
"""The heading of each panel, and how many requests its server bears; 0 for any number."""

WIDTH, LEFT, RIGHT = 760, 64, 730
FLIGHT, TOOK, GAP, PANEL = 96, 56, 22, 250
"""Pixels: height of the upper curve and of the lower one, between them, and of a panel."""

MORE = """
  .line { fill: none; stroke: #0969da; stroke-width: 1.5 }
  .dots { fill: none; stroke: #0969da; stroke-width: 3; stroke-linecap: round }
  .refused { fill: none; stroke: #cf222e; stroke-width: 5; stroke-linecap: round }
  .axis { fill: none; stroke: #d0d7de }
  .bound { fill: none; stroke: #59636e; stroke-dasharray: 4 4 }
  .small { font-size: 11px; fill: #59636e }
  @media (prefers-color-scheme: dark) {
    .line, .dots { stroke: #4493f8 }
    .refused { stroke: #f85149 }
    .axis { stroke: #30363d }
    .bound { stroke: #9198a1 }
    .small { fill: #9198a1 }
  }
"""


def flights_plotted(results: Results) -> str:
    """The SVG with a panel for each server, from the first round; "" if none was measured."""
    flights = {
        setting: entry.flight
        for each in results.rounds[:1]
        for setting in TITLES
        if (entry := each.entries.get((OURS.name, setting))) and entry.flight
    }
    if not flights:
        return ""
    longest = max(answer.at for flight in flights.values() for answer in flight.answers)
    lines = [
        line
        for place, (setting, flight) in enumerate(flights.items())
        for line in _panel(*TITLES[setting], flight, longest, place * PANEL)
    ]
    height = PANEL * len(flights) + 10
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-label="Requests in flight and the time of each response, at three servers">\n'
        f"<style>{STYLE}{MORE}</style>\n"
        f'<rect class="page" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="6"/>\n'
        + "".join(f"{line}\n" for line in lines)
        + "</svg>\n"
    )


def _panel(title: str, bound: int, flight: Flight, longest: float, top: int) -> Iterator[str]:
    curve = flight.curve
    most = max(8, *(number for _, number in curve))
    slowest = max(answer.seconds for answer in flight.answers)
    upper = top + 44 + FLIGHT
    lower = upper + GAP + TOOK

    def x(at: float) -> float:
        return LEFT + (RIGHT - LEFT) * at / longest

    def y(number: float) -> float:
        return upper - FLIGHT * number / most

    yield text_at(16, top + 27, title, 'class="title"')
    yield from _axis(upper, FLIGHT, "in flight", f"{most}")
    yield from _axis(lower, TOOK, "ms", f"{slowest * 1000:.0f}")
    if bound:
        yield f'<path class="bound" d="M{LEFT} {y(bound):.1f}H{RIGHT}"/>'
    steps = "".join(f"H{x(at):.1f}V{y(number):.1f}" for at, number in curve)
    yield f'<path class="line" d="M{LEFT} {upper}{steps}"/>'
    for kind, is_refusal in (("dots", False), ("refused", True)):
        dots = "".join(
            f"M{x(answer.at):.1f} {lower - TOOK * answer.seconds / slowest:.1f}h0"
            for answer in flight.answers
            if answer.is_refusal == is_refusal
        )
        if dots:
            yield f'<path class="{kind}" d="{dots}"/>'
    for second in range(int(longest) + 1):
        place = f'class="small" text-anchor="{"middle" if second else "start"}"'
        yield text_at(round(x(second)), lower + 15, f"{second} s", place)
    if refused := sum(answer.is_refusal for answer in flight.answers):
        said = f"{refused} of {len(flight.answers)} answered by 429"
        yield text_at(RIGHT, top + 27, said, 'class="small" text-anchor="end"')


def _axis(bottom: int, height: int, name: str, highest: str) -> Iterator[str]:
    yield f'<path class="axis" d="M{LEFT} {bottom - height}V{bottom}H{RIGHT}"/>'
    for y, text in ((bottom, "0"), (bottom - height + 10, highest)):
        yield text_at(LEFT - 6, y, text, 'class="small" text-anchor="end"')
    yield text_at(LEFT - 6, bottom - height // 2 + 4, name, 'class="small" text-anchor="end"')
