"""Every record fits the SCHEMA before it, whatever the account sends and the user maps.

So a target may leave its own check out: `validate_records: false` of docs/targets.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from singer_sdk.singerlib.json import deserialize_json
from singer_sdk.sinks.core import JSONSchemaValidator

from tests.support.any_rows import AnyRows, Row, accounts
from tests.support.record_check import FORMATS
from tests.support.runs import CRM, CUSTOMERS, only, read_at
from tests.support.sizes import scaled
from tests.support.strange_server import serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

pytestmark = pytest.mark.slow

CUSTOMS = [f"crm__custom_info__{number}" for number in range(1, 7)]
"""A custom field of each type."""

EXPRESSIONS = [
    "None", "''", "'text'", "7", "-1.5", "1e400", "True", "'2020-02-12'", "[1, 'a', None]",
    "{'a': 1, 'b': {'c': [2]}}", "record", "self", "updated", "unparsed_values", *CUSTOMS,
    "data_owner_id / 3", "str(data_owner_id)", "int(data_owner_id)", "float(customer_id)",
    "bool(updated)", "json.dumps(record)", "sha256(crm_type)", "datetime.date.today()",
    "datetime.datetime.now()", "datetime.datetime(2024, 5, 17)", "config['any']",
]  # fmt: skip
"""Results of each kind, with and without a type that the SDK guesses."""

columns = st.sampled_from(
    ["new", "new", "updated", "customer_id", "data_owner_id", "crm_type", "unparsed_values",
     "crm__standard_info__name", "crm__custom_info__99", *CUSTOMS]
)  # fmt: skip
expressions = st.sampled_from(["__NULL__", "__NULL__", *EXPRESSIONS])
stream_maps = st.builds(
    dict[str, object],
    st.dictionaries(columns, expressions, max_size=4),
) | st.builds(
    lambda own, options: {**own, **options},
    st.dictionaries(columns, expressions, max_size=4),
    st.sampled_from(
        [{"__else__": None}, {"__filter__": "customer_id != '01'"}, {"__alias__": "people"},
         {"__source__": CUSTOMERS}, {"__key_properties__": ["customer_id"]},
         {"__else__": "__NULL__", "__key_properties__": ["updated"]}]
    ),
)  # fmt: skip
flattening: st.SearchStrategy[dict[str, object]] = st.just({}) | st.fixed_dictionaries(
    {"flattening_enabled": st.sampled_from([True]), "flattening_max_depth": st.integers(0, 3)},
    optional={
        "flattening_separator": st.sampled_from(["_", "."]),
        "flattening_max_key_length": st.sampled_from([10, 20]),
    },
)


@pytest.fixture(scope="module")
def account() -> Iterator[AnyRows]:
    """Serve one account for all examples."""
    with serving(AnyRows()) as server:
        yield server


@settings(max_examples=scaled(10, 20))
@given(sent=accounts, mapped=st.none() | stream_maps, flat=flattening, label=st.booleans())
@example(sent=[({}, None)], mapped={"updated": "__NULL__"}, flat={}, label=False)
@example(
    sent=[({}, None)],
    mapped={"crm_type": "int(data_owner_id)", "new": "record"},
    flat={},
    label=False,
)
@example(
    sent=[({}, None)],
    mapped=None,
    flat={"flattening_enabled": True, "flattening_max_depth": 1, "flattening_max_key_length": 10},
    label=False,
)
def test_every_record_fits_its_schema(
    account: AnyRows,
    sent: Sequence[tuple[Row, object]],
    mapped: dict[str, object] | None,
    flat: dict[str, object],
    label: bool,  # noqa: FBT001 - drawn
) -> None:
    """A run that ends well or with one sentence has written records that the SDK's check takes."""
    account.replace_rows(sent)
    name = "copy" if "__source__" in (mapped or {}) else CUSTOMERS
    maps = {} if mapped is None else {"stream_maps": {name: mapped}}
    config: dict[str, Any] = {"stream_map_config": {"any": [1.5, {"a": True}]}, **maps, **flat}
    names = "label" if label else "original"
    run = read_at(account.url, **only(CRM), **config, custom_field_names=names)
    assert "Internal error" not in run.stderr
    assert (run.returncode == 0) or mapped or flat
    assert_valid(run.stdout)


def assert_valid(stdout: str) -> None:
    """Check each record as a target of the SDK does, and by the formats of texts too."""
    validators: dict[str, JSONSchemaValidator] = {}
    keys: dict[str, set[str]] = {}
    for message in map(deserialize_json, stdout.split("\n")[:-1]):
        if message["type"] == "SCHEMA":
            named = [*message["key_properties"], *(message.get("bookmark_properties") or [])]
            assert set(named) <= message["schema"]["properties"].keys()
            stream = message["stream"]
            validators[stream] = validator_of(message["schema"])
            keys[stream] = set(message["key_properties"])
        elif message["type"] == "RECORD":
            stream = message["stream"]
            validators[stream].validate(message["record"])
            assert keys[stream] <= message["record"].keys()
            assert message["record"].keys() <= validators[stream].schema["properties"].keys()


def validator_of(schema: dict[str, Any]) -> JSONSchemaValidator:
    """The SDK's own check of records."""
    return JSONSchemaValidator(schema, validate_formats=True, format_checker=FORMATS)
