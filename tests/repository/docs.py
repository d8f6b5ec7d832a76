"""Generates the parts of documents, meltano.yml and dbt's sources that follow from the code.

Run `uv run python -m tests.repository.docs --write` after a change of settings or streams.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import sys
import textwrap
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tap_cube.settings_schema import SCHEMA
from tap_cube.streams.registry import STREAMS
from tap_cube.tap import TapCube
from tests.repository import dictionary
from tests.repository.markdown import table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_cube.streams.spec import StreamSpec

ROOT = Path(__file__).parents[2]
COMMAND = "uv run python -m tests.repository.docs --write"
URL: str = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"][
    "Repository"
]
"""Where the repository is. Everything else that names its owner follows from this."""

PLUGIN: Mapping[str, Any] = {
    "name": "tap-cube",
    "namespace": "tap_cube",
    "pip_url": f"git+{URL}.git",
    "executable": "tap-cube",
    "use_cached_catalog": False,
    "select": ["*.*", "!*_details.*"],  # details need a request per customer
    "capabilities": sorted(capability.value for capability in TapCube.capabilities),
    "settings_group_validation": [
        ["api_url", "auth_token"],
        ["api_url", "username", "password"],
    ],
}
"""The plugin definition for a user's own Meltano project, without its settings."""


def properties() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of every setting, first the tap's, then the SDK's."""
    schema = copy.deepcopy(SCHEMA)
    TapCube.append_builtin_config(schema)
    settings: dict[str, dict[str, Any]] = schema["properties"]
    return settings


def kind(prop: Mapping[str, Any]) -> str:
    """Return Meltano's kind of a setting."""
    if "enum" in prop:
        return "options"
    if prop.get("format") == "date-time":
        return "date_iso8601"
    return str(next(name for name in prop["type"] if name != "null"))


def definitions() -> list[dict[str, Any]]:
    """Return the settings in the form of `meltano.yml`."""
    return [_definition(name, prop) for name, prop in properties().items()]


def _definition(name: str, prop: Mapping[str, Any]) -> dict[str, Any]:
    options = [{"label": value.capitalize(), "value": value} for value in prop.get("enum", ())]
    given = {
        "label": prop["title"],
        "description": prop["description"],
        "kind": kind(prop),
        "value": prop.get("default"),
        "options": options or None,
        "sensitive": prop.get("secret"),
    }
    return {"name": name} | {key: value for key, value in given.items() if value is not None}


def _meltano_settings() -> str:
    return textwrap.indent(_yaml(definitions(), flow=False), "    ")


def _plugin() -> str:
    """Return the definition for a user's `meltano.yml`, in as few lines as it fits into."""
    kinds = {"array", "boolean", "integer", "object"}  # without one, Meltano gives the tap a text
    settings = [
        {"name": each["name"]}
        | ({"kind": each["kind"]} if each["kind"] in kinds else {})
        | ({"sensitive": True} if "sensitive" in each else {})
        for each in definitions()
    ]
    lines = textwrap.wrap(
        ", ".join(_yaml(each, flow=True).strip().replace(" ", "\0") for each in settings), 106
    )
    listed = "\n".join(f"    {line}" for line in lines).replace("\0", " ")
    definition = textwrap.indent(_yaml(PLUGIN, flow=None), "  ").replace("  ", "- ", 1)
    body = textwrap.indent(f"{definition}  settings: [\n{listed}]\n", "  ")
    return f"```yaml\nplugins:\n  extractors:\n{body}```\n"


def _settings() -> str:
    rows = [
        (f"`{name}`", _values(prop), _default(name, prop), prop["description"])
        for name, prop in properties().items()
        if name in SCHEMA["properties"]
    ]
    others = ", ".join(f"`{name}`" for name in properties() if name not in SCHEMA["properties"])
    named = table(("Setting", "Value", "Default", "Meaning"), rows)
    return f"{named}\nThe Meltano SDK adds {others}.\n"


def _values(prop: Mapping[str, Any]) -> str:
    """Return what a setting takes: its options, its range, or its type."""
    if "enum" in prop:
        return " or ".join(f"`{value}`" for value in prop["enum"])
    if prop.get("format") == "date-time":
        return "date or time"
    if "minimum" in prop:
        return f"{prop['minimum']} to {prop['maximum']}"
    return {"array": "list", "boolean": "`true` or `false`", "string": "text"}[kind(prop)]


def _default(name: str, prop: Mapping[str, Any]) -> str:
    if name in SCHEMA["required"]:
        return "required"
    if "default" not in prop:
        return ""
    value = prop["default"]
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _streams() -> str:
    rows = [
        (
            f"`{spec.name}`",
            ", ".join(f"`{key}`" for key in spec.primary_keys),
            _replication(spec),
            spec.meaning,
        )
        for spec in STREAMS
    ]
    return table(("Stream", "Key", "Replication", "One row is"), rows)


def _replication(spec: StreamSpec) -> str:
    if spec.parent:
        return "with the customers; deselected"
    key = getattr(spec.type, "replication_key", None)
    return f"by `{key}`" if isinstance(key, str) else "full"


def _endpoints() -> str:
    rows = [
        (
            f"`{spec.name}`",
            "<br>".join(f"{endpoint.row}: `{endpoint.path}`" for endpoint in spec.endpoints),
        )
        for spec in STREAMS
        if spec.endpoints
    ]
    return table(("Stream", "Read from the first of these that responds"), rows)


def _yaml(value: object, *, flow: bool | None) -> str:
    """Dump as YAML in flow style, in block style, or (None) only the innermost in flow style."""
    width = 1000 if flow else 92
    return str(yaml.safe_dump(value, sort_keys=False, width=width, default_flow_style=flow))


BLOCKS: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "dbt/models/staging/_cube__sources.yml": {"tables": dictionary.sources},
    "README.md": {"settings": _settings, "streams": _streams},
    "docs/api.md": {"endpoints": _endpoints},
    "docs/dictionary.md": {
        "customer": dictionary.of_customer,
        "tables": dictionary.tables,
        "example": dictionary.of_example,
        "earlier": dictionary.earlier,
    },
    "docs/meltano.md": {"plugin": _plugin},
    "meltano.yml": {"settings": _meltano_settings},
}
"""The generated blocks of each document, by name."""


def renewed(document: str, text: str) -> str:
    """Return a document's text with all its generated blocks updated.

    Raises:
        ValueError: The document lacks a block's markers.
    """
    for name, content in BLOCKS[document].items():
        pattern = rf"^( *(?:#|<!--) begin {name}\b.*\n)(?s:.*?)(^ *(?:#|<!--) end {name}\b)"
        new = content().replace("\\", r"\\")
        text, places = re.subn(pattern, rf"\g<1>{new}\g<2>", text, flags=re.MULTILINE)
        if places != 1:
            msg = f"{document} needs one block {name!r}, it has {places}"
            raise ValueError(msg)
    return text


def main(argv: Sequence[str] | None = None) -> int:
    """Report the documents that differ from the code, or update them.

    Returns:
        1 if a document differs and was not updated.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.repository.docs", description=__doc__)
    parser.add_argument("--write", action="store_true", help="update the documents")
    is_writing = parser.parse_args(argv).write
    outdated = []
    for document in BLOCKS:
        path = ROOT / document
        text = path.read_text("utf-8")
        new = renewed(document, text)
        if new != text and is_writing:
            path.write_text(new, "utf-8")
        elif new != text:
            outdated.append(document)
    for document in outdated:
        sys.stdout.write(f"{document} differs from the code: run `{COMMAND}`.\n")
    return 1 if outdated else 0


if __name__ == "__main__":
    sys.exit(main())
