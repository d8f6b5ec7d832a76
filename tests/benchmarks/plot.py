"""Draws the results as bars in an SVG for light and dark pages."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from tests.benchmarks.names import ALL, BATCH, DEFAULT, LOADED, SLOW
from tests.benchmarks.programs import OURS, PEERS, PLAIN
from tests.benchmarks.race import Round

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.benchmarks.race import Results

WIDTH, LEFT, LONGEST, LINE, GAP = 760, 190, 400, 26, 40
"""Pixels: total width, left margin, longest bar, height of a line, gap between panels."""

STYLE = """
  .page { fill: #ffffff; stroke: #d0d7de }
  text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .ratio { fill: #59636e }
  .bar { fill: #8c959f }
  .own { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #30363d }
    text { fill: #f0f6fc }
    .ratio { fill: #9198a1 }
    .bar { fill: #656c76 }
    .own { fill: #4493f8 }
  }
"""


def plotted(results: Results, records: int) -> str:
    """The SVG with a panel for each measured comparison."""
    lines: list[str] = []
    top = 0
    for title, unit, bars in _panels(results, records):
        if any(name.startswith(OURS.name) for name in list(bars)[:1]):
            lines += _panel(title, unit, bars, top)
            top += GAP + LINE * len(bars)
    height = top + 16
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img" aria-label="CPU and wall, compared">\n'
        f"<style>{STYLE}</style>\n"
        f'<rect class="page" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="6"/>\n'
        + "".join(f"{line}\n" for line in lines)
        + "</svg>\n"
    )


def _panels(results: Results, records: int) -> Iterator[tuple[str, str, Mapping[str, float]]]:
    everybody = [program.name for program in (OURS, PLAIN, *PEERS)]
    loads = {
        f"{OURS.name}, BATCH": (OURS.name, BATCH),
        f"{OURS.name}, RECORD": (OURS.name, LOADED),
        f"{PLAIN.name}, RECORD": (PLAIN.name, DEFAULT),
    }
    yield (
        "CPU a record, without start-up (less is better)",
        "µs",
        _measured(results, Round.microseconds, {n: (n, ALL) for n in everybody}),
    )
    yield (
        f"Wall for {records:,} records at 100 ms a page",
        "s",
        _measured(results, Round.wall, {n: (n, SLOW) for n in everybody}),
    )
    yield (
        f"Wall to load {records:,} records into PostgreSQL",
        "s",
        _measured(results, Round.wall, loads),
    )


def _measured(
    results: Results,
    figure: Callable[[Round, str, str], float],
    keys: Mapping[str, tuple[str, str]],
) -> Mapping[str, float]:
    return {
        name: results.middle(lambda of, key=key: figure(of, *key))  # type: ignore[misc]
        for name, key in keys.items()
        if results.has(*key)
    }


def _panel(title: str, unit: str, bars: Mapping[str, float], top: int) -> Iterator[str]:
    yield text_at(16, top + 27, title, 'class="title"')
    own, longest = next(iter(bars.values())), max(bars.values())
    for place, (name, value) in enumerate(bars.items()):
        y = top + GAP + LINE * place
        length = max(2, round(value / longest * LONGEST))
        kind = "own" if name.startswith(OURS.name) else "bar"
        yield text_at(LEFT - 10, y + 15, name, 'text-anchor="end"')
        yield f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{length}" height="20" rx="2"/>'
        ratio = "" if value == own else f' <tspan class="ratio">{value / own:.1f} times</tspan>'
        yield text_at(LEFT + length + 8, y + 15, f"{value:.1f} {unit}", more=ratio)


def text_at(x: int, y: int, text: str, look: str = "", more: str = "") -> str:
    """A line of text, with further attributes and further elements in it."""
    return f'<text x="{x}" y="{y}" {look}>{escape(text)}{more}</text>'
