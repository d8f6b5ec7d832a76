"""README.md on the API and the tables: nothing is left out, and nothing is named that is not."""

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
    """What the README's table says of each row of the API."""
    text = (ROOT / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| ([CSH]\d+) \| (.+) \| (.+) \|$", text, re.MULTILINE)
    assert len(rows) == len({row for row, *_ in rows})
    return {row: reader for row, _, reader in rows}


def test_the_whole_api_is_in_the_table() -> None:
    """Each documented request is read by a named stream, or it is said why not."""
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


def test_the_diagram_names_what_the_catalog_has() -> None:
    """Every stream is drawn; its keys are its keys, and all columns and joins exist."""
    (diagram,) = fenced("README.md", "mermaid")
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
