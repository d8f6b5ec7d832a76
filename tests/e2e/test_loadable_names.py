"""Keys that PostgreSQL or its targets would stumble over, loaded in each way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.batch_runs import into
from tests.support.pipe import load
from tests.support.runs import CRM, CUSTOMERS, only
from tests.support.sizes import only_large
from tests.support.strange_server import pages

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.warehouse import Warehouse

pytestmark = [pytest.mark.slow, only_large]

STRANGE = [
    "id", "ID", "Fast ansatt over 50 %", "Fast ansatt over 50 percent", "100 %", "%s", "%(a)s", "%",
    'a"b', "a.b", "a\\b", "a b", "a-b", "", " ", " b", "\x00", "a\nb", "\x85", "\u200b", "\ud800",
    "ctid", "XMIN", "tableoid", "oid", "_sdc_deleted_at", "_sdc_extracted_at", "_SDC_batched_at",
    "_dlt_id", "select", "primary", ":a", "$1", "{a}", "a'b", "a`b", "a[b]", "(a)", "a?", "a;b",
    "1a", "_1a", "æ", "å", "a\u030a", "日本", "😀", "x" * 62, "x" * 63, "X" * 63, "å" * 32,
    "data_owner_id", "Customer_ID", "unparsed_values", "Updated ", "İ" * 31,
]  # fmt: skip


@pytest.mark.parametrize("way", ["RECORD", "use_copy", "BATCH"])
def test_postgresql_takes_any_key(warehouse: Warehouse, tmp_path: Path, way: str) -> None:
    """Half of the columns are made with the table, half are added to it; no value is lost."""
    half = len(STRANGE) // 2
    config: dict[str, Any] = {"auth_token": "t", **only(CRM)}
    if way == "BATCH":
        config |= into(tmp_path)
    state = None
    for keys in (STRANGE[:half], STRANGE):
        row = {"crm__customer_id": "7", **{key: f"value {n}" for n, key in enumerate(keys)}}
        page = {"count": 1, "next": None, "results": [row]}
        with pages({1: page}.get) as server:
            done = load(
                {"api_url": server.url, **config},
                warehouse,
                state=state,
                target={"use_copy": way == "use_copy"},
            )
        assert (done.tap_returncode, done.target_returncode) == (0, 0), done.target_stderr
        state = done.state
        (loaded,) = warehouse.table(f"cube.{CUSTOMERS}")
        found = {value for value in loaded.values() if str(value).startswith("value ")}
        assert found == {value for key, value in row.items() if key != "crm__customer_id"}
        assert len(keys) == len(found)
