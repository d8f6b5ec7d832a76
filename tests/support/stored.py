"""What targets stored: the rows of each table, and the types of their columns."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import requests

from tests.support.judges import DLT, TARGET_DUCKDB, TARGET_S3, run
from tests.support.tap_process import SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.held import Tables
    from tests.support.judges import Judge
    from tests.support.warehouse import Warehouse

SCHEMA = "cube"

Types: TypeAlias = "dict[str, dict[str, str]]"
Stored: TypeAlias = "tuple[Tables, Types]"
"""Rows in the order of the loads, and types; no types where all is text."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a target loads to.

    Attributes:
        folder: Its own folder, in which it runs.
        given: Its own database, if it needs one.
        bucket: The address of its own bucket, if it needs one.
        loads: What it loaded so far.
    """

    folder: Path
    given: Warehouse | None
    bucket: str
    loads: list[str] = field(default_factory=list)

    @property
    def warehouse(self) -> Warehouse:
        """Its own database."""
        assert self.given
        return self.given

    @property
    def folder_of_load(self) -> str:
        """Name of the folder for the files of the last load."""
        return f"load{len(self.loads)}"


def from_postgres(place: Place) -> Stored:
    """Read the tables of the schema."""
    warehouse = place.warehouse
    names = warehouse.rows(
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = %s", [SCHEMA]
    )
    found = [row["name"] for row in names]
    return (
        {name: warehouse.table(f"{SCHEMA}.{name}") for name in found},
        {name: warehouse.columns(SCHEMA, name) for name in found},
    )


def from_csv(place: Place) -> Stored:
    """Read the files of all loads."""
    tables: Tables = {}
    for file in sorted(place.folder.glob("load*/*.csv")):
        with file.open(encoding="utf-8", newline="") as lines:
            tables.setdefault(file.stem, []).extend(csv.DictReader(lines, strict=True))
    return tables, {}


def from_json_lines(place: Place) -> Stored:
    """Read the files."""
    return {
        file.stem: [json.loads(line) for line in file.read_bytes().splitlines()]
        for file in place.folder.glob("*.jsonl")
    }, {}


def from_sqlite(place: Place) -> Stored:
    """Read the tables of the file."""
    tables: Tables = {}
    types: Types = {}
    with closing(sqlite3.connect(place.folder / f"{SCHEMA}.db")) as connection:
        connection.row_factory = sqlite3.Row
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
            rows = connection.execute(f"SELECT * FROM {name}")  # noqa: S608 - a stream's name
            tables[name] = [dict(row) for row in rows]
            columns = connection.execute(f"PRAGMA table_info({name})")
            types[name] = {column["name"]: column["type"] for column in columns}
    return tables, types


_DUCKDB = """
import duckdb, json
connection = duckdb.connect("tables.duckdb", read_only=True)
connection.execute("SET TimeZone = 'UTC'")
columns = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = ?"
tables, types = {}, {}
names = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'cube'"
for name, in connection.execute(names).fetchall():
    types[name] = dict(connection.execute(columns, [name]).fetchall())
    texts = ", ".join(f'"{column}"::VARCHAR' for column in types[name])
    rows = connection.execute(f"SELECT {texts} FROM cube.{name}").fetchall()
    tables[name] = [dict(zip(types[name], row)) for row in rows]
print(json.dumps([tables, types]))
"""


def from_duckdb(judge: Judge) -> Callable[[Place], Stored]:
    """Read the tables of the file with the DuckDB that wrote it."""

    def read(place: Place) -> Stored:
        tables, types = json.loads(run([str(judge.python), "-c", _DUCKDB], cwd=place.folder))
        return tables, types

    return read


from_target_duckdb, from_dlt = from_duckdb(TARGET_DUCKDB), from_duckdb(DLT)

_PARQUET = """
import json, sys, pyarrow.parquet as parquet
tables, types = {}, {}
for path in sys.argv[1:]:
    name = path.rsplit("/")[-2]
    table = parquet.read_table(path)
    tables.setdefault(name, []).extend(table.to_pylist())
    types.setdefault(name, {}).update((field.name, str(field.type)) for field in table.schema)
print(json.dumps([tables, types], default=str))
"""


def from_parquet(place: Place) -> Stored:
    """Read all files of the bucket, in the order of the loads."""
    listing = requests.get(place.bucket, timeout=SECONDS).text
    entries = re.findall(r"<Key>([^<]+)</Key><LastModified>([^<]+)<", listing)
    paths = []
    for number, (key, _) in enumerate(sorted(entries, key=lambda entry: entry[1])):
        stream = key.split("/")[1]
        path = place.folder / f"{number:04}" / stream / "rows.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(requests.get(f"{place.bucket}/{key}", timeout=SECONDS).content)
        paths.append(str(path))
    tables, types = json.loads(run([str(TARGET_S3.python), "-c", _PARQUET, *paths]))
    return tables, types
