"""The compiled path of records to stdout and the SDK's own path write the same messages."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tap_cube.streams.registry import RUN_LOG
from tests.support.any_rows import AnyRows, Row, accounts
from tests.support.batch_runs import into
from tests.support.batch_runs import rows as rows_of
from tests.support.in_process import run_in_process
from tests.support.runs import (
    CRM,
    CUSTOMERS,
    entry_of,
    logged,
    only,
    read_at,
    set_selected,
    unversioned,
)
from tests.support.sizes import scaled
from tests.support.strange_server import serving
from tests.support.ways import sdk_alone, watched

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.support.tap_process import TapRun

pytestmark = pytest.mark.slow

VERSIONS = re.compile(r',"(version|activated|loaded|emptied)":[0-9]+')
EXTRACTED = re.compile(r', ?"time_extracted": ?"[^"]+(Z|\+00:00)"}$', re.MULTILINE)
IDENTITY = {"stream_maps": {CUSTOMERS: {"crm_type": "crm_type"}}}
"""A stream map that changes nothing: its column is in every record."""


@pytest.fixture(scope="module")
def account() -> Iterator[AnyRows]:
    """Serve one account for all examples."""
    with serving(AnyRows()) as server:
        yield server


SCHEMA = '{"type":"SCHEMA",'


def messages(run: TapRun) -> list[object]:
    """The messages, with the order of names and the spelling of numbers, no times, no versions.

    One path declares a new column before its page, the other before its record, so only the last
    schema of each stream is compared.
    """
    timeless = VERSIONS.sub("", EXTRACTED.sub("}", run.stdout))
    lines = [line for line in timeless.split("\n")[:-1] if f'"{RUN_LOG}"' not in line]
    schemas = {json.loads(line)["stream"]: line for line in lines if SCHEMA in line}
    others = [line for line in lines if SCHEMA not in line]
    return [
        json.loads(line, object_pairs_hook=tuple, parse_float=str)
        for line in [*schemas.values(), *others]
    ]


def values_of(run: TapRun) -> list[str]:
    """The customers that were written, with sorted columns."""
    return [json.dumps(record, sort_keys=True) for record in run.records[CUSTOMERS]]


MANY = settings(max_examples=scaled(5, 30))
options = st.fixed_dictionaries(
    {"start_date": st.sampled_from([None, "2020-01-01"]),
     "custom_field_names": st.sampled_from(["original", "label"]),
     "read_ahead": st.sampled_from([0, 4])}
)  # fmt: skip


@MANY
@given(sent=accounts, chosen=options)
@example(sent=[({}, None), ({}, ""), ({}, ""), ({"ny nøkkel": 1}, None)] * 2, chosen={})
@example(sent=[({"crm__custom_info__2": v}, None) for v in ("1.0", "x", 7, None)], chosen={})
@example(sent=[({"crm__custom_info__6": float("nan")}, "")] * 4, chosen={})
@example(sent=[({"unparsed_values": ""}, None), ({"crm__custom_info__2": "x"}, None)], chosen={})
def test_both_paths_write_the_same_messages(
    account: AnyRows, sent: Sequence[tuple[Row, object]], chosen: dict[str, Any]
) -> None:
    """Records, schemas, states and warnings are equal on both paths."""
    account.replace_rows(sent)
    named = {name: value for name, value in chosen.items() if value is not None}
    wanted: dict[str, Any] = {**only(CRM), **named}
    with watched() as counts:
        compiled = read_at(account.url, **wanted)
    assert not counts[CUSTOMERS]
    with watched() as counts, sdk_alone():
        own = read_at(account.url, **wanted)
    assert counts[CUSTOMERS] == len(compiled.records[CUSTOMERS])
    assert messages(compiled) == messages(own)
    assert logged(compiled, "WARNING") == logged(own, "WARNING")
    assert compiled.returncode == own.returncode == 0, compiled.stderr
    with watched() as counts:
        mapped = read_at(account.url, **wanted, **IDENTITY)
    assert counts[CUSTOMERS] == len(compiled.records[CUSTOMERS])
    assert values_of(compiled) == values_of(mapped)
    assert unversioned(compiled.state) == unversioned(mapped.state)


AUTOMATIC = {"data_owner_id", "crm_type", "customer_id", "updated"}
selections = st.dictionaries(st.integers(0, 30), st.sampled_from(["deselected", "absent"]))


@settings(max_examples=scaled(3, 20))
@given(sent=accounts, changes=selections.filter(bool), label=st.booleans())
@example(
    sent=[({}, None)] * 3 + [({"ny": 1, "crm__custom_info__2": "x"}, None)], changes={}, label=False
)
def test_no_path_writes_what_is_not_selected(
    account: AnyRows,
    tmp_path_factory: pytest.TempPathFactory,
    sent: Sequence[tuple[Row, object]],
    changes: dict[int, str],
    label: bool,  # noqa: FBT001 - drawn
) -> None:
    """Whatever is selected: records have automatic and selected columns, the same on each path."""
    account.replace_rows(sent)
    wanted = {**only(CRM), "custom_field_names": "label" if label else "original"}
    config = {"api_url": account.url, "auth_token": "t", **wanted}
    catalog = run_in_process(config, extra_args=["--discover"]).catalog
    properties = entry_of(catalog)["schema"]["properties"]
    names = dict.fromkeys(properties)
    chosen = {[*names][place % len(names)]: change for place, change in changes.items()}
    for name, change in chosen.items():
        if change == "deselected":
            set_selected(entry_of(catalog), name, selected=False)
        else:
            properties.pop(name, None)
    deselected = {name for name, change in chosen.items() if change == "deselected"}
    expected = AUTOMATIC | (properties.keys() - deselected)
    compiled = read_at(account.url, catalog=catalog, **wanted)
    with sdk_alone():
        own = read_at(account.url, catalog=catalog, **wanted)
    assert messages(compiled) == messages(own)
    assert logged(compiled, "WARNING") == logged(own, "WARNING")
    files = into(tmp_path_factory.mktemp("batch"), compression=None)
    batched = read_at(account.url, catalog=catalog, **wanted, **files)
    mapped = read_at(account.url, catalog=catalog, **wanted, **IDENTITY)
    # Deselecting an automatic column means nothing, so the stream is still whole.
    if not names.keys() <= properties.keys() or deselected - AUTOMATIC:
        for run in (compiled, batched, mapped):
            declared = run.schemas[CUSTOMERS]["schema"]["properties"].keys()
            assert declared == expected
    for run in (batched, mapped):
        found = rows_of(run).get(CUSTOMERS, [])
        assert [record.keys() for record in found] == [
            record.keys() for record in compiled.records[CUSTOMERS]
        ]
    declared = compiled.schemas[CUSTOMERS]["schema"]["properties"].keys()
    assert all(record.keys() <= declared for record in compiled.records[CUSTOMERS])
