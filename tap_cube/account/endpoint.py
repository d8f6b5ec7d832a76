"""A documented address of a resource."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from string import Formatter

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_cube.paging.windows import Window

Payload: t.TypeAlias = t.Literal["standard", "plain", "legacy"]
"""A family of customers' rows: since 2018-10-17, of 2017 to 2019, of 2016."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One documented address of a resource.

    Attributes:
        row: Its row in the table of endpoints, such as ``S1``; a name for logs, nothing more.
        path: Path, with its query where it has one; the context's names stand in braces.
        is_dated: Whether it wants a window of days, without which it shows today's rows alone.
        payload: What rows about customers are made of.
    """

    row: str
    path: str
    is_dated: bool = False
    payload: Payload = "standard"

    @property
    def ids(self) -> set[str]:
        """Names of the ids in its path; none where it shows the rows of the whole account."""
        return {name for _, name, _, _ in Formatter().parse(self.path) if name}

    def target(self, context: Mapping[str, object], window: Window | None = None) -> str:
        """Path and query of the first page for one partition."""
        path = self.path.format_map(context)
        return f"{path}?{window.query}" if window and self.is_dated else path
