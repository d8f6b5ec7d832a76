"""Names of columns: one for each key, which every target can make, and the same in every run."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_cube.account.columns import CustomColumns, StreamColumns
from tap_cube.account.custom_fields import CustomField, label_columns, readable_extra
from tap_cube.account.generations import PLAIN_FIELDS
from tap_cube.account.names import ColumnNames, folded, plain_name
from tests.support.definitions import CRM, OTHER_CRM, field

keys = st.text(max_size=70) | st.sampled_from(
    ["id", "ID", "Id", "a b", "a_b", "a-b", "å", "ctid", "cube_ctid", "CTID", "_sdc_x", "", " ",
     "%", "percent", "x" * 62, "x" * 63, "X" * 63, "x" * 64, "Fast 50 %", "Fast 50 percent", "1a",
     "_1a", "İ" * 31, "name", "Name", "custom__a_b", "custom__id", "call_outcome__extra__å",
     "call_outcome__extra__a", "call_outcome__extra__A"]
)  # fmt: skip


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("call_outcome__extra__Leveransedato", "call_outcome__extra__Leveransedato"),
        ("Antall år", "Antall år"),
        ("Fast ansatt over 50 %", "Fast ansatt over 50 percent"),
        ("a.b", "a_b"),
        ('"a"\\', "_a__"),
        ("a\x00b\x85c\u200bd\u2028", "a_b_c_d_"),
        ("  a b\t", "a b_"),
        (" \u00a0", "blank"),
        ("ctid", "cube_ctid"),
        ("oid", "oid"),
        ("_sdc_deleted_at", "cube__sdc_deleted_at"),
        ("-DLT_id", "cube_-DLT_id"),
        ("x" * 62, "x" * 62),
    ],
)
def test_a_key_keeps_its_name_where_targets_take_it(key: str, name: str) -> None:
    """Only what some target refuses is replaced."""
    assert plain_name(key) == name


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("call_outcome__extra__Studielån", "call_outcome__extra__studielan"),
        ("product__extra__Example date", "product__extra__example_date"),
        ("crm__extra__Lånebeløp_utbetalt_1320", "crm__extra__lanebelop_utbetalt_1320"),
        ("call_outcome__extra__%", "call_outcome__extra__%"),
        ("product__MPC", "product__MPC"),
        ("Antall år", "Antall år"),
    ],
)
def test_labels_of_extras_are_readable(key: str, name: str) -> None:
    """Only labels are transliterated, not other keys."""
    assert readable_extra(key) == name


@pytest.mark.parametrize("spell", [str, readable_extra])
@given(sent=st.lists(keys, unique=True), earlier=st.integers(0, 5))
def test_no_two_keys_share_a_column(spell: type[str], sent: list[str], earlier: int) -> None:
    """Not even for a target that ignores case and signs; neither order nor later keys matter."""
    remembered: dict[str, str] = {}
    first, second, reverse = (ColumnNames(of, spell) for of in (remembered, remembered, None))
    first.add(sent[:earlier])
    before = {key: first.of(key) for key in sent[:earlier]}
    for key in before:
        first.remember(key)
    second.recall()
    second.add(sent)
    anew = ColumnNames(spell=spell)
    anew.add(sent)
    reverse.add(sent[::-1])
    assert [anew.of(key) for key in sent] == [reverse.of(key) for key in sent]
    assert {key: second.of(key) for key in before} == before
    for names in (second, reverse):
        found = [names.of(key) for key in sent]
        assert len({*map(folded, found)}) == len(found)
        assert all(0 < len(name.encode()) <= 62 for name in found)


labels = st.text(max_size=20) | st.sampled_from(
    ["a b", "A-B", "id", "ID", "name", "Name", "x" * 63]
)
fields = st.lists(
    st.builds(
        lambda where, number, label: field(number, label, partition=where),
        st.sampled_from([CRM, OTHER_CRM]), st.integers(1, 5), labels,
    ),
    max_size=8,
    unique_by=lambda each: (each.partition, each.id),
)  # fmt: skip


@pytest.mark.parametrize("by_label", [False, True])
@pytest.mark.parametrize("is_readable", [False, True])
@given(
    defined=fields,
    others=st.lists(keys, max_size=8),
    partitions=st.sampled_from([(), (CRM,), (OTHER_CRM, CRM)]),
)
def test_no_two_keys_of_a_row_share_a_column(
    defined: list[CustomField],
    others: list[str],
    partitions: tuple[str, ...],
    *,
    by_label: bool,
    is_readable: bool,
) -> None:
    """Definitions, fixed fields, columns of the tap and keys that nothing names stay apart."""
    readable = label_columns(defined) if is_readable else {}
    custom = CustomColumns(defined, readable, by_label=by_label)
    own = {"data_owner_id": PLAIN_FIELDS["id"]}
    columns = StreamColumns("", own, PLAIN_FIELDS, ColumnNames(), custom, keys=others)
    sent = {*others, *custom.keys, *PLAIN_FIELDS, "data_owner_id", "unparsed_values"}
    found = [columns.column_of(key, partitions)[0] for key in sorted(sent)]
    alike = [folded(name) for name in (*found, "data_owner_id", "unparsed_values")]
    assert len({*alike}) == len(alike)
    assert all(re.fullmatch(r'[^."\\\x00-\x1f]{1,62}', name) for name in found)
