"""Any config is accepted or refused, and no error or repr shows a secret."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from singer_sdk.exceptions import ConfigValidationError

from tap_cube.settings import Settings, typed
from tap_cube.settings_schema import SCHEMA

MARK = "marked-7f3c"
ADDRESS = "https://acme.headshed.com"
VALID: dict[str, Any] = {"api_url": ADDRESS, "auth_token": MARK}
BASIC: dict[str, Any] = {"api_url": ADDRESS, "username": "ola@example.com", "password": MARK}


def refused(config: dict[str, Any]) -> list[str]:
    """The errors of a config; [] if it is accepted."""
    try:
        Settings.from_config(config)
    except ConfigValidationError as error:
        return error.errors
    return []


@pytest.mark.parametrize("config", [VALID, BASIC])
def test_settings_show_no_secret(config: dict[str, Any]) -> None:
    """The repr of settings holds neither token nor user name nor password."""
    shown = repr(Settings.from_config(config))
    assert MARK not in shown
    assert "ola@example.com" not in shown
    assert ADDRESS in shown


@pytest.mark.parametrize("name", ["auth_token", "username", "password"])
@pytest.mark.parametrize(
    "value", [MARK, f" {MARK}", [MARK], {MARK: MARK}, f"{MARK}:\n{MARK}", f"\ud800{MARK}"]
)
def test_errors_show_no_secret(name: str, value: object) -> None:
    """No error shows any part of an invalid secret."""
    for config in ({name: value}, {"api_url": "x", name: value, "max_retries": "x"}):
        with pytest.raises(ConfigValidationError) as caught:
            Settings.from_config(config)
        shown = f"{caught.value} {caught.value!r} {caught.value.errors} {caught.value.__dict__}"
        assert MARK not in shown
        assert caught.value.__cause__ is None


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.from_regex(r"https?://[^ ]{1,20}", fullmatch=True)
    | st.datetimes().map(datetime.isoformat)
    | st.sampled_from(["B2B", "Europe/Oslo", "label"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "crm_types", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(SCHEMA["properties"], values)),
    st.dictionaries(st.text(max_size=9), values, max_size=2),
)
@example({**VALID, "start_date": "0001-01-01T00:00:00+23:00"}, {})
def test_any_config_is_accepted_or_refused(config: dict[str, Any], others: dict[str, Any]) -> None:
    """Any JSON values raise no other error; accepted values have the declared types."""
    given_config = others | config
    sentences: list[str] = []
    try:
        settings = Settings.from_config(typed(given_config, SCHEMA))
    except ConfigValidationError as error:
        sentences = error.errors
    else:
        assert settings.api_url.lower().startswith(("https://", "http://"))
        numbers = {f.name: getattr(settings, f.name) for f in fields(settings) if f.type == "int"}
        assert all(type(number) is int for number in numbers.values()), numbers
        json.dumps([settings.assignment_ids, settings.crms], allow_nan=False)
        return
    assert sentences
    assert all(type(sentence) is str for sentence in sentences)


@given(
    st.text(max_size=20).map(lambda text: f"{text[:9]}{MARK}{text[9:]}"),
    st.fixed_dictionaries({}, optional=dict.fromkeys(SCHEMA["properties"], values)),
)
def test_no_error_text_holds_a_secret(secret: str, config: dict[str, Any]) -> None:
    """Token and password are in no error, whatever else is wrong."""
    for names in (("auth_token",), ("password",), ("auth_token", "password")):
        for value in (secret, [secret], {secret: secret}):
            errors = refused(typed({**config, **dict.fromkeys(names, value)}, SCHEMA))
            assert MARK not in "\n".join(errors)
