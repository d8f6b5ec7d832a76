"""Submissions have no id: their keys are made of the attributes that do not change (3.9)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_cube.records.rows import EventRow, decode_as
from tap_cube.records.surrogates import EventKeys

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

CHANGING = (
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
"""Attributes that may differ when the same submission is read again."""

UNCHANGING = (
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
    """The digest of the sample row with some values changed."""
    return event(**changes).digest(campaign, text(**changes))


@given(
    changes=st.dictionaries(st.sampled_from(CHANGING), values),
    campaign=st.none() | st.integers(1, 9),
)
def test_a_digest_ignores_the_customer_and_the_agent(changes: Row, campaign: int | None) -> None:
    """Anonymising a customer or re-assigning an outcome keeps the event's key."""
    assert digest(campaign, **changes) == digest(campaign)


@pytest.mark.parametrize("name", UNCHANGING)
@given(value=values)
def test_a_digest_depends_on_time_type_and_product(name: str, value: object) -> None:
    """Submissions that differ in an unchanging attribute have different digests."""
    is_same = digest(2, **{name: value}) == digest(2)
    assert is_same is (value == ROW[name])


@given(value=st.text(min_size=1, max_size=20))
def test_a_digest_separates_its_values(value: str) -> None:
    """Two neighbouring values are never joined into one."""
    one = digest(call_outcome__type=value, call_outcome__subtype="")
    other = digest(call_outcome__type="", call_outcome__subtype=value)
    assert one != other


@pytest.mark.parametrize("name", NAMES)
def test_a_campaign_is_identified_by_its_id_if_known(name: str) -> None:
    """Renaming a campaign keeps its events' keys; without an id the names identify it."""
    assert digest(2, **{name: "Another"}) == digest(2) != digest(8)
    assert digest(None, **{name: "Another"}) != digest(None)


def test_a_digest_ignores_key_order_and_white_space() -> None:
    """The same row in another layout has the same digest."""
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
def test_the_most_exact_time_in_the_row_is_used(row: Row, submitted: str | None) -> None:
    """Rows have milliseconds since 2024, minutes before, and another key in 2019."""
    assert decode_as(json.dumps(row).encode(), EventRow).submitted == submitted


def test_a_row_without_a_time_is_identified_by_all_its_values() -> None:
    """Different rows without a time never share a key."""
    without: Row = {f"{REPORT_AS}_when": "", f"{REPORT_AS}_when_timestamp": ""}
    one, other = digest(**without), digest(**without, crm__customer_id="000124")
    assert one != other
    assert one == digest(**without)


@pytest.mark.parametrize(("value", "expected"), [("000123", "000123"), (971352, "971352")])
def test_a_customer_id_is_kept_as_sent(value: object, expected: str) -> None:
    """Leading zeros are kept, and a number becomes text."""
    assert event(crm__customer_id=value).customer_id == expected


def test_an_anonymised_customer_has_no_id() -> None:
    """An empty id (T40) joins no customer."""
    assert event(crm__customer_id="").customer_id is None


@given(st.lists(st.sampled_from("abc"), max_size=30))
def test_equal_submissions_are_numbered_from_one(digests: list[str]) -> None:
    """All keys differ, and another sync of the same rows gives the same keys."""
    given, others = EventKeys(), EventKeys()
    keys = [given.key_of(digest) for digest in digests]
    assert keys == [others.key_of(digest) for digest in digests]
    assert sorted(keys) == sorted(
        f"{d}:{n + 1}" for d in set(digests) for n in range(digests.count(d))
    )


def test_only_an_exact_time_makes_an_event_unique() -> None:
    """A customer has one event in a millisecond, but may have two in a minute."""
    when = "2020-02-12T10:27:06.477+0100"
    exact = EventRow(call_outcome__report_as__submitted_when_timestamp=when)
    minute = EventRow(call_outcome__report_as__submitted_when="2020-02-12 10:27")
    assert (exact.tie, minute.tie) == (None, "2020-02-12 10:27")
    assert EventRow(crm__customer_id="").identity is None
