"""Labels of custom fields become names of columns: readable, short and unique."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tap_cube.account.custom_fields import CustomField, label_column, label_columns
from tests.support.definitions import CRM, OTHER_CRM, field

COLUMN = re.compile(r"custom__[a-z0-9_]*")
LONGEST_IN_POSTGRESQL = 63


@pytest.mark.parametrize(
    ("label", "column"),
    [
        ("Antall år", "custom__antall_ar"),
        ("Antall a\u030ar", "custom__antall_ar"),
        ("ÆØÅ", "custom__aeoa"),
        ("Pris på dagens avtale", "custom__pris_pa_dagens_avtale"),
        ("Größe (Straße)", "custom__grosse_strasse"),
        ("Имя", "custom__imya"),
        ("名前", "custom__mingqian"),
        ("😀", "custom__grinning"),
        ("Fast ansatt over 50 %", "custom__fast_ansatt_over_50"),
        ("aeaer-aeraer", "custom__aeaer_aeraer"),
        ("ID", "custom__id"),
        ("  __Two__  words__ ", "custom__two_words"),
        ("12345", "custom__12345"),
        ("line\nbreak\u2028here\x00", "custom__line_break_here"),
        ("", "custom__"),
        (" % ", "custom__"),
    ],
)
def test_labels_become_readable_names(label: str, column: str) -> None:
    """A name is lower-case ASCII with single underscores between words (T46 to T48)."""
    assert label_column(label) == column


def test_long_labels_are_truncated() -> None:
    """A label of 300 characters gives a name that PostgreSQL does not cut, with and without id."""
    long = [field(1324, "Lang " * 60), field(1325, "Lang " * 60 + "!")]
    names = set(label_columns(long).values())
    assert len(names) == 2
    assert all(len(name) <= LONGEST_IN_POSTGRESQL for name in names)
    assert {name[-6:] for name in names} == {"__1324", "__1325"}


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ({(CRM, 1): "Navn", (CRM, 2): "Alder"}, ["custom__navn", "custom__alder"]),
        ({(CRM, 1): "Navn", (CRM, 2): "Navn"}, ["custom__navn__1", "custom__navn__2"]),
        ({(CRM, 1): "Navn", (CRM, 2): "navn!"}, ["custom__navn__1", "custom__navn__2"]),
        ({(CRM, 1): "Navn", (OTHER_CRM, 9): "Navn"}, ["custom__navn", "custom__navn"]),
        ({(CRM, 1): "Navn", (OTHER_CRM, 9): "NAVN"}, ["custom__navn__1", "custom__navn__9"]),
        (
            {(CRM, 1): "X", (CRM, 2): "X", (OTHER_CRM, 3): "X"},
            ["custom__x__1", "custom__x__2", "custom__x__3"],
        ),
        ({(CRM, 1): "X", (CRM, 2): "X", (CRM, 3): "X 1"},
         ["custom__x__1", "custom__x__2", "custom__x_1"]),
        ({(CRM, 1): "å", (OTHER_CRM, 1): "a", ("assignments/9", 1): "å"},
         ["custom__a__1_66d94894", "custom__a__1", "custom__a__1_66d94894"]),
    ],
)  # fmt: skip
def test_labels_with_the_same_name_get_their_ids(
    labels: dict[tuple[str, int], str], names: list[str]
) -> None:
    """The same label in several CRMs is one column; different labels never share one."""
    fields = [field(id_, label, partition=partition) for (partition, id_), label in labels.items()]
    assert list(label_columns(fields).values()) == names


labels = st.one_of(
    st.sampled_from(["", "5", "6", "x", "X", "x 5", "x__5", "å", "a", "%", "L" * 60, "l" * 61]),
    st.text(max_size=80),
)
definitions = st.lists(
    st.builds(
        lambda partition, id_, label: field(id_, label, partition=partition),
        st.sampled_from([CRM, OTHER_CRM, "assignments/9"]),
        st.sampled_from([1, 5, 6, 64]) | st.integers(0, 2**31),
        labels,
    ),
    max_size=8,
    unique_by=lambda f: (f.partition, f.id),
)


@given(definitions, st.randoms(use_true_random=False))
@example([field(5, ""), field(6, "5")], None)
@example([field(1324, "x" * 60), field(1325, "x" * 61)], None)
def test_names_are_unique_short_and_the_same_in_any_order(
    fields: list[CustomField],
    random: Any,  # noqa: ANN401 - Hypothesis' own Random
) -> None:
    """No two labels share a column, and no two fields of a partition, in any order.

    The column of a field depends on the other fields: if a new label gives the same name, both
    fields get their ids.
    """
    names = label_columns(fields)
    shuffled = list(fields)
    if random:
        random.shuffle(shuffled)
    assert label_columns(shuffled) == names
    assert set(names) == {(f.partition, f.id) for f in fields}
    assert len({(partition, name) for (partition, _), name in names.items()}) == len(fields)
    labels = {(names[f.partition, f.id], f.label) for f in fields}
    assert len(labels) == len(set(names.values()))
    for name in names.values():
        assert COLUMN.fullmatch(name)
        assert len(name.encode()) <= LONGEST_IN_POSTGRESQL


@given(labels)
def test_a_single_field_is_named_by_its_label(label: str) -> None:
    """Neither partition nor id changes the name if no other label gives the same name."""
    if label_column(label) != "custom__":
        (name,) = label_columns([field(7, label, partition=OTHER_CRM)]).values()
        assert name == label_column(label)
