"""Validated settings, and the rules between them."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field
from importlib import metadata
from zoneinfo import ZoneInfo

from singer_sdk.exceptions import ConfigValidationError

from tap_cube.logs import escaped
from tap_cube.settings_rules import (
    BATCH_EXAMPLE,
    ExactValidator,
    moment_of,
    normal_address,
    rule_errors,
)
from tap_cube.settings_schema import CRM_TYPES, SCHEMA

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from jsonschema import ValidationError

_MAX_SHOWN = 30

_EXAMPLES = {
    "assignment_ids": "a list of integers, such as [9, 12]",
    "batch_config": BATCH_EXAMPLE,
    "data_owners": 'a list such as [{"id": 2, "crm_types": ["B2B"]}], each CRM type '
    + " or ".join(f'"{crm_type}"' for crm_type in CRM_TYPES),
}
"""What settings that are not just one value must be."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Validated settings, in the types that the tap works with.

    Attributes:
        crms: Data owner's id and CRM type (B2B or B2C) of each CRM to read; None for all.
        start_date: The day of the setting, in the time zone of the settings.
        label_names: Whether columns of custom fields are named after their labels.
        read_ahead: Most requests at once; 0 for one, with nothing fetched ahead.
        request_timeout: Seconds.

    The other attributes hold the settings of the same name.
    """

    api_url: str
    auth_token: str | None = field(repr=False)
    username: str | None = field(repr=False)
    password: str | None = field(repr=False)
    assignment_ids: tuple[int, ...] | None
    crms: tuple[tuple[int, str], ...] | None
    start_date: date | None
    lookback_days: int
    timezone: ZoneInfo
    label_names: bool
    read_ahead: int
    request_timeout: int
    max_retries: int
    on_incomplete_read: str
    emit_activate_version_messages: bool
    user_agent: str

    @classmethod
    def from_config(
        cls, config: Mapping[str, t.Any], schema: Mapping[str, t.Any] = SCHEMA
    ) -> t.Self:
        """Validate a Singer config.

        Args:
            config: Setting names and values, as `typed` returns them.
            schema: JSON Schema of all settings, including those of the SDK.

        Raises:
            ConfigValidationError: If a rule is broken. ``errors`` has a sentence for each rule,
                with the setting's name and the remedy, and without the value of a secret.
        """
        if errors := [*dict.fromkeys([*_type_errors(config, schema), *rule_errors(config)])]:
            msg = "Settings are not valid"
            raise ConfigValidationError(msg, errors=errors)
        defaults = {name: prop.get("default") for name, prop in SCHEMA["properties"].items()}
        values = defaults | {name: value for name, value in config.items() if value is not None}
        zone = ZoneInfo(values["timezone"])
        owners = values["data_owners"]
        ids = values["assignment_ids"]
        return cls(
            api_url=normal_address(values["api_url"]),
            auth_token=values["auth_token"],
            username=values["username"],
            password=values["password"],
            assignment_ids=None if ids is None else tuple(dict.fromkeys(ids)),
            crms=None
            if owners is None
            else tuple(dict.fromkeys((o["id"], ct) for o in owners for ct in o["crm_types"])),
            start_date=values["start_date"] and moment_of(values["start_date"], zone).date(),
            lookback_days=values["lookback_days"],
            timezone=zone,
            label_names=values["custom_field_names"] == "label",
            read_ahead=values["read_ahead"],
            request_timeout=values["request_timeout"],
            max_retries=values["max_retries"],
            on_incomplete_read=values["on_incomplete_read"],
            emit_activate_version_messages=values["emit_activate_version_messages"],
            user_agent=values["user_agent"] or f"tap-cube/{metadata.version('tap-cube')}",
        )


def typed(config: Mapping[str, t.Any], schema: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Parse JSON text, as in environment variables, for settings that are not strings.

    Text that is not JSON stays as it is; the type check rejects it.
    """
    properties = schema["properties"]
    return {name: _from_text(properties.get(name, {}), value) for name, value in config.items()}


def _from_text(prop: Mapping[str, t.Any], value: object) -> object:
    if not isinstance(value, str) or "string" in prop.get("type", "string"):
        return value
    try:
        return json.loads(value.lower() if "boolean" in prop["type"] else value)
    except (ValueError, RecursionError):
        return value


def _type_errors(config: Mapping[str, t.Any], schema: Mapping[str, t.Any]) -> Iterator[str]:
    given = {name: value for name, value in config.items() if value is not None}
    for name in schema["required"]:
        if given.get(name, "") == "":
            title = schema["properties"][name]["title"]
            yield f"Setting '{name}' is missing: give the {title} of the Cube account."
    errors = ExactValidator(schema).iter_errors({"api_url": "", **given})
    for name in dict.fromkeys(_setting(error) for error in errors):
        prop = schema["properties"][name]
        yield f"Setting '{name}' must be {_expected(name, prop)}{_instead(given[name], prop)}."


def _setting(error: ValidationError) -> str:
    return str(error.absolute_path[0])


def _expected(name: str, prop: Mapping[str, t.Any]) -> str:
    if name in _EXAMPLES:
        return _EXAMPLES[name]
    if "enum" in prop:
        return " or ".join(repr(choice) for choice in prop["enum"])
    if "minimum" in prop:
        return f"an integer from {prop['minimum']} to {prop['maximum']}"
    kinds = [kind for kind in prop.get("type", ["object"]) if kind != "null"]
    if kinds in (["integer"], ["boolean"]):
        return "an integer" if kinds == ["integer"] else "true or false"
    return f"of type {' or '.join(kinds)}"


def _instead(value: object, prop: Mapping[str, t.Any]) -> str:
    """What stands in place of a number or a boolean; text may be a credential, and is not shown."""
    if not {"boolean", "integer"} & {*prop.get("type", ())}:
        return ""
    if isinstance(value, str):
        return ", not text" if value else ", not empty"
    if isinstance(value, list | dict):
        return ", not a list" if isinstance(value, list) else ", not an object"
    return f", not {escaped(str(value).lower(), _MAX_SHOWN)}"
