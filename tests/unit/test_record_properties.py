"""For any JSON value the record fits its schema and keeps the value."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import isfinite
from operator import eq
from typing import TYPE_CHECKING, Any

from hypothesis import example, given
from hypothesis import strategies as st

from tap_cube.records.codec import decode_row
from tap_cube.records.decoder import UNPARSED
from tests.support.columns import COLUMNS, OSLO, VALIDATOR, decoder, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KINDS = [kind for kind in COLUMNS if kind != UNPARSED]
YES = {"true", "yes", "ja", "1", "on"}
NO = {"false", "no", "nei", "0", "off"}

characters = st.characters(exclude_categories=["Cs"])
almost = st.one_of(
    st.from_regex(r"[ +-]?[0-9]{1,20}([.,][0-9]{1,20})?(e[0-9]{1,3})? ?", fullmatch=True),
    st.datetimes().map(datetime.isoformat),
    st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
    st.datetimes().map(lambda moment: moment.strftime("%Y-%m-%d %H:%M")),
    st.datetimes().map(lambda moment: moment.strftime("%d.%m.%Y")),
    st.datetimes().map(lambda moment: moment.strftime("%d.%m.%Y %H:%M")),
    st.from_regex(
        r"2020-1[0-9]-2[0-9]T[012][0-9]:30:00(\.[0-9]{3})?[+-][01][0-9]:?[0-9]{2}", fullmatch=True
    ),
    st.dates().map(date.isoformat),
    st.sampled_from([*YES, *NO, "", " ", "True", "JA", "5,92 år", "2020-W01-1", "T", "\u0663"]),
)
numbers = st.from_regex(
    r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,4})?", fullmatch=True
)
"""JSON numbers as text, since Python's floats would round them."""

leaves = st.one_of(
    numbers,
    st.none().map(json.dumps),
    st.booleans().map(json.dumps),
    almost.map(json.dumps),
    st.text(characters, max_size=30).map(json.dumps),
    st.text(characters, max_size=30).map(lambda text: json.dumps(text, ensure_ascii=False)),
)
json_texts = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: f"[{','.join(parts)}]")
        | st.dictionaries(st.text(characters, max_size=5).map(json.dumps), inner, max_size=3).map(
            lambda parts: f"{{{','.join(f'{key}:{value}' for key, value in parts.items())}}}"
        )
    ),
    max_leaves=5,
)


def is_same_text(sent: Any, arrived: str) -> bool:  # noqa: ANN401 - any JSON value
    """Whether a text column holds the text sent, or the JSON of a scalar."""
    if isinstance(sent, bool):
        return arrived == json.dumps(sent)
    return arrived == sent if isinstance(sent, str) else Decimal(arrived) == sent


def is_same_number(sent: Any, arrived: int | Decimal) -> bool:  # noqa: ANN401 - any JSON value
    """Whether a number is the one sent, possibly in a string."""
    return not isinstance(sent, bool) and Decimal(sent) == arrived


def is_same_boolean(sent: object, arrived: bool) -> bool:  # noqa: FBT001 - a JSON value
    """Whether a boolean is the one sent in any accepted spelling."""
    return str(sent).strip().casefold() in (YES if arrived else NO)


def is_same_date(sent: str, arrived: str) -> bool:
    """Whether a date is the one sent."""
    return date.fromisoformat(iso(sent)) == date.fromisoformat(arrived)


def is_same_moment(sent: str, arrived: str) -> bool:
    """Whether a time is the one sent, taken as local if it had no zone."""
    moment = datetime.fromisoformat(iso(sent))
    return since_epoch(datetime.fromisoformat(arrived)) == since_epoch(
        moment if moment.tzinfo else moment.replace(tzinfo=OSLO)
    )


def iso(text: str) -> str:
    """The same date with the year first."""
    return re.sub(r"^(\d\d)\.(\d\d)\.(\d{4})", r"\3-\2-\1", text.strip())


def since_epoch(moment: datetime) -> timedelta:
    """The time since the epoch, which is comparable between zones, also in the repeated hour."""
    return moment - datetime(1970, 1, 1, tzinfo=UTC)


