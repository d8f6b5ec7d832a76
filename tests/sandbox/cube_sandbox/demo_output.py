"""What the demo prints: paragraphs, tables, and steps with the seconds they take."""

from __future__ import annotations

import contextlib
import io
import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import JustifyMethod

WIDTH = 80
INDENT = (0, 0, 0, 2)


class Output:
    """Standard output, at most 80 columns wide, with colour and animation on a terminal."""

    def __init__(self) -> None:
        """Find out what standard output can show."""
        if isinstance(sys.stdout, io.TextIOWrapper):  # its encoding may lack Norwegian letters
            sys.stdout.reconfigure(errors="replace")
        # Inside rich, NO_COLOR and TERM=dumb are respected.
        self._console = Console(width=min(WIDTH, Console().width), highlight=False, emoji=False)
        self._is_animated = self._console.is_interactive and sys.stdout.isatty()

    def text(self, text: str) -> None:
        """Print a paragraph, in which `[bold]words[/]` are highlighted."""
        self._console.print(text)

    def table(
        self, head: Sequence[str], rows: Iterable[Sequence[str | int | Text]], title: str = ""
    ) -> None:
        """Print a table with numbers aligned right and text aligned left.

        Args:
            head: The names of the columns; without any, the table has no head.
            rows: The cells, which are never shortened: a long one takes more lines.
            title: A line above the head of the last column.
        """
        content = list(rows)
        table = Table(
            box=None,
            pad_edge=False,
            show_header=bool(head),
            header_style="bold",
            title=title or None,
            title_style="bold",
            title_justify="right",
        )
        for name, value in zip(head or ("",) * len(content[0]), content[0], strict=True):
            justify: JustifyMethod = "right" if isinstance(value, int) else "left"
            table.add_column(name, justify=justify, overflow="fold")
        for row in content:
            table.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
        self._console.print(Padding(table, INDENT, expand=False))

    @contextlib.contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Say what a block does: animated on a terminal, otherwise in one plain line."""
        begin = time.monotonic()
        if self._is_animated:
            columns = (
                TextColumn("{task.description}"),
                SpinnerColumn(),
                TextColumn("{task.elapsed:.0f} s"),
            )
            with Progress(*columns, console=self._console, transient=True) as progress:
                progress.add_task(text)
                yield
            self._console.print(text, end="")
        else:
            self._console.print(f"{text} ...", end="")
            yield
        self._console.print(f" ({time.monotonic() - begin:.1f} s)")
