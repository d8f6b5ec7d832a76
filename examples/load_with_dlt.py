# /// script
# requires-python = ">=3.11"
# dependencies = ["dlt[duckdb]>=1.31"]
# ///
"""Load what tap-cube writes with dlt, here into a DuckDB file, and keep the state for the next run.

Before the first run: `echo '{}' > state.json`. Each night:
`tap-cube --config config.json --state state.json | uv run load_with_dlt.py`.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt

TYPES = {
    "integer": "bigint",
    "number": "double",  # dlt's decimals have nine places, and refuse numbers of 40 digits
    "boolean": "bool",
    "object": "json",
    "array": "json",
}
FORMATS = {"date": "date", "date-time": "timestamp"}
ENOUGH = 100_000  # records that wait in memory


def columns(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The type of each column, which dlt would guess from the values otherwise."""
    for name, about in schema["properties"].items():
        kind = next((TYPES[kind] for kind in TYPES if kind in about["type"]), "text")
        yield {"name": name, "data_type": FORMATS.get(about.get("format"), kind)}


def load() -> None:
    """Load the records so far; only then the state that covers them is kept."""
    resources = []
    for name, schema in schemas.items():
        resource = dlt.resource(
            list(waiting[name].values()),
            name=name,
            columns=list(columns(schema["schema"])),
            primary_key=schema["key_properties"],
            write_disposition="merge",
        )
        resource.max_table_nesting = 0
        resources.append(resource)
        waiting[name] = {}
    if resources:  # none if the tap has failed at once, or has nothing to read
        pipeline.run(resources)
    if state is not None:
        Path("state.json").write_text(json.dumps(state), encoding="utf-8")


pipeline = dlt.pipeline(
    "tap_cube",
    destination=dlt.destinations.duckdb("tables.duckdb"),  # or snowflake(), bigquery(), …
    dataset_name="cube",
)
if pipeline.has_pending_data:
    pipeline.abort_packages()  # of a run that failed; the tap sends these records again
schemas, waiting, state = {}, {}, None
for line in sys.stdin:
    message = json.loads(line)
    match message["type"]:
        case "SCHEMA":  # a stream may send a further one, when a new field appears
            schemas[message["stream"]] = message
            waiting.setdefault(message["stream"], {})
        case "RECORD":  # of records with one key the last counts; dlt would keep the first
            keys = schemas[message["stream"]]["key_properties"]
            key = tuple(message["record"][name] for name in keys)
            waiting[message["stream"]][key] = message["record"]
            if sum(map(len, waiting.values())) >= ENOUGH:
                load()
        case "STATE":
            state = message["value"]
        case "BATCH":
            sys.exit("Remove batch_config from the tap's settings: this script reads no files.")
load()
