"""Damaged catalogs, states and settings: each run is right, or ends with sentences that say why."""

from __future__ import annotations

import json
import os
import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.in_process import run_in_process
from tests.support.mutations import mutated
from tests.support.runs import CRM, assert_no_secret, complaints, discover, only, settings_for, sync
from tests.support.singer_check import check
from tests.support.sizes import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cube_sandbox import Sandbox
    from tests.support.tap_process import TapRun

NUMBER = int(os.environ.get("TAP_CUBE_TEST_MUTATIONS", scaled(15, 75)))
"""Damaged inputs of each kind."""

FROM = random.Random().randrange(2**32)
"""The first seed; a failure names its own."""


OWN: dict[str, dict[str, Any]] = {
    "assignment_id": {"type": ["integer"]},
    "data_owner_id": {"type": ["integer"]},
    "crm_type": {"type": ["string"]},
    "customer_id": {"type": ["string"]},
    "source": {"type": ["string"]},
    "updated": {"type": ["string", "null"], "format": "date"},
}
"""Columns that the tap makes itself. They keep their types here."""


def judge(run: TapRun, cube: Sandbox) -> None:
    """A run is green with valid messages, or says in one line each what is wrong."""
    assert "Internal error" not in run.stderr
    assert "Traceback" not in run.stderr
    assert_no_secret(run, cube.token)
    if run.returncode:
        sentences = complaints(run)
        assert sentences
        assert all(sentence[-1] in ".?" and len(sentence) < 600 for sentence in sentences)
        return
    # The state may still hold bookmarks that were given, and that no record has reached.
    check("".join(f"{json.dumps(m)}\n" for m in run.messages if m["type"] != "STATE"))
    assert isinstance((run.state or {"bookmarks": {}})["bookmarks"], dict)


def inputs(cube: Sandbox, kind: str) -> dict[str, Any]:
    """A sound input of each kind."""
    settings = settings_for(cube, max_retries=0, **only(CRM))
    if kind == "catalog":
        return discover(cube, **only(CRM))
    if kind == "state":
        return dict(sync(cube, **only(CRM)).state or {})
    columns = {"email": None, "hash": "md5(customer_id)", "__filter__": "customer_id != '7'"}
    return {
        **settings,
        "assignment_ids": [9],
        "start_date": "2024-01-31",
        "stream_maps": {"data_owner_customers": columns, "campaigns": {"__alias__": "c"}},
        "stream_map_config": {"hash_seed": "x"},
        "faker_config": {"seed": 7, "locale": "no_NO"},
        "flattening_enabled": True,
        "flattening_max_depth": 1,
        "custom_field_names": "label",
    }


def damaged_copy(sound: dict[str, Any], seed: int) -> Any:  # noqa: ANN401 - any JSON
    """A damaged input that cannot reach another host."""
    damaged = mutated(sound, random.Random(seed))
    if "api_url" in sound and isinstance(damaged, dict):
        url = sound["api_url"]
        damaged["api_url"] = url if damaged.get("api_url") == url else "https://acme.invalid:0"
    for column, schema in columns_in(damaged):
        if isinstance(schema, dict) and column in OWN and "type" in schema:
            schema.pop("format", None)
            schema.update(OWN[column])
    return damaged


def columns_in(catalog: object) -> Iterator[tuple[str, object]]:
    """The columns of a damaged catalog, as far as it still has any."""
    streams = catalog.get("streams") if isinstance(catalog, dict) else None
    for entry in streams if isinstance(streams, list) else ():
        schema = entry.get("schema") if isinstance(entry, dict) else None
        columns = schema.get("properties") if isinstance(schema, dict) else None
        yield from columns.items() if isinstance(columns, dict) else ()


@pytest.mark.parametrize("kind", ["catalog", "state", "config"])
def test_a_damaged_input_never_ends_as_an_internal_error(cube: Sandbox, kind: str) -> None:
    """Parts are deleted, doubled, renamed, nested, moved, or have other types and values."""
    cube.reset(customers=3)
    sound = inputs(cube, kind)
    settings = settings_for(cube, max_retries=0, **only(CRM))
    for seed in range(FROM, FROM + NUMBER):
        damaged = damaged_copy(sound, seed)
        try:
            files = {"config": settings, kind: damaged}
            judge(run_in_process(**files), cube)
        except Exception as error:
            error.add_note(f"seed {seed}: {json.dumps(damaged)[:2000]}")
            raise
