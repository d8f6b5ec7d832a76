"""Each invalid setting gives one sentence; valid settings get their types."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from singer_sdk.exceptions import ConfigValidationError

from tap_cube.settings import Settings, typed
from tap_cube.settings_schema import SCHEMA

MARK = "marked-7f3c"
ADDRESS = "https://acme.headshed.com"
VALID: dict[str, Any] = {"api_url": ADDRESS, "auth_token": MARK}
BASIC: dict[str, Any] = {"api_url": ADDRESS, "username": "ola@example.com", "password": MARK}

NO_CREDENTIAL = "No credential: give 'auth_token', or 'username' and 'password'."
TWO_CREDENTIALS = (
    "Two kinds of credential: give either 'auth_token' or 'username' with 'password', "
    "and remove the other."
)
TOKEN_ALONE = "Setting 'auth_token' must be the token alone, without spaces, quotes or line breaks."  # noqa: S105 - a sentence
NO_DATE = "Setting 'start_date' must be a date or date-time, such as 2024-01-31T00:00:00Z."
NO_ZONE = "Setting 'timezone' must be an IANA zone name, such as Europe/Oslo."
AHEAD = "Setting 'read_ahead' must be an integer from 0 to 16, not"
TIMEOUT = "Setting 'request_timeout' must be an integer from 1 to 3600, not"
NO_AGENT = "Setting 'user_agent' must be one line of ASCII characters."
NO_IDS = "Setting 'assignment_ids' must be a list of integers, such as [9, 12]."
NO_OWNERS = (
    'Setting \'data_owners\' must be a list such as [{"id": 2, "crm_types": ["B2B"]}], '
    'each CRM type "B2B" or "B2C".'
)


def refused(config: dict[str, Any]) -> list[str]:
    """The errors of a config; [] if it is accepted."""
    try:
        Settings.from_config(config)
    except ConfigValidationError as error:
        return error.errors
    return []


def missing(*names: str) -> dict[str, Any]:
    """A valid config with a token, without some of its settings."""
    return {name: value for name, value in VALID.items() if name not in names}


@pytest.mark.parametrize(
    ("config", "sentences"),
    [
        (
            missing("api_url"),
            ["Setting 'api_url' is missing: give the API URL of the Cube account."],
        ),
        (
            VALID | {"api_url": ""},
            ["Setting 'api_url' is missing: give the API URL of the Cube account."],
        ),
        (VALID | {"api_url": 7}, ["Setting 'api_url' must be of type string"]),
        (missing("auth_token"), [NO_CREDENTIAL]),
        (VALID | {"auth_token": ""}, [NO_CREDENTIAL]),
        (VALID | {"auth_token": None}, [NO_CREDENTIAL]),
        (VALID | {"auth_token": 7}, ["Setting 'auth_token' must be of type string"]),
        (VALID | {"username": "ola"}, [TWO_CREDENTIALS]),
        (VALID | BASIC, [TWO_CREDENTIALS]),
        (
            BASIC | {"password": ""},
            ["Setting 'password' is missing: Basic authentication needs both."],
        ),
        (
            BASIC | {"username": None},
            ["Setting 'username' is missing: Basic authentication needs both."],
        ),
        (BASIC | {"username": "a:b"}, ["Setting 'username' must be printable, without a colon."]),
        (VALID | {"auth_token": f"Token {MARK}"}, [TOKEN_ALONE]),
        (VALID | {"auth_token": f"{MARK}\n"}, [TOKEN_ALONE]),
        (VALID | {"auth_token": f"{MARK}å"}, [TOKEN_ALONE]),
        (VALID | {"auth_token": f'"{MARK}"'}, [TOKEN_ALONE]),
        (VALID | {"assignment_ids": "9"}, [NO_IDS]),
        (VALID | {"assignment_ids": ["9"]}, [NO_IDS]),
        (VALID | {"assignment_ids": [True]}, [NO_IDS]),
        (VALID | {"assignment_ids": [None]}, [NO_IDS]),
        (VALID | {"assignment_ids": [9.0]}, [NO_IDS]),
        (VALID | {"assignment_ids": {"9": 9}}, [NO_IDS]),
        (VALID | {"data_owners": [2]}, [NO_OWNERS]),
        (VALID | {"data_owners": [{"id": 2}]}, [NO_OWNERS]),
        (VALID | {"data_owners": [{"crm_types": ["B2B"]}]}, [NO_OWNERS]),
        (VALID | {"data_owners": [{"id": "2", "crm_types": ["B2B"]}]}, [NO_OWNERS]),
        (VALID | {"data_owners": [{"id": 2.0, "crm_types": ["B2B"]}]}, [NO_OWNERS]),
        (VALID | {"data_owners": [{"id": 2, "crm_types": ["b2b"]}]}, [NO_OWNERS]),
        (VALID | {"data_owners": [{"id": 2, "crm_types": "B2B"}]}, [NO_OWNERS]),
        (VALID | {"start_date": "yesterday"}, [NO_DATE]),
        (VALID | {"start_date": ""}, [NO_DATE]),
        (VALID | {"start_date": "31.01.2024"}, [NO_DATE]),
        (VALID | {"start_date": "0001-01-01T00:00:00+23:00"}, [NO_DATE]),
        (VALID | {"start_date": "9999-12-31T23:00:00-23:00"}, [NO_DATE]),
        (
            VALID | {"start_date": "9998-01-01"},
            ["Setting 'start_date' is in the future: give a day that has begun."],
        ),
        (
            VALID | {"lookback_days": -1},
            ["Setting 'lookback_days' must be an integer from 0 to 3650, not -1."],
        ),
        (
            VALID | {"lookback_days": "2"},
            ["Setting 'lookback_days' must be an integer from 0 to 3650, not text."],
        ),
        (VALID | {"timezone": "Oslo"}, [NO_ZONE]),
        (VALID | {"timezone": ""}, [NO_ZONE]),
        (VALID | {"timezone": "../../etc/passwd"}, [NO_ZONE]),
        (VALID | {"timezone": 1}, ["Setting 'timezone' must be of type string"]),
        (
            VALID | {"custom_field_names": "labels"},
            ["Setting 'custom_field_names' must be 'original' or 'label'."],
        ),
        (VALID | {"read_ahead": 17}, [f"{AHEAD} 17."]),
        (VALID | {"read_ahead": -1}, [f"{AHEAD} -1."]),
        (VALID | {"read_ahead": True}, [f"{AHEAD} true."]),
        (VALID | {"read_ahead": 4.0}, [f"{AHEAD} 4.0."]),
        (VALID | {"read_ahead": float("nan")}, [f"{AHEAD} nan."]),
        (VALID | {"request_timeout": 0}, [f"{TIMEOUT} 0."]),
        (VALID | {"request_timeout": 10**30}, [f"{TIMEOUT} 1{'0' * 28}…."]),
        (
            VALID | {"max_retries": -1},
            ["Setting 'max_retries' must be an integer from 0 to 100, not -1."],
        ),
        (VALID | {"user_agent": "two\nlines"}, [NO_AGENT]),
        (VALID | {"user_agent": "漢"}, [NO_AGENT]),
        (VALID | {"user_agent": " tap"}, [NO_AGENT]),
        (
            {"read_ahead": 99, "timezone": "Oslo"},
            [
                "Setting 'api_url' is missing: give the API URL of the Cube account.",
                f"{AHEAD} 99.",
                NO_CREDENTIAL,
                NO_ZONE,
            ],
        ),
    ],
)
def test_each_broken_rule_gives_one_sentence(config: dict[str, Any], sentences: list[str]) -> None:
    """A sentence names the setting and the remedy; all broken rules are reported in order."""
    errors = refused(config)
    assert len(errors) == len(sentences), errors
    for error, begins in zip(errors, sentences, strict=True):
        assert error.startswith(begins)
        assert error.endswith(".")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, {"assignment_ids": None, "crms": None, "start_date": None, "lookback_days": 2}),
        ({}, {"read_ahead": 16, "request_timeout": 60, "max_retries": 8, "label_names": False}),
        ({"read_ahead": None, "timezone": "UTC"}, {"read_ahead": 16}),
        ({"read_ahead": 0}, {"read_ahead": 0}),
        ({"read_ahead": 4}, {"read_ahead": 4}),
        ({"max_retries": 0, "lookback_days": 0}, {"max_retries": 0, "lookback_days": 0}),
        ({"assignment_ids": [12, 9, 12]}, {"assignment_ids": (12, 9)}),
        ({"assignment_ids": []}, {"assignment_ids": ()}),
        (
            {"data_owners": [{"id": 2, "crm_types": ["B2B", "B2C", "B2B"]}]},
            {"crms": ((2, "B2B"), (2, "B2C"))},
        ),
        ({"custom_field_names": "label"}, {"label_names": True}),
        ({"start_date": "2024-01-31"}, {"start_date": date(2024, 1, 31)}),
        ({"start_date": "2024-01-31T00:30:00"}, {"start_date": date(2024, 1, 31)}),
        ({"start_date": "2024-01-31T23:30:00Z"}, {"start_date": date(2024, 2, 1)}),
        (
            {"start_date": "2024-01-31T23:30:00Z", "timezone": "UTC"},
            {"start_date": date(2024, 1, 31)},
        ),
        (
            {"user_agent": "nightly/2 (ops@example.com)"},
            {"user_agent": "nightly/2 (ops@example.com)"},
        ),
        ({"stream_maps": {}, "unknown": 1}, {"max_retries": 8}),
    ],
)
def test_accepted_settings_have_their_types(
    config: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Null means the default, repeated ids count once, and dates are local."""
    settings = Settings.from_config(VALID | config)
    assert {name: getattr(settings, name) for name in expected} == expected


