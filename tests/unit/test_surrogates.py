"""The ids, dates and surrogate keys of rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tap_cube.records.rows import CustomerRow, SurrogateKeys, decode_as, surrogate_key

if TYPE_CHECKING:
    from collections.abc import Iterable


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


def keys(
    rows: Iterable[dict[str, Any]], given: SurrogateKeys | None = None, pass_number: int = 0
) -> list[str | None]:
    """The keys of the rows of one pass."""
    given = given or SurrogateKeys()
    return [surrogate_key(json.dumps(row).encode(), given, pass_number) for row in rows]


def test_equal_rows_are_numbered() -> None:
    """The keys of identical rows differ only in their number."""
    first, second, other = keys([{"a": ""}, {"a": ""}, {"a": "b"}])
    assert first is not None
    assert second == first.removesuffix(":1") + ":2"
    assert other not in {first, second}


def test_the_internal_id_is_preferred_to_the_content() -> None:
    """A row with Cube's internal id keeps its key when its content changes."""
    assert keys([{"id": 971352, "name": "Anonymized"}, {"id": 971352, "name": ""}]) == [
        "id:971352",
        "id:971352",
    ]


@pytest.mark.parametrize("empty", ["", None, [], [1], {}])
def test_without_a_usable_id_the_content_is_the_key(empty: object) -> None:
    """Rows whose internal id is empty or no scalar have different keys."""
    first, second = keys([{"id": empty, "a": 1}, {"id": empty, "a": 2}])
    assert first != second
    assert str(first).startswith("surrogate:")


def test_the_order_of_json_keys_is_ignored() -> None:
    """A row with its JSON keys in another order, at any depth, is the same row (T51)."""
    assert keys([{"a": 1, "more_info_fields": {"b": 2, "c": [{"d": 3, "e": 4}]}}]) == keys(
        [{"more_info_fields": {"c": [{"e": 4, "d": 3}], "b": 2}, "a": 1}]
    )


values = st.recursive(
    st.sampled_from(["", "a", None, True, 0, 1, 5.5, 10**25]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xy"), inner, max_size=2)
    ),
    max_leaves=3,
)
rows_without_id = st.lists(st.dictionaries(st.sampled_from("ab"), values, max_size=2), max_size=7)


@given(rows_without_id, st.randoms(use_true_random=False))
def test_the_same_rows_have_the_same_keys(rows: list[dict[str, Any]], random: Any) -> None:  # noqa: ANN401 - Hypothesis' own Random
    """Any order gives the same keys, one per row, none of them like an imported id."""
    shuffled = random.sample(rows, len(rows))
    made = keys(rows)
    assert set(keys(shuffled)) == set(made)
    assert len(set(made)) == len(rows)
    assert all(key and not key.isdigit() for key in made)


@given(rows_without_id, rows_without_id, st.randoms(use_true_random=False))
@example([{"a": ""}], [{"a": ""}], None)
def test_a_further_pass_emits_only_new_rows(
    rows: list[dict[str, Any]],
    added: list[dict[str, Any]],
    random: Any,  # noqa: ANN401 - Hypothesis' own Random
) -> None:
    """Rows read again in any order have no key; rows added since have one."""
    given = SurrogateKeys()
    first = keys(rows, given)
    together = [*rows, *added]
    if random:
        random.shuffle(together)
    second = [key for key in keys(together, given, 1) if key]
    assert len(second) == len(added)
    assert {*first, *second} == set(keys(together))
    assert not any(keys(together, given, 2))
    assert all(keys(together[:1], given, 2)) or not together
