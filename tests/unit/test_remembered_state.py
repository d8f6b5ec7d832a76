"""The state's addresses, and those that can be told from bookmarks of earlier versions."""

from __future__ import annotations

from typing import Any

import pytest

from tap_cube.account import generations as api
from tap_cube.account.memory import Memory
from tap_cube.errors import CubeError
from tap_cube.settings import Settings

CAMPAIGN: dict[str, Any] = {"campaign__id": 8}
CRM: dict[str, Any] = {"data_owner_id": 2, "crm_type": "B2B"}
ASSIGNMENT: dict[str, Any] = {"assignment_id": 9}


def bookmark(*contexts: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """A stream's part of the state, with these partitions."""
    return {"partitions": [{"context": context} for context in contexts], **more}


def memory_of(**marks: dict[str, Any]) -> Memory:
    """What a state with these bookmarks remembers."""
    return Memory.of_state({"bookmarks": marks})


@pytest.mark.parametrize(
    ("mark", "rows", "must_answer"),
    [
        ({}, ["C9", "C8", "C7"], False),
        ({"endpoint": "C8"}, ["C8"], True),
        (bookmark(CAMPAIGN, endpoint="C8"), ["C8"], True),
        (bookmark(CAMPAIGN), ["C9"], True),
        (bookmark(CRM), ["C8"], True),
        (bookmark(CAMPAIGN, CRM), ["C9", "C8"], True),
        ({"replication_key_value": "2024-05-17"}, ["C7"], True),
        (bookmark({"segment_id": 1}), ["C9", "C8", "C7"], False),
    ],
)
def test_a_stream_is_looked_for_where_its_bookmarks_come_from(
    mark: dict[str, Any], rows: list[str], *, must_answer: bool
) -> None:
    """An endpoint that the state names is the only one; else the ids of its partitions decide."""
    expected = memory_of(call_outcomes=mark).expected("call_outcomes", api.CALL_OUTCOMES)
    assert [endpoint.row for endpoint in expected.endpoints] == rows
    assert expected.must_answer == must_answer


@pytest.mark.parametrize(
    ("marks", "settings", "is_certain"),
    [
        ({}, {}, False),
        ({"campaigns": {"endpoint": "C1"}}, {}, True),
        ({"campaigns": {}}, {}, False),
        ({"call_outcomes": bookmark(CAMPAIGN)}, {}, True),
        ({"data_owner_customers": bookmark(CRM)}, {}, True),
        (
            {"data_owner_customers": bookmark(CRM)},
            {"data_owners": [{"id": 2, "crm_types": ["B2B"]}]},
            False,
        ),
        ({"assignment_customers": bookmark(ASSIGNMENT)}, {}, True),
        ({"assignment_customers": bookmark(ASSIGNMENT)}, {"assignment_ids": [9]}, False),
        ({"data_owner_customers": bookmark(CRM, endpoint="C2")}, {}, False),
    ],
)
def test_campaigns_must_come_if_they_came_before(
    marks: dict[str, Any], settings: dict[str, Any], *, is_certain: bool
) -> None:
    """In a state without addresses, partitions that no setting names show that there were some."""
    config = {"api_url": "https://demo.example.org", "auth_token": "t", **settings}
    expected = memory_of(**marks).expected_campaigns(Settings.from_config(config))
    assert (expected.must_answer, expected.has_rows) == (is_certain, is_certain)


@pytest.mark.parametrize(
    ("mark", "rows", "certain"),
    [
        ({}, ["C4", "C4 with /crm/"], (False, False)),
        ({"definitions": {"data_owners/2/B2B": "C4"}}, ["C4"], (True, True)),
        ({"definitions": {"data_owners/2/B2C": "C4"}}, ["C4", "C4 with /crm/"], (False, False)),
        (
            bookmark({"source": "data_owners/2/B2B", **CRM}),
            ["C4", "C4 with /crm/"],
            (True, False),
        ),
    ],
)
def test_definitions_must_come_if_they_came_before(
    mark: dict[str, Any], rows: list[str], certain: tuple[bool, bool]
) -> None:
    """A state without addresses does not tell whether a list was empty."""
    memory = memory_of(custom_fields=mark)
    expected = memory.expected_definitions("data_owners/2/B2B", api.DATA_OWNER_DEFINITIONS)
    assert [endpoint.row for endpoint in expected.endpoints] == rows
    assert (expected.must_answer, expected.has_rows) == certain


@pytest.mark.parametrize(
    "mark",
    [
        {"endpoint": 9}, {"endpoint": None}, {"definitions": []}, {"definitions": {"a": 1}},
        {"names": ["ID"]}, {"names": {"ID": 1}}, {"types": []}, {"types": {"number": "a"}},
    ],
)  # fmt: skip
def test_an_address_of_another_type_is_damage(mark: dict[str, Any]) -> None:
    """The tap does not guess."""
    with pytest.raises(CubeError, match="The state of stream 'custom_fields' is damaged"):
        memory_of(custom_fields=mark)


def test_what_is_remembered_stands_beside_the_bookmarks() -> None:
    """Writing twice changes nothing, and nothing remembered writes nothing."""
    memory = memory_of(campaigns={"endpoint": "C1"}, custom_fields={"definitions": {"a": "C4"}})
    state: dict[str, Any] = {"bookmarks": {"call_outcomes": bookmark(CAMPAIGN)}}
    for _ in range(2):
        memory.write(state)  # type: ignore[arg-type]  # the SDK's own type of a state
        assert state["bookmarks"] == {
            "call_outcomes": bookmark(CAMPAIGN),
            "campaigns": {"endpoint": "C1"},
            "custom_fields": {"definitions": {"a": "C4"}},
        }
    empty: dict[str, Any] = {}
    Memory().write(empty)  # type: ignore[arg-type]
    assert empty == {}
