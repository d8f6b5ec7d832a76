"""Catalogs as Meltano gives them to the tap."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def selected_by(catalog: Mapping[str, Any], *patterns: str) -> dict[str, Any]:
    """A catalog after Meltano applied the patterns of `select`, by Meltano's own code."""
    # A second of imports, for the one worker that runs these tests.
    from meltano.core.plugin.singer.catalog import (  # noqa: PLC0415
        MetadataExecutor,
        select_metadata_rules,
    )

    chosen = deepcopy(dict(catalog))
    rules = select_metadata_rules(["!*.*"]) + select_metadata_rules(patterns)
    MetadataExecutor(rules).visit(chosen)  # type: ignore[attr-defined]  # made by a decorator
    return chosen
