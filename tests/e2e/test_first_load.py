"""README's "First load with Meltano": its definition and its commands, as they stand there."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Sandbox
from tests.repository.docs import PLUGIN
from tests.support.documented import fenced, shell
from tests.support.loopback_hub import LOADER, PROJECT, serving
from tests.support.sizes import only_large
from tests.support.tap_process import SCRIPTS
from tests.support.warehouse import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.warehouse import Warehouse

pytestmark = pytest.mark.slow

SECTION = "First load with Meltano"
DUMP = "meltano --log-level=error invoke --dump=catalog tap-cube 2>/dev/null"
DETAILS = {"assignment_customer_details", "data_owner_customer_details"}


@only_large
def test_the_definition_loads_every_stream_and_details_when_told_to(
    tmp_path: Path, wheel: Path, with_own_caches: dict[str, str], warehouse: Warehouse
) -> None:
    """By the README's lines alone come all streams but details; a command selects those."""
    (definition,) = fenced("README.md", "yaml", SECTION)
    first, more = fenced("README.md", "sh", SECTION)
    project = tmp_path / "project"
    project.mkdir()
    environment = with_own_caches | {
        "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}",
        "TAP_CUBE_FLATTENING_ENABLED": "true",
        "TAP_CUBE_FLATTENING_MAX_DEPTH": "1",
    }
    with (
        serving(tmp_path / "hub", loaders=LOADER) as root,
        Sandbox(customers=3, outcomes=12) as cube,
    ):
        own = definition.replace(PLUGIN["pip_url"], str(wheel))
        (project / "meltano.yml").write_text(PROJECT.format(hub=root) + own)
        values = {"TAP_CUBE_API_URL": cube.url, "TAP_CUBE_AUTH_TOKEN": cube.token}
        for name, value in values.items():
            first, times = re.subn(rf"(?m)^export {name}=.*", f"export {name}='{value}'", first)
            assert times == 1
        shell(warehouse.put_into(first), project, environment)
        assert tables(warehouse) == {*TABLES}
        columns = warehouse.columns("tap_cube", "data_owner_customers")
        assert columns["unparsed_values"] in {"text", "character varying"}  # not flattened: jsonb
        dumped = shell(f"{more}{DUMP}", project, environment | values)
        _, _, catalog = dumped.rpartition("\n{\n")
        assert selected(json.loads(f"{{{catalog}")) == {*TABLES, *DETAILS}


def selected(catalog: Mapping[str, Any]) -> set[str]:
    """The streams that a catalog selects."""
    return {
        entry["tap_stream_id"]
        for entry in catalog["streams"]
        for part in entry["metadata"]
        if not part["breadcrumb"] and part["metadata"]["selected"]
    }


def tables(warehouse: Warehouse) -> set[str]:
    """The tables that hold rows."""
    found = warehouse.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'tap_cube'")
    names = {row["tablename"] for row in found}
    return {name for name in names if warehouse.count(f"tap_cube.{name}")}
