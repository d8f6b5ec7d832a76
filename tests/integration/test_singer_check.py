"""The checker of Singer messages: it must reject what targets cannot load."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.singer_check import SingerError, check

SCHEMA = {
    "type": "SCHEMA",
    "stream": "people",
    "key_properties": ["id"],
    "bookmark_properties": ["updated"],
    "schema": {
        "type": "object",
        "properties": {
            "id": {"type": ["integer"]},
            "updated": {"type": ["string", "null"], "format": "date"},
            "seen": {"type": ["string", "null"], "format": "date-time"},
        },
    },
}

NARROWER = {
    "type": "object",
    "properties": {"id": {"type": ["integer"]}, "updated": {"type": ["string", "null"]}},
}


ACTIVATE = {"type": "ACTIVATE_VERSION", "stream": "people", "version": 1}


def record(**values: Any) -> dict[str, Any]:  # noqa: ANN401 - any value, right or wrong
    """Make a valid RECORD message with the given values."""
    return {
        "type": "RECORD",
        "stream": "people",
        "time_extracted": "2024-05-17T08:00:00+00:00",
        "version": 1,
        "record": {"id": 1, "updated": "2024-05-01", **values},
    }


def state(day: str) -> dict[str, Any]:
    """Make a STATE message with one bookmark."""
    bookmark = {"replication_key": "updated", "replication_key_value": day}
    return {"type": "STATE", "value": {"bookmarks": {"people": bookmark}}}


def stream(*messages: object) -> str:
    """Write messages as lines of JSON."""
    return "".join(f"{json.dumps(message)}\n" for message in messages)


def test_valid_messages_pass() -> None:
    """The checker returns the messages."""
    seen = record(id=2, updated=None, seen="2024-05-01T10:00:00+02:00")
    messages = [SCHEMA, record(), seen, ACTIVATE, state("2024-05-01")]
    assert check(stream(*messages)) == messages


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (stream(record()), "before the SCHEMA"),
        (stream(SCHEMA, record(id=None)), "does not fit"),
        (stream(SCHEMA, record(id="1")), "does not fit"),
        (stream(SCHEMA, record(other=1)), "does not fit"),
        (stream(SCHEMA, record(updated="17.05.2024")), "does not fit"),
        (stream(SCHEMA, record(updated="2024-05-01T00:00:00Z")), "does not fit"),
        (stream(SCHEMA, record(seen="2024-05-01 10:00")), "does not fit"),
        (stream(SCHEMA, record(seen="2024-05-01T10:00:00+0200")), "does not fit"),
        (stream(SCHEMA, record(), record()), "repeats the key"),
        (stream({**SCHEMA, "key_properties": ["no"]}), "does not declare"),
        (stream({**SCHEMA, "key_properties": ["updated"]}), "nullable"),
        (stream({**SCHEMA, "key_properties": []}), "no key"),
        (stream(SCHEMA, {**SCHEMA, "schema": NARROWER}), "takes a property"),
        (stream(SCHEMA, state("2024-05-01")), "no record has reached"),
        (stream(SCHEMA, record(), state("2024-05-01"), state("2024-04-01")), "backwards"),
        (stream({"type": "STATE", "value": None}), "no object"),
        (stream({"type": "NOTE"}), "unknown type"),
        (stream(SCHEMA, {**record(), "version": None}), "no version"),
        (stream(SCHEMA, record(), {**record(id=2), "version": 2}), "another version"),
        (stream(SCHEMA, record(), {**ACTIVATE, "version": 2}), "another version"),
        (stream(SCHEMA, ACTIVATE, record()), "follows ACTIVATE_VERSION"),
        (stream(SCHEMA, record()) + "Done.\n", "no JSON"),
        (stream(SCHEMA).replace('"type": ["integer"]', '"minimum": NaN'), "no JSON"),
        (stream(SCHEMA).rstrip(), "middle of a line"),
    ],
)
def test_a_violated_rule_is_reported(text: str, complaint: str) -> None:
    """Each violation raises an error that describes it."""
    with pytest.raises(SingerError, match=complaint):
        check(text)


def test_a_bookmark_may_stay_the_same() -> None:
    """A state equal to the one before needs no record; an older one is rejected."""
    before = state("2024-05-01")["value"]
    assert check(stream(SCHEMA, state("2024-05-01")), before)
    with pytest.raises(SingerError, match="backwards"):
        check(stream(SCHEMA, state("2024-04-01")), before)


def test_keys_may_repeat_if_allowed() -> None:
    """With `may_repeat` a key can occur twice; all other rules still apply."""
    assert check(stream(SCHEMA, record(), record()), may_repeat=True)
    with pytest.raises(SingerError, match="no record has reached"):
        check(stream(SCHEMA, record(), record(), state("2024-05-02")), may_repeat=True)
