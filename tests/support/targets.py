"""The targets of docs/targets.md: how each is set up, and what it stores differently."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from tests.repository.docs import ROOT
from tests.support import stored
from tests.support.documented import fenced
from tests.support.judges import (
    DLT,
    TARGET_CSV,
    TARGET_DUCKDB,
    TARGET_JSONL,
    TARGET_POSTGRES_PIPELINEWISE,
    TARGET_S3,
    TARGET_SQLITE,
)
from tests.support.stored import SCHEMA
from tests.support.tap_process import SCRIPTS
from tests.support.target import Target, folded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.stored import Place

POSTGRES = {
    "text": "text",
    "number": "numeric",
    "integer": "bigint",
    "boolean": "boolean",
    "date": "date",
    "datetime": "timestamp without time zone",
}


RECOMMENDED = (
    "load_method", "use_copy", "sanitize_null_text_characters", "hard_delete", "validate_records",
)  # fmt: skip
"""The loader's settings that differ from its defaults."""


def recommended() -> dict[str, object]:
    """The settings of the loader that `meltano.yml` gives.

    Raises:
        KeyError: A setting has no value there.
    """
    plugins = yaml.safe_load((ROOT / "meltano.yml").read_text("utf-8"))["plugins"]
    (loader,) = (each for each in plugins["loaders"] if each["name"] == "target-postgres")
    values = {each["name"]: each.get("value") for each in loader["settings"]}
    return {name: values[name] for name in RECOMMENDED}


def without_nul(text: str) -> str:
    """What `sanitize_null_text_characters` makes of a text."""
    return text.replace("\0", "\ufffd")


def in_postgres(**settings: object) -> Callable[[Place], Mapping[str, Any]]:
    """Settings of target-postgres; the session sees times in UTC, whatever the database's zone."""
    return lambda place: {
        "sqlalchemy_url": place.warehouse.utc_url,
        "default_target_schema": SCHEMA,
        "load_method": "upsert",
        "sanitize_null_text_characters": True,
        **settings,
    }


def by_pipelinewise(place: Place) -> Mapping[str, Any]:
    """Settings of pipelinewise-target-postgres."""
    database = place.warehouse.database
    return {
        "host": database.host,
        "port": database.port,
        "user": database.user,
        "password": database.password,
        "dbname": database.database,
        "default_target_schema": SCHEMA,
    }


def in_bucket(place: Place) -> Mapping[str, Any]:
    """Settings of target-s3 as docs/targets.md has them, and the address of our bucket."""
    settings: dict[str, Any] = json.loads(fenced("docs/targets.md", "json", "Parquet")[0])
    endpoint, name = place.bucket.rsplit("/", 1)
    settings["cloud_provider"]["aws"] |= {
        "aws_bucket": name,
        "aws_endpoint_override": endpoint,
        "aws_access_key_id": "of nobody",
        "aws_secret_access_key": "of nothing",
    }
    return settings


TARGETS = [
    Target(
        "target-postgres",
        SCRIPTS / "target-postgres",
        in_postgres(),
        stored.from_postgres,
        POSTGRES,
        text=without_nul,
    ),
    Target(
        "target-postgres, use_copy",
        SCRIPTS / "target-postgres",
        in_postgres(use_copy=True, validate_records=False),
        stored.from_postgres,
        POSTGRES,
        text=without_nul,
    ),
    Target(
        "target-postgres, BATCH",
        SCRIPTS / "target-postgres",
        in_postgres(use_copy=True, validate_records=False),
        stored.from_postgres,
        POSTGRES,
        text=without_nul,
        wants_files=True,
    ),
    Target(
        "pipelinewise-target-postgres",
        TARGET_POSTGRES_PIPELINEWISE.program,
        by_pipelinewise,
        stored.from_postgres,
        {
            **POSTGRES,
            "text": "character varying",
            "number": "double precision",
            "integer": "numeric",
            "date": "character varying",
        },
        fold=str.lower,
        text=lambda text: text.translate(
            {0: r"\u0000", ord("\n"): r"\n", ord("\r"): r"\r", ord("\t"): r"\t"}
        ),
        keeps_empty_text=False,
    ),
    Target(
        "target-sqlite",
        TARGET_SQLITE.program,
        lambda _: {"database": SCHEMA},
        stored.from_sqlite,
        {
            "text": "VARCHAR or TEXT",  # the latter in columns that were added
            "number": "FLOAT or REAL",
            "integer": "BIGINT or INTEGER",
            "boolean": "BOOLEAN or INTEGER",
            "date": "VARCHAR or TEXT",
            "datetime": "VARCHAR or TEXT",
        },
        fold=folded,
    ),
    Target(
        "target-duckdb",
        TARGET_DUCKDB.program,
        lambda _: {"path": "tables.duckdb", "default_target_schema": SCHEMA},
        stored.from_target_duckdb,
        {
            "text": "VARCHAR",
            "number": "DOUBLE",
            "integer": "HUGEINT",
            "boolean": "BOOLEAN",
            "date": "VARCHAR",
            "datetime": "TIMESTAMP",
        },
        fold=str.lower,
        keeps_empty_text=False,
    ),
    Target(
        "target-csv",
        TARGET_CSV.program,
        lambda place: {"output_path": place.folder_of_load},
        stored.from_csv,
        keeps_empty_text=False,
        appends=True,
    ),
    Target(
        "target-jsonl",
        TARGET_JSONL.program,
        lambda _: {"destination_path": ".", "do_timestamp_file": False},
        stored.from_json_lines,
        appends=True,
    ),
    Target(
        "target-s3",
        TARGET_S3.program,
        in_bucket,
        stored.from_parquet,
        {
            "text": "string",
            "number": "double",
            "integer": "int64",
            "boolean": "bool",
            "date": "date32[day]",
            "datetime": "timestamp[ms, tz=utc]",
        },
        keeps_fractions=False,
        appends=True,
    ),
    Target(
        "dlt",
        DLT.program,
        lambda _: {},
        stored.from_dlt,
        {
            "text": "VARCHAR",
            "number": "DOUBLE",
            "integer": "BIGINT",
            "boolean": "BOOLEAN",
            "date": "DATE",
            "datetime": "TIMESTAMP WITH TIME ZONE",
        },
        arguments=(str(ROOT / "examples" / "load_with_dlt.py"),),
        fold=folded,
        text=lambda text: text.replace("\0", ""),
    ),
]
