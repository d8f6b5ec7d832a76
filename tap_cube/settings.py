"""Validated settings, and the rules between them."""

from __future__ import annotations

import ipaddress
import json
import re
import typing as t
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib import metadata
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jsonschema import Draft202012Validator, validators
from singer_sdk.exceptions import ConfigValidationError

from tap_cube.settings_schema import BATCH_SCHEMA, CRM_TYPES, SCHEMA

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jsonschema import ValidationError

# JSON Schema accepts 4.0 as an integer. URLs and counts need an int.
_Validator = validators.create(
    Draft202012Validator.META_SCHEMA,
    Draft202012Validator.VALIDATORS,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: type(value) is int
    ),
)
_HOST = re.compile(r"[\w.-]*\w|\[[0-9A-Fa-f:.]+\]")


@dataclass(frozen=True, slots=True)
class Settings:
    """Validated settings, in the types that the tap works with.

    Attributes:
        crms: Data owner's id and CRM type (B2B or B2C) of each CRM to read; None for all.
        start_date: The day of the setting, in the time zone of the settings.
        label_names: Whether columns of custom fields are named after their labels.
        read_ahead: Number of pages to fetch ahead of the one being processed.
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
        if errors := [*dict.fromkeys([*_type_errors(config, schema), *_rule_errors(config)])]:
            msg = "Settings are not valid"
            raise ConfigValidationError(msg, errors=errors)
        defaults = {name: prop.get("default") for name, prop in SCHEMA["properties"].items()}
        values = defaults | {name: value for name, value in config.items() if value is not None}
        zone = ZoneInfo(values["timezone"])
        owners = values["data_owners"]
        ids = values["assignment_ids"]
        return cls(
            api_url=values["api_url"].rstrip("/"),
            auth_token=values["auth_token"],
            username=values["username"],
            password=values["password"],
            assignment_ids=None if ids is None else tuple(dict.fromkeys(ids)),
            crms=None
            if owners is None
            else tuple(dict.fromkeys((o["id"], ct) for o in owners for ct in o["crm_types"])),
            start_date=values["start_date"] and _moment(values["start_date"], zone).date(),
            lookback_days=values["lookback_days"],
            timezone=zone,
            label_names=values["custom_field_names"] == "label",
            read_ahead=values["read_ahead"],
            request_timeout=values["request_timeout"],
            max_retries=values["max_retries"],
            on_incomplete_read=values["on_incomplete_read"],
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
        if not given.get(name):
            title = schema["properties"][name]["title"]
            yield f"Setting '{name}' is missing: give the {title} of the Cube account."
    errors = _Validator(schema).iter_errors({"api_url": "", **given})
    for name in dict.fromkeys(_setting(error) for error in errors):
        yield f"Setting '{name}' must be {_expected(name, schema['properties'][name])}."


def _setting(error: ValidationError) -> str:
    return str(error.absolute_path[0])


def _expected(name: str, prop: Mapping[str, t.Any]) -> str:
    if name == "data_owners":
        types = " or ".join(f'"{crm_type}"' for crm_type in CRM_TYPES)
        return f'a list such as [{{"id": 2, "crm_types": ["B2B"]}}], each CRM type {types}'
    if name == "batch_config":
        return (
            'such as {"encoding": {"format": "jsonl", "compression": "gzip"}, "storage": '
            '{"root": "file:///FOLDER"}}, with what else the README describes'
        )
    if name == "assignment_ids":
        return "a list of integers, such as [9, 12]"
    if "enum" in prop:
        return " or ".join(repr(choice) for choice in prop["enum"])
    if "minimum" in prop:
        upper = f" to {prop['maximum']}" if "maximum" in prop else " or more"
        return f"an integer, {prop['minimum']}{upper}"
    kinds = [kind for kind in prop.get("type", ["object"]) if kind != "null"]
    return f"of type {' or '.join(kinds)}, as the README describes it"


def _rule_errors(values: Mapping[str, t.Any]) -> Iterator[str]:
    text = {name: v for name, v in values.items() if isinstance(v, str)}
    if text.get("api_url"):
        yield from _address_errors(text["api_url"])
    yield from _credential_errors(text)
    zone = text.get("timezone", "Europe/Oslo")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield "Setting 'timezone' must be an IANA zone name, such as Europe/Oslo."
        return
    if "start_date" in text:
        yield from _start_date_errors(text["start_date"], ZoneInfo(zone))
    yield from _batch_errors(values.get("batch_config"))
    agent = text.get("user_agent", "")
    if not (agent.isascii() and agent.isprintable()) or agent != agent.strip():
        yield "Setting 'user_agent' must be one line of ASCII characters."


def _address_errors(address: str) -> Iterator[str]:
    remedy = "give just https://ACCOUNT.headshed.com"
    try:
        url = urlsplit(address)
        host = url.netloc.rpartition("@")[2]
        name = host.removesuffix(f":{url.port}")
    except ValueError:
        yield f"Setting 'api_url' is not a web address: {remedy}."
        return
    is_clean = address.isprintable() and not set(address) & set(" \\") and url.port != 0
    if not is_clean or not _HOST.fullmatch(name) or ".." in name:
        yield f"Setting 'api_url' is not a web address: {remedy}."
    elif url.username is not None or url.password is not None:
        yield (
            "Setting 'api_url' must not hold a credential: "
            "put it in 'auth_token', or in 'username' and 'password'."
        )
    elif url.path.strip("/") or "?" in address or "#" in address:
        yield f"Setting 'api_url' must not have a path, query or fragment: {remedy}."
    elif url.scheme != "https" and not (url.scheme == "http" and _is_loopback(name)):
        yield (
            "Setting 'api_url' must begin with https://, since the credential is sent there; "
            "http is accepted for this machine's own address alone."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _credential_errors(text: Mapping[str, str]) -> Iterator[str]:
    given = {name for name in ("auth_token", "username", "password") if text.get(name)}
    if not given:
        yield "No credential: give 'auth_token', or 'username' and 'password'."
    elif "auth_token" in given and len(given) > 1:
        yield (
            "Two kinds of credential: give either 'auth_token' or 'username' with 'password', "
            "and remove the other."
        )
    elif "auth_token" not in given and len(given) == 1:
        missing = {"username", "password"} - given
        yield f"Setting '{missing.pop()}' is missing: Basic authentication needs both."
    token = text.get("auth_token", "")
    if not (token.isascii() and token.isprintable()) or " " in token:
        yield "Setting 'auth_token' must be the token alone, without spaces or line breaks."
    if ":" in text.get("username", "") or not text.get("username", "").isprintable():
        yield "Setting 'username' must be printable, without a colon."
    if not text.get("password", "").isprintable():
        yield "Setting 'password' must be one line of printable characters."


def _start_date_errors(start_date: str, zone: ZoneInfo) -> Iterator[str]:
    try:
        moment = _moment(start_date, zone)
    except (ValueError, OverflowError):
        yield "Setting 'start_date' must be a date or date-time, such as 2024-01-31T00:00:00Z."
    else:
        if moment > datetime.now(UTC):
            yield "Setting 'start_date' is in the future: give a day that has begun."


def _batch_errors(batch: object) -> Iterator[str]:
    if batch and not _Validator(BATCH_SCHEMA).is_valid(batch):
        yield f"Setting 'batch_config' must be {_expected('batch_config', {})}."


def _moment(text: str, zone: ZoneInfo) -> datetime:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(zone)
