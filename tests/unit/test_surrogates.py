"""The ids, dates and surrogate keys of rows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tap_cube.records.rows import CustomerRow, decode_as
from tap_cube.records.surrogates import content_digest, surrogate_key


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ({"crm__customer_id": "05029249275"}, "05029249275"),
        ({"crm__customer_id": 1006967}, "1006967"),
        ({"crm__customer_id": 999988887777000011112222}, "999988887777000011112222"),
        ({"customer_id": 793558}, "793558"),
        ({"external_customer_id": 999888}, "999888"),
        ({"external_customer_id": 3, "customer_id": 2, "crm__customer_id": "1"}, "1"),
        ({"external_customer_id": 3, "customer_id": 2, "crm__customer_id": ""}, "2"),
        ({"external_customer_id": 3, "customer_id": None}, "3"),
        ({"customer_id": 0}, "0"),
        ({"crm__customer_id": ""}, None),
        ({"id": 971352}, None),
        ({"customer_id": []}, None),
        ({"customer_id": {"a": 1}}, None),
        ({}, None),
    ],
)
def test_the_imported_id_is_text(row: dict[str, Any], key: str | None) -> None:
    """The first id of the three names is used as text, the internal id never (T41)."""
    assert decode_as(json.dumps(row).encode(), CustomerRow).customer_id == key


@pytest.mark.parametrize(
    ("row", "day"),
    [
        ({"updated": "2016-04-07"}, "2016-04-07"),
        ({"crm__change_log__updated": "2020-02-12"}, "2020-02-12"),
        ({"crm__last_updated": "2017-01-26 10:00"}, "2017-01-26"),
        ({"updated": "", "crm__last_updated": "2017-01-26"}, "2017-01-26"),
        ({"updated": "soon", "crm__last_updated": "2017-01-26"}, "2017-01-26"),
        ({"updated": "28.02.2015"}, "2015-02-28"),
        ({"updated": "2020-02-12T10:27:06.477+0100"}, "2020-02-12"),
        ({"crm__change_log__updated": ""}, None),
        ({"updated": 20200212}, None),
        ({"updated": ["2020-02-12"]}, None),
        ({"updated": "0000-00-00"}, None),
        ({}, None),
    ],
)
def test_the_day_of_the_last_change(row: dict[str, Any], day: str | None) -> None:
    """The first of the three names that holds a date is used; an anonymised row has none."""
    assert decode_as(json.dumps(row).encode(), CustomerRow).updated_on == day


def key(row: dict[str, Any], ordinal: int = 1) -> str:
    """The key of a row without an imported id."""
    text = json.dumps(row).encode()
    own = decode_as(text, CustomerRow).record_key
    return own or surrogate_key(content_digest(text), ordinal)


def test_equal_rows_are_numbered() -> None:
    """The keys of identical rows differ only in their number."""
    first, second, other = key({"a": "c"}), key({"a": "c"}, 2), key({"a": "b"})
    assert second == first.removesuffix(":1") + ":2"
    assert other not in {first, second}


def test_the_internal_id_is_preferred_to_the_content() -> None:
    """A row with Cube's internal id keeps its key when its content changes."""
    assert key({"id": 971352, "name": "Anonymized"}) == "id:971352"


@pytest.mark.parametrize("empty", ["", None, [], [1], {}])
def test_without_a_usable_id_the_content_is_the_key(empty: object) -> None:
    """Rows whose internal id is empty or no scalar have different keys."""
    first, second = key({"id": empty, "a": 1}), key({"id": empty, "a": 2})
    assert first != second
    assert first.startswith("surrogate:")


def test_the_order_of_json_keys_is_ignored() -> None:
    """A row with its JSON keys in another order, at any depth, is the same row (T51)."""
    assert key({"a": 1, "more_info_fields": {"b": 2, "c": [{"d": 3, "e": 4}]}}) == key(
        {"more_info_fields": {"c": [{"e": 4, "d": 3}], "b": 2}, "a": 1}
    )


@pytest.mark.parametrize("added", [{"crm__custom_info__8": ""}, {"crm__custom_info__8": None}])
def test_an_added_custom_field_changes_no_key(added: dict[str, Any]) -> None:
    """A field that an administrator adds is empty in the rows of before (B4)."""
    row = {"crm__customer_id": "", "name": "Anonymized", "price": 0, "is_active": False}
    assert key({**row, **added}) == key(row)
    assert key({**row, "price": ""}) != key(row)
