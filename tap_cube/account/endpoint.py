"""One documented endpoint of a resource."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from string import Formatter

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_cube.paging.windows import Window

Payload: t.TypeAlias = t.Literal["standard", "plain", "legacy"]
"""Payload of customers' rows: since 2018-10-17, of 2017 to 2019, or of 2016."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One documented endpoint of a resource.

    Attributes:
        row: Row of docs/api.md, such as ``S1``. Logs and the state name the endpoint by it.
        path: Path, with its query if it has one; names of ids in braces.
        is_dated: Whether it takes a window of days; without one it serves only today's rows (T20).
        payload: Payload of its rows about customers.
    """

    row: str
    path: str
    is_dated: bool = False
    payload: Payload = "standard"

    @property
    def ids(self) -> set[str]:
        """Names of the ids in the path; none if it serves the rows of the whole account."""
        return {name for _, name, _, _ in Formatter().parse(self.path) if name}

    def target(self, context: Mapping[str, object], window: Window | None = None) -> str:
        """Path and query of a partition's first page; only dated endpoints use the window."""
        path = self.path.format_map(context)
        return f"{path}?{window.query}" if window and self.is_dated else path
