"""docs/targets.md: what a Parquet target writes into a bucket."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests

from cube_sandbox import Sandbox, Traps
from tests.support.documented import fenced, shell
from tests.support.judges import TARGET_S3, run
from tests.support.runs import CRM
from tests.support.singer_check import check
from tests.support.sizes import only_large
from tests.support.tap_process import SCRIPTS, SECONDS, TapRun, clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

pytestmark = pytest.mark.slow

PAGE = "docs/targets.md"
ARROW = {"integer": "int64", "number": "double", "boolean": "bool", "string": "string"}
DAY, MOMENT = "date32[day]", "timestamp[ms, tz=utc]"
READER = """
import json, sys, pyarrow.parquet as parquet
tables = [parquet.read_table(path) for path in sys.argv[1:]]
rows = [row for table in tables for row in table.to_pylist()]
types = {field.name: str(field.type) for table in tables for field in table.schema}
print(json.dumps([types, rows], default=str))
"""


@pytest.fixture
def cube() -> Iterator[Sandbox]:
    """An account with values that do not fit their types."""
    with Sandbox(customers=12, page_size=5, anonymised=1, traps=Traps(mistyped=0.1)) as sandbox:
        yield sandbox


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[str]:
    """The address of an empty bucket that speaks S3."""
    TARGET_S3.install()
    said = tmp_path / "moto.log"
    with (
        said.open("wb") as log,
        subprocess.Popen(  # noqa: S603 - our own command
            [TARGET_S3.program.with_name("moto_server"), "-H", "127.0.0.1", "-p", "0"],
            env=clean_environment(),
            stdout=log,
            stderr=log,
        ) as server,
    ):
        try:
            while not (found := re.search(r"http://127\.0\.0\.1:\d+", said.read_text())):
                with contextlib.suppress(subprocess.TimeoutExpired):
                    assert server.wait(0.1) is None, said.read_text()
            url = f"{found[0]}/cube"
            requests.put(url, timeout=SECONDS).raise_for_status()
            yield url
        finally:
            server.kill()


@only_large
def test_parquet_holds_values_and_types(cube: Sandbox, bucket: str, tmp_path: Path) -> None:
    """Two loads with a field added between them: all rows of both, each column in its own type."""
    first = read(cube, tmp_path)
    number = cube.account.add_definition(CRM, "Rabatt", type="number")
    cube.account.update_customer(CRM, cube.account.customer_ids(CRM)[-1], custom={number: "12.5"})
    second = read(cube, tmp_path, first.state)

    endpoint, name = bucket.rsplit("/", 1)
    settings = json.loads(fenced(PAGE, "json")[0])
    settings["cloud_provider"]["aws"] |= {
        "aws_bucket": name,
        "aws_endpoint_override": endpoint,
        "aws_access_key_id": "of nobody",
        "aws_secret_access_key": "of nothing",
    }
    (tmp_path / "s3.json").write_text(json.dumps(settings))
    for output in (first, second):
        TARGET_S3.hear(output.stdout, "--config", str(tmp_path / "s3.json"), cwd=tmp_path)
    for stream in second.schemas:
        # A column may be declared in one run alone, as it is met.
        properties: dict[str, Any] = {}
        for output in (first, second):
            properties |= output.schemas[stream]["schema"]["properties"]
        held, rows = parquet(bucket, stream, tmp_path)
        assert held == {key: arrow_type(schema) for key, schema in properties.items()}
        sent = [record for output in (first, second) for record in output.records[stream]]
        assert plain(rows, held) == plain(sent, held)


def read(cube: Sandbox, folder: Path, state: Mapping[str, Any] | None = None) -> TapRun:
    """A run of the tap as the page's variables set it up, from a state if there is one."""
    (folder / "state.json").write_text(json.dumps(state or {}))
    shell(
        f"{fenced(PAGE, 'sh')[0]}tap-cube --config=ENV --state=state.json > output",
        folder,
        clean_environment()
        | {
            "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}",
            "TAP_CUBE_API_URL": cube.url,
            "TAP_CUBE_AUTH_TOKEN": cube.token,
        },
    )
    output = TapRun(0, (folder / "output").read_text("utf-8"), "")
    check(output.stdout, before=state)
    return output


def parquet(bucket: str, stream: str, folder: Path) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """The type of each column and the rows of a stream, of all its files."""
    listing = requests.get(bucket, params={"prefix": f"cube/{stream}/"}, timeout=SECONDS).text
    paths = []
    for number, key in enumerate(re.findall(r"<Key>([^<]+)</Key>", listing)):
        paths.append(folder / f"{stream}-{number}.parquet")
        paths[-1].write_bytes(requests.get(f"{bucket}/{key}", timeout=SECONDS).content)
    python = TARGET_S3.program.with_name("python")
    types, rows = json.loads(run([str(python), "-c", READER, *map(str, paths)]))
    return types, rows


def arrow_type(schema: Mapping[str, Any]) -> str:
    """What a column of this JSON Schema is in a file."""
    by_format = {"date": DAY, "date-time": MOMENT}
    (kind,) = {*schema["type"]} - {"null"} if isinstance(schema["type"], list) else {schema["type"]}
    return by_format.get(schema.get("format", ""), ARROW[kind])


def plain(rows: list[dict[str, Any]], types: Mapping[str, str]) -> Counter[object]:
    """The rows in any order, without what is null, times being the seconds they tell."""
    return Counter(
        frozenset(
            (key, second_of(value) if types[key] == MOMENT else value)
            for key, value in row.items()
            if value is not None
        )
        for row in rows
    )


def second_of(text: str) -> datetime:
    """The moment that a text tells, as exactly as the target keeps it."""
    return datetime.fromisoformat(text).replace(microsecond=0)