IS_SAME: dict[str, Callable[[Any, Any], bool]] = {
    "string": is_same_text,
    "number": is_same_number,
    "integer": is_same_number,
    "boolean": is_same_boolean,
    "date": is_same_date,
    "date-time": is_same_moment,
    "object": eq,
    "array": eq,
}


def is_same(kind: str, sent: object, arrived: object) -> bool:
    """Whether a column's value is the one sent, apart from the documented normalisations."""
    if sent is None or (sent == "" and kind != "string"):
        return arrived is None
    return IS_SAME[kind](sent, arrived)


def numbers_of(value: Any) -> Iterator[float]:  # noqa: ANN401 - any JSON value
    """Yield the numbers in a value, as a reader with doubles has them."""
    if isinstance(value, int | float):
        yield float(value)
    inside = value.values() if isinstance(value, dict) else value
    for inner in inside if isinstance(value, dict | list) else ():
        yield from numbers_of(inner)


def is_kept(sent: Any, kept: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Whether a value is the one sent; a number that no double holds stands there as text."""
    if isinstance(sent, dict) and isinstance(kept, dict):
        return sent.keys() == kept.keys() and all(is_kept(sent[key], kept[key]) for key in sent)
    if isinstance(sent, list) and isinstance(kept, list):
        return len(sent) == len(kept) and all(map(is_kept, sent, kept))
    if isinstance(sent, int | Decimal) and isinstance(kept, str):
        return Decimal(kept) == sent and float(sent) in {0.0, float("inf"), float("-inf")}
    return isinstance(sent, bool) == isinstance(kept, bool) and bool(sent == kept)


@given(st.dictionaries(st.sampled_from(KINDS), json_texts, max_size=4))
@example({"date-time": '"0001-01-01T00:00:00+01:00:30"'})
@example({"date-time": '"2020-10-25 02:30"', "date": '"28.02.2015"'})
@example({"number": "1e9999", "integer": '"1e99"', "string": "1e-9999"})
@example({"number": "1e9999999", "integer": "1e9999999", "boolean": "1e9999999"})
@example(dict.fromkeys(KINDS, "1e99999999999999999999"))
@example(dict.fromkeys(KINDS, "9" * 60))
def test_nothing_is_lost_and_the_schema_holds(texts: dict[str, str]) -> None:
    """Any JSON value in a column of any type arrives in it or in `unparsed_values`."""
    body = ",".join(f"{json.dumps(kind)}:{text}" for kind, text in texts.items())
    row = decode_row(f"{{{body}}}".encode())
    typed = decoder()
    record = typed.decode(row)
    VALIDATOR.validate(record)
    assert all(map(isfinite, numbers_of(json.loads(record[UNPARSED] or "{}"))))
    unparsed = unpacked(record).get(UNPARSED, {})
    assert record.keys() == row.keys() | {UNPARSED}
    assert sum(typed.unparsed.values()) == len(unparsed)
    for kind, sent in row.items():
        if kind in unparsed:
            assert record[kind] is None
            assert is_kept(sent, unparsed[kind])
        else:
            assert is_same(kind, sent, record[kind]), (kind, sent, record[kind])


@given(st.text(characters))
def test_text_is_never_changed(text: str) -> None:
    """A text column holds exactly the text sent, whatever its JSON escapes."""
    for body in (json.dumps({"string": text}), json.dumps({"string": text}, ensure_ascii=False)):
        assert decoder().decode(decode_row(body.encode())) == {"string": text, UNPARSED: None}


@given(st.datetimes(timezones=st.timezones(), allow_imaginary=False))
def test_a_time_with_an_offset_stays_the_same_instant(moment: datetime) -> None:
    """The offset is dropped, but the instant is the one sent."""
    record = decoder().decode({"date-time": moment.isoformat()})
    VALIDATOR.validate(record)
    if record["date-time"] is not None:
        assert record["date-time"].endswith("+00:00")
        assert is_same_moment(moment.isoformat(), record["date-time"])
