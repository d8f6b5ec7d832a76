"""A reader's terminal, what a reader does between two commands of a page, and what came of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from tests.support.documented import shell

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.warehouse import Warehouse


@dataclass
class Terminal:
    """Runs the blocks of a page one after the other.

    Attributes:
        folder: Where commands run.
        environment: All variables that they see.
        replaced: What stands on the pages for the reader's own, by regular expression.
    """

    folder: Path
    environment: Mapping[str, str]
    replaced: Mapping[str, str]

    def run(self, block: str, *, is_failing: bool = False) -> str:
        """Run a block to its end, which must be good or bad, and return all it said."""
        block = self.filled_in(block)
        commands = f"set +e\n{block}\n[ $? -ne 0 ]" if is_failing else block
        return shell(commands, self.folder, self.environment)

    def filled_in(self, text: str) -> str:
        """A page's text with the reader's own in place of what stands for it."""
        for pattern, own in self.replaced.items():
            text = re.sub(pattern, own.replace("\\", r"\\"), text)
        return text

    def save(self, name: str, block: str) -> None:
        """Put a block into a file."""
        (self.folder / name).write_text(self.filled_in(block))

    def paste(self, block: str) -> None:
        """Add a page's YAML to `meltano.yml`, each part where the file has such a part."""
        path = self.folder / "meltano.yml"
        pasted = yaml.safe_load(self.filled_in(block))
        path.write_text(yaml.safe_dump(_merged(yaml.safe_load(path.read_text()), pasted)))


def _merged(own: Any, added: Any) -> Any:  # noqa: ANN401 - any YAML
    """Put YAML into other YAML: objects by key, and lists one after the other."""
    if isinstance(own, dict) and isinstance(added, dict):
        return own | {key: _merged(own.get(key), value) for key, value in added.items()}
    return [*own, *added] if isinstance(own, list) else added


def selected(catalog: Mapping[str, Any]) -> set[str]:
    """The streams that a catalog selects."""
    return {
        entry["tap_stream_id"]
        for entry in catalog["streams"]
        for part in entry["metadata"]
        if not part["breadcrumb"] and part["metadata"]["selected"]
    }


def deselected(catalog: Mapping[str, Any]) -> set[str]:
    """The columns that a catalog deselects, each as `stream.column`."""
    return {
        f"{entry['tap_stream_id']}.{part['breadcrumb'][-1]}"
        for entry in catalog["streams"]
        for part in entry["metadata"]
        if part["breadcrumb"] and not part["metadata"].get("selected", True)
    }


def tables(warehouse: Warehouse) -> set[str]:
    """The tables that hold rows."""
    found = warehouse.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'tap_cube'")
    names = {row["tablename"] for row in found}
    return {name for name in names if warehouse.count(f"tap_cube.{name}")}
