"""docs/api.md lists the complete API, and the diagram of docs/tables.md agrees with the catalog."""

from __future__ import annotations

import re

from cube_sandbox import Sandbox
from tap_cube.streams.registry import STREAMS
from tests.repository.docs import ROOT
from tests.support.documented import fenced
from tests.support.runs import discover

EVERY_ROW = {
    *(f"C{number}" for number in range(1, 12)),
    *(f"S{number}" for number in range(1, 11)),
    *(f"H{number}" for number in range(1, 19)),
}


def _readers() -> dict[str, str]:
    """The page's entry for each row of the API."""
    _, _, text = (ROOT / "docs/api.md").read_text("utf-8").partition("## Read by")
    text, _, _ = text.partition("## 0")
    rows = re.findall(r"^\| ([CSH]\d+) \| (.+) \| (.+) \|$", text, re.MULTILINE)
    assert len(rows) == len({row for row, *_ in rows})
    return {row: reader for row, _, reader in rows}


def test_the_complete_api_is_in_the_table() -> None:
    """The table names a stream for each documented request, or the reason why there is none."""
    read = {
        endpoint.row.split(maxsplit=1)[0]: spec.name
        for spec in STREAMS
        for endpoint in spec.endpoints
    }
    table = _readers()
    assert table.keys() == EVERY_ROW
    for row, reader in table.items():
        if row in read:
            assert reader.startswith(f"`{read[row]}`"), row
        else:
            assert reader.startswith("not read: "), row


def test_the_diagram_agrees_with_the_catalog() -> None:
    """The diagram has every stream with its keys, and all its columns and joins exist."""
    (diagram,) = fenced("docs/tables.md", "mermaid")
    with Sandbox(outcomes=60) as cube:
        found = discover(cube)["streams"]
    catalog = {entry["tap_stream_id"]: entry for entry in found}
    drawn = dict(re.findall(r"^ {4}(\w+) \{\n(.*?)^ {4}\}", diagram, re.MULTILINE | re.DOTALL))
    assert drawn.keys() == catalog.keys()
    for stream, columns in drawn.items():
        attributes = re.findall(r"^ +\w+ (\w+)( PK)?$", columns, re.MULTILINE)
        entry = catalog[stream]
        assert {name for name, _ in attributes} <= entry["schema"]["properties"].keys()
        assert {name for name, is_key in attributes if is_key} == set(entry["key_properties"])
    joins = re.findall(r"^ {4}(\w+) [|}{o.-]+ (\w+) : \"?([\w, ]+)\"?$", diagram, re.MULTILINE)
    assert len(joins) == diagram.count("--")
    for one, other, columns in joins:
        for stream in (one, other):
            assert set(columns.split(", ")) <= catalog[stream]["schema"]["properties"].keys()
