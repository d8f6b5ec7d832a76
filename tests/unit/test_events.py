"""Submissions have no id, so their keys are made of what stays the same about them (3.9)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_cube.records.rows import EventRow, SurrogateKeys, decode_as

Row = dict[str, Any]
REPORT_AS = "call_outcome__report_as__submitted"

ROW: Row = {
    "crm__customer_id": "000123",
    "crm__standard_info__name": "Kari Eksempel",
    "crm__standard_info__phone_1": "90000001",
    "crm__change_log__updated": "2024-05-01",
    "crm__custom_info__20": "Aktiv",
    "call_outcome__comment": "Ring igjen",
    f"{REPORT_AS}_by": "agent@example.com",
    f"{REPORT_AS}_in_team": "Default",
    f"{REPORT_AS}_when": "2024-05-02 10:27",
    f"{REPORT_AS}_when_timestamp": "2024-05-02T10:27:06.477+0200",
    "call_outcome__type": "Sale",
    "call_outcome__subtype": "Ja - Salg",
    "campaign__name": "Mersalg B2B",
    "campaign__crm_type": "B2B",
    "data_owner__name": "Fjordmedia AS",
    "segment__name": "Default segment",
    "product__code": "MPA",
    "product__price": 149.5,
}

PRESENT = (
    "crm__customer_id",
    "crm__standard_info__name",
    "crm__standard_info__phone_1",
    "crm__change_log__updated",
    "crm__custom_info__20",
    "call_outcome__comment",
    f"{REPORT_AS}_by",
    f"{REPORT_AS}_in_team",
    "segment__name",
    "product__price",
)
"""What may be different when the same submission is read again."""

LASTING = (
    f"{REPORT_AS}_when_timestamp",
    "call_outcome__type",
    "call_outcome__subtype",
    "product__code",
)
NAMES = ("campaign__name", "campaign__crm_type", "data_owner__name")

values = st.one_of(st.text(max_size=5), st.integers(0, 9), st.none(), st.booleans())


def text(**changes: object) -> bytes:
    """The sample row with some values changed."""
    return json.dumps({**ROW, **changes}, ensure_ascii=False).encode()


def event(**changes: object) -> EventRow:
    """The event of the sample row with some values changed."""
    return decode_as(text(**changes), EventRow)


def digest(campaign: int | None = 2, **changes: object) -> str:
    """What identifies the event of the sample row with some values changed."""
    return event(**changes).digest(campaign, text(**changes))


@given(
    changes=st.dictionaries(st.sampled_from(PRESENT), values),
    campaign=st.none() | st.integers(1, 9),
)
def test_a_digest_does_not_know_the_customer_nor_who_submitted(
    changes: Row, campaign: int | None
) -> None:
    """A customer that is anonymised and an outcome that is re-assigned keep the event's key."""
    assert digest(campaign, **changes) == digest(campaign)


@pytest.mark.parametrize("name", LASTING)
@given(value=values)
def test_a_digest_knows_time_type_and_product(name: str, value: object) -> None:
    """Submissions that differ in what lasts are different ones."""
    is_same = digest(2, **{name: value}) == digest(2)
    assert is_same is (value == ROW[name])


@given(value=st.text(min_size=1, max_size=20))
def test_a_digest_tells_texts_from_each_other(value: str) -> None:
    """Two values never run together into one."""
    one = digest(call_outcome__type=value, call_outcome__subtype="")
    other = digest(call_outcome__type="", call_outcome__subtype=value)
    assert one != other


@pytest.mark.parametrize("name", NAMES)
def test_a_campaign_counts_by_its_id_where_that_is_known(name: str) -> None:
    """A campaign that is renamed keeps its events' keys; without an id only names tell it."""
    assert digest(2, **{name: "Another"}) == digest(2) != digest(8)
    assert digest(None, **{name: "Another"}) != digest(None)


def test_spelling_of_the_row_does_not_matter() -> None:
    """The order of keys and the spaces between them are the server's affair."""
    turned = json.dumps(dict(reversed(ROW.items())), indent=2).encode()
    assert decode_as(turned, EventRow).digest(2, turned) == digest(2)


@pytest.mark.parametrize(
    ("row", "submitted"),
    [
        (ROW, "2024-05-02T10:27:06.477+0200"),
        ({**ROW, f"{REPORT_AS}_when_timestamp": ""}, "2024-05-02 10:27"),
        ({f"{REPORT_AS}_when": "2024-05-02 10:27"}, "2024-05-02 10:27"),
        ({"call_outcome__submitted_when": "2019-09-30 09:12"}, "2019-09-30 09:12"),
        ({}, None),
    ],
)
def test_the_finest_time_in_the_row_counts(row: Row, submitted: str | None) -> None:
    """Milliseconds since 2024, minutes before, another key in 2019."""
    assert decode_as(json.dumps(row).encode(), EventRow).submitted == submitted


def test_rows_without_a_time_differ_by_all_that_is_in_them() -> None:
    """With nothing that lasts to go by, no row melts into another one."""
    without: Row = {f"{REPORT_AS}_when": "", f"{REPORT_AS}_when_timestamp": ""}
    one, other = digest(**without), digest(**without, crm__customer_id="000124")
    assert one != other
    assert one == digest(**without)


@pytest.mark.parametrize(("value", "expected"), [("000123", "000123"), (971352, "971352")])
def test_a_customer_keeps_the_spelling_of_its_id(value: object, expected: str) -> None:
    """Leading zeros survive, and an id that came as a number is text."""
    assert event(crm__customer_id=value).customer_id == expected


def test_an_anonymised_customer_has_no_id() -> None:
    """An empty id (T40) joins no customer."""
    assert event(crm__customer_id="").customer_id is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3)), max_size=30))
def test_equal_submissions_are_numbered_from_one(rows: list[tuple[str, int]]) -> None:
    """No two have one key, and another sync of the same rows gives the same keys again."""
    given, others = SurrogateKeys(), SurrogateKeys()
    keys = [given.key_of(digest, mark, 0) for digest, mark in rows]
    assert len(set(keys)) == len(rows)
    assert keys == [others.key_of(digest, mark, 0) for digest, mark in rows]
    digests = [digest for digest, _ in rows]
    assert set(keys) == {f"{d}:{n + 1}" for d in set(digests) for n in range(digests.count(d))}


@given(st.lists(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 3)))))
def test_a_further_reading_gives_what_differs(readings: list[list[tuple[str, int]]]) -> None:
    """A key comes again only with another row, so that the last word on it is the last reading."""
    given = SurrogateKeys()
    last_words: dict[str | None, int] = {}
    for reading, rows in enumerate(readings):
        for digest, mark in rows:
            key = given.key_of(digest, mark, reading)
            if key is not None:
                assert last_words.get(key) != mark
                last_words[key] = mark
        others = SurrogateKeys()
        for digest, mark in rows:
            assert last_words[others.key_of(digest, mark, 0)] == mark
