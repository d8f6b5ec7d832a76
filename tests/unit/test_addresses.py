"""`api_url` accepts a plain https or loopback address, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from singer_sdk.exceptions import ConfigValidationError

from tap_cube.settings import Settings

MARK = "marked-7f3c"
ADDRESS = "https://acme.headshed.com"
VALID: dict[str, Any] = {"api_url": ADDRESS, "auth_token": MARK}

NO_ADDRESS = "Setting 'api_url' is not a web address: give just https://ACCOUNT.headshed.com."
NO_BLANKS = (
    "Setting 'api_url' must have no blanks, quotes or line breaks: "
    "give just https://ACCOUNT.headshed.com."
)
NO_HTTPS = (
    "Setting 'api_url' must begin with https://, since the credential is sent there; "
    "http is accepted for this machine's own address alone."
)
NO_PATH = (
    "Setting 'api_url' must not have a path, query or fragment: "
    "give just https://ACCOUNT.headshed.com."
)
CREDENTIAL_INSIDE = (
    "Setting 'api_url' must not hold a credential: "
    "put it in 'auth_token', or in 'username' and 'password'."
)


def errors_of(address: str) -> list[str]:
    """The errors for an address; [] if it is accepted."""
    try:
        Settings.from_config(VALID | {"api_url": address})
    except ConfigValidationError as error:
        return error.errors
    return []


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("acme.headshed.com", NO_ADDRESS),
        ("https://", NO_ADDRESS),
        ("https:acme.headshed.com", NO_ADDRESS),
        ("https:/acme.headshed.com", NO_ADDRESS),
        ("https:///acme.headshed.com", NO_ADDRESS),
        ("https://host\\evil.example", NO_ADDRESS),
        ("https://acme.headshed.com\\@evil.example", NO_ADDRESS),
        (" https://acme.headshed.com", NO_BLANKS),
        ('"https://acme.headshed.com"', NO_BLANKS),
        ("https://acme.headshed.com ", NO_BLANKS),
        ("https://acme.headshed.com\n", NO_BLANKS),
        ("https://acme.headshed.com\t.evil.example", NO_BLANKS),
        ("https://acme.\u200bheadshed.com", NO_BLANKS),
        ("https://acme headshed.com", NO_BLANKS),
        ("https://acme.headshed.com:0", NO_ADDRESS),
        ("https://acme.headshed.com:99999", NO_ADDRESS),
        ("https://acme.headshed.com:x", NO_ADDRESS),
        ("https://acme.headshed.com:\uff18\uff10", NO_ADDRESS),
        ("https://[::1", NO_ADDRESS),
        ("https://a\u2100b.example", NO_ADDRESS),
        ("https://*", NO_ADDRESS),
        ("https://acme..headshed.com", NO_ADDRESS),
        ("https://.headshed.com", NO_ADDRESS),
        (f"https://{'a' * 64}.headshed.com", NO_ADDRESS),
        (f"https://{'a.' * 130}com", NO_ADDRESS),
        ("https://[:::1]", NO_ADDRESS),
        ("https://acme<headshed>.com", NO_ADDRESS),
        ("http://[::1].evil.example", NO_ADDRESS),
        ("http://[::1%25evil.example]", NO_ADDRESS),
        ("https://user@acme.headshed.com", CREDENTIAL_INSIDE),
        ("https://@acme.headshed.com", CREDENTIAL_INSIDE),
        ("https://user:" + MARK + "@acme.headshed.com", CREDENTIAL_INSIDE),
        ("http://127.0.0.1:80@evil.example", CREDENTIAL_INSIDE),
        ("http://localhost#@evil.example", NO_PATH),
        ("https://acme.headshed.com/api/v1", NO_PATH),
        ("https://acme.headshed.com/%2f", NO_PATH),
        ("https://acme.headshed.com?", NO_PATH),
        ("https://acme.headshed.com/#", NO_PATH),
        ("https://acme.headshed.com?token=" + MARK, NO_PATH),
        ("http://acme.headshed.com", NO_HTTPS),
        ("http://127.0.0.1.evil.example", NO_HTTPS),
        ("http://localhost.evil.example", NO_HTTPS),
        ("http://127.1", NO_HTTPS),
        ("http://2130706433", NO_HTTPS),
        ("http://0.0.0.0", NO_HTTPS),
        ("http://192.0.2.1", NO_HTTPS),
        ("//acme.headshed.com", NO_HTTPS),
        ("ftp://acme.headshed.com", NO_HTTPS),
        ("file://localhost", NO_HTTPS),
    ],
)
def test_hostile_addresses_are_refused(address: str, sentence: str) -> None:
    """Only a plain https host or loopback is accepted; the error does not show the address."""
    errors = errors_of(address)
    assert errors == [sentence]
    assert MARK not in str(errors)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        (ADDRESS, ADDRESS),
        (f"{ADDRESS}/", ADDRESS),
        (f"{ADDRESS}//", ADDRESS),
        (f"{ADDRESS}:8443", f"{ADDRESS}:8443"),
        ("HTTPS://ACME.headshed.com", ADDRESS),
        ("https://acme.headshed.com.", ADDRESS),
        ("https://bl\u00e5b\u00e6r.example", "https://bl\u00e5b\u00e6r.example"),
        ("https://xn--blbr-roah.example", "https://xn--blbr-roah.example"),
        ("https://192.0.2.1", "https://192.0.2.1"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://127.8.9.10", "http://127.8.9.10"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://LOCALHOST:8000", "http://localhost:8000"),
        ("http://localhost.:8000", "http://localhost:8000"),
        ("http://[::ffff:127.0.0.1]:8000", "http://[::ffff:127.0.0.1]:8000"),
    ],
)
def test_plain_addresses_are_accepted(address: str, kept: str) -> None:
    """An https or loopback address is used in lower case, without dots and slashes at its end."""
    assert Settings.from_config(VALID | {"api_url": address}).api_url == kept
