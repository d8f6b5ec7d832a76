"""Rules between and inside settings that JSON Schema cannot express."""

from __future__ import annotations

import ipaddress
import re
import typing as t
from datetime import UTC, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jsonschema import Draft202012Validator, validators

from tap_cube.settings_schema import BATCH_SCHEMA
from tap_cube.storage_rules import storage_errors

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ExactValidator = validators.create(
    Draft202012Validator.META_SCHEMA,
    Draft202012Validator.VALIDATORS,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: type(value) is int
    ),
)
"""JSON Schema accepts 4.0 as an integer. URLs and counts need an int."""

BATCH_EXAMPLE: t.Final = (
    'such as {"encoding": {"format": "jsonl", "compression": "gzip"}, "storage": '
    '{"root": "file:///FOLDER"}}, with what else docs/batch.md describes'
)

_FLATTENING_MINIMA = {"flattening_max_depth": 0, "flattening_max_key_length": 1}
_MAX_HOST = 253
_LABEL = re.compile(r"[\w-]+")


def rule_errors(values: Mapping[str, t.Any]) -> Iterator[str]:
    """Yield a sentence for each rule that the settings break."""
    text = {name: v for name, v in values.items() if isinstance(v, str)}
    if text.get("api_url"):
        yield from _address_errors(text["api_url"])
    yield from _credential_errors(values)
    zone = text.get("timezone", "Europe/Oslo")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield "Setting 'timezone' must be an IANA zone name, such as Europe/Oslo."
        return
    if "start_date" in text:
        yield from _start_date_errors(text["start_date"], ZoneInfo(zone))
    yield from _batch_errors(values.get("batch_config"))
    yield from _flattening_errors(values)
    agent = text.get("user_agent", "")
    if not (agent.isascii() and agent.isprintable()) or agent != agent.strip():
        yield "Setting 'user_agent' must be one line of ASCII characters."


def normal_address(address: str) -> str:
    """Return a web address with scheme and host in lower case, without a dot or slash at its end.

    Raises:
        ValueError: If it is not a web address.
    """
    url = urlsplit(address)
    name = url.netloc.rpartition("@")[2].removesuffix(f":{url.port}").lower().removesuffix(".")
    is_clean = address.isprintable() and not set(address) & set(" \\") and url.port != 0
    if not is_clean or not _is_host(name):
        msg = "not a web address"
        raise ValueError(msg)
    return f"{url.scheme}://{name}" + (f":{url.port}" if url.port else "")


def _is_host(name: str) -> bool:
    """Whether a name can be that of a host; raises a `ValueError` if an address is not one."""
    if name.startswith("["):
        return name.endswith("]") and not ipaddress.IPv6Address(name[1:-1]).scope_id
    labels = name.split(".")
    encoded = [label.encode("idna") for label in labels]  # raises if one is empty or too long
    return len(b".".join(encoded)) <= _MAX_HOST and all(map(_LABEL.fullmatch, labels))


def _address_errors(address: str) -> Iterator[str]:
    remedy = "give just https://ACCOUNT.headshed.com"
    try:
        url = urlsplit(normal_address(address))
    except ValueError:
        is_quoted = not address.isprintable() or set(address) & set(" \"'")
        fault = (
            "must have no blanks, quotes or line breaks" if is_quoted else "is not a web address"
        )
        yield f"Setting 'api_url' {fault}: {remedy}."
        return
    given = urlsplit(address)
    if given.username is not None or given.password is not None:
        yield (
            "Setting 'api_url' must not hold a credential: "
            "put it in 'auth_token', or in 'username' and 'password'."
        )
    elif given.path.strip("/") or "?" in address or "#" in address:
        yield f"Setting 'api_url' must not have a path, query or fragment: {remedy}."
    elif url.scheme != "https" and not (url.scheme == "http" and _is_loopback(url.hostname or "")):
        yield (
            "Setting 'api_url' must begin with https://, since the credential is sent there; "
            "http is accepted for this machine's own address alone."
        )


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _credential_errors(values: Mapping[str, t.Any]) -> Iterator[str]:
    given = {n for n in ("auth_token", "username", "password") if values.get(n) not in (None, "")}
    text = {name: values[name] for name in given if isinstance(values[name], str)}
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
    if not (token.isascii() and token.isprintable()) or set(token) & set(" \"'"):
        yield "Setting 'auth_token' must be the token alone, without spaces, quotes or line breaks."
    if ":" in text.get("username", "") or not text.get("username", "").isprintable():
        yield "Setting 'username' must be printable, without a colon."
    if not text.get("password", "").isprintable():
        yield "Setting 'password' must be one line of printable characters."


def _start_date_errors(start_date: str, zone: ZoneInfo) -> Iterator[str]:
    try:
        moment = moment_of(start_date, zone)
    except (ValueError, OverflowError):
        yield "Setting 'start_date' must be a date or date-time, such as 2024-01-31T00:00:00Z."
    else:
        if moment > datetime.now(UTC):
            yield "Setting 'start_date' is in the future: give a day that has begun."


def _batch_errors(batch: object) -> Iterator[str]:
    if not batch:
        return
    if not ExactValidator(BATCH_SCHEMA).is_valid(batch):
        yield f"Setting 'batch_config' must be {BATCH_EXAMPLE}."
        return
    yield from storage_errors(t.cast("t.Any", batch)["storage"])


def _flattening_errors(values: Mapping[str, t.Any]) -> Iterator[str]:
    for name, minimum in _FLATTENING_MINIMA.items():
        if isinstance(value := values.get(name), int) and value < minimum:
            yield f"Setting '{name}' must be an integer, {minimum} or more."
    depth = "flattening_max_depth"
    if values.get("flattening_enabled") is True and values.get(depth) is None:
        yield f"Setting '{depth}' is missing: 'flattening_enabled' needs it."


def moment_of(text: str, zone: ZoneInfo) -> datetime:
    """Parse a date or date-time; one without a zone is local.

    Raises:
        ValueError: If it is neither.
        OverflowError: If it is at an end of the calendar.
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(zone)