def test_only_a_start_date_in_the_future_is_refused() -> None:
    """A start a minute ago is accepted, a start tomorrow is not."""
    now = datetime.now(UTC)
    assert not refused(VALID | {"start_date": (now - timedelta(minutes=1)).isoformat()})
    assert refused(VALID | {"start_date": (now + timedelta(days=1)).isoformat()})


def test_basic_authentication_takes_any_characters() -> None:
    """User name and password may hold spaces and letters of any script, the password colons too."""
    settings = Settings.from_config(BASIC | {"password": "p å:\u6f22 word"})
    assert (settings.username, settings.password) == ("ola@example.com", "p å:\u6f22 word")
    assert settings.auth_token is None


@pytest.mark.parametrize("name", ["username", "password"])
def test_a_lone_surrogate_in_a_credential_is_refused(name: str) -> None:
    """JSON can spell a lone surrogate, but no header can carry it."""
    assert refused(BASIC | {name: "\ud800"})


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("assignment_ids", "[9, 12]", [9, 12]),
        ("assignment_ids", "9", 9),
        ("assignment_ids", "[9", "[9"),
        ("assignment_ids", "", ""),
        ("assignment_ids", "9" * 5000, "9" * 5000),
        (
            "data_owners",
            '[{"id": 2, "crm_types": ["B2B"]}]',
            [{"id": 2, "crm_types": ["B2B"]}],
        ),
        ("read_ahead", "4", 4),
        ("read_ahead", "four", "four"),
        ("read_ahead", "null", None),
        ("flag", "True", True),
        ("flag", "FALSE", False),
        ("auth_token", "12345", "12345"),
        ("start_date", "2024", "2024"),
        ("unknown", "[1]", "[1]"),
        ("max_retries", 4, 4),
    ],
)
def test_json_text_of_environment_variables(name: str, text: object, value: object) -> None:
    """Only settings that are no strings are decoded as JSON; other text fails the type check."""
    schema = {"properties": {**SCHEMA["properties"], "flag": {"type": ["boolean", "null"]}}}
    assert typed({name: text}, schema) == {name: value}


def test_deep_json_text_is_refused_like_any_other() -> None:
    """Text that is nested too deeply to decode is not a list of integers."""
    config = typed(VALID | {"assignment_ids": "[" * 100_000}, SCHEMA)
    assert refused(config) == [NO_IDS]
