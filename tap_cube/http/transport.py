"""Connections to the account: headers, credential, proxies and certificates."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import extract_cookies_to_jar
from singer_sdk.authenticators import APIKeyAuthenticator, BasicAuthenticator

from tap_cube.http.body import TIMED_OUT

if t.TYPE_CHECKING:
    from tap_cube.settings import Settings


class Transport:
    """Sends requests to one account over persistent connections.

    Requests go through the adapter, not through `Session.send`. The latter looks up proxies and
    certificates in the environment for every request, which costs as much CPU time as a page. It
    also reads the whole body of a redirect that it does not follow.

    Args:
        settings: Address, credential, timeout, and how many pages are fetched ahead.
    """

    def __init__(self, settings: Settings) -> None:
        self._timeout = settings.request_timeout
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=settings.read_ahead + 1)
        self._session = requests.Session()
        self._session.headers.update(
            {
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                "Content-Type": "application/json",
                "User-Agent": settings.user_agent,
            }
        )
        self._session.auth = (
            APIKeyAuthenticator(key="Authorization", value=f"Token {settings.auth_token}")
            if settings.auth_token
            else BasicAuthenticator(
                username=settings.username or "", password=settings.password or ""
            )
        )
        self._environment: dict[str, t.Any] = dict(
            self._session.merge_environment_settings(
                settings.api_url, {}, stream=True, verify=None, cert=None
            )
        )

    def get(self, url: str) -> requests.Response:
        """Send one request, without following redirects.

        Raises:
            requests.RequestException: If no response begins within the timeout.
        """
        request = self._session.prepare_request(requests.Request("GET", url))
        response = self._adapter.send(request, timeout=self._timeout, **self._environment)
        extract_cookies_to_jar(self._session.cookies, request, response.raw)  # type: ignore[no-untyped-call]  # requests has no type for it
        return response


def reason_of(error: requests.RequestException) -> str:
    """Describe a failed request; the error's own text may contain the address."""
    if isinstance(error, requests.Timeout):
        return TIMED_OUT
    return "the host cannot be reached (check 'api_url' and the network)"


def date_of(response: requests.Response) -> datetime | None:
    """The server's own time when it responded; None without a valid Date header."""
    try:
        moment = parsedate_to_datetime(response.headers.get("Date", ""))
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def retry_after(value: str | None) -> float | None:
    """Parse a Retry-After header, which holds seconds or a date.

    urllib3's parser is not used: it takes impossible dates for long waits, and cuts every wait at
    six hours.

    Returns:
        Seconds to wait; None if the header is missing or malformed.
    """
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
