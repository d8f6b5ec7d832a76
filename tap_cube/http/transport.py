"""Connections to the account: headers, credential, proxies and certificates."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import typing as t
from contextlib import suppress
from copy import copy
from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests.utils import select_proxy
from singer_sdk.authenticators import APIKeyAuthenticator, BasicAuthenticator
from urllib3.exceptions import HTTPError

from tap_cube.errors import CubeError
from tap_cube.http.connections import DeadlineAdapter
from tap_cube.http.deadline import current_deadline

if t.TYPE_CHECKING:
    from tap_cube.settings import Settings

CONNECT_SECONDS = 10
"""Time for the first connection. A firewall that drops packets is as silent as a wrong address."""


class Transport:
    """Sends requests to one account over persistent connections.

    Requests go through the adapter, not through `Session.send`. The latter looks up proxies and
    certificates in the environment for every request, which costs as much CPU time as a page. It
    also reads the whole body of a redirect that it does not follow.

    Args:
        settings: Address, credential, timeout, and how many pages are fetched ahead.

    Attributes:
        has_answered: Whether the host has responded to any request.
    """

    def __init__(self, settings: Settings) -> None:
        self._timeout = settings.request_timeout
        self._adapter = DeadlineAdapter(settings.read_ahead + 1)
        self.has_answered = False
        session = requests.Session()
        session.headers.update(
            {
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                "Content-Type": "application/json",
                "User-Agent": settings.user_agent,
            }
        )
        session.auth = (
            APIKeyAuthenticator(key="Authorization", value=f"Token {settings.auth_token}")
            if settings.auth_token
            else BasicAuthenticator(
                username=settings.username or "", password=settings.password or ""
            )
        )
        self._environment: dict[str, t.Any] = dict(
            session.merge_environment_settings(
                settings.api_url, {}, stream=True, verify=None, cert=None
            )
        )
        if _may_be_loopback(settings.api_url):
            self._environment["proxies"] = {}  # another machine's proxy would get the credential
        self._check_environment(settings.api_url)
        self._prepared = session.prepare_request(requests.Request("GET", "https://account.invalid"))

    def _check_environment(self, url: str) -> None:
        """Check the variables for proxy and certificates, which would fail as a wrong address.

        Raises:
            CubeError: If one cannot be used.
        """
        proxies, verify = self._environment["proxies"], self._environment["verify"]
        # The host of the address may be wrong, too, which the first request reports.
        any_host = requests.Request("GET", f"{url.partition(':')[0]}://account.invalid")
        try:
            if select_proxy(url, proxies):
                request = any_host.prepare()
                self._adapter.get_connection_with_tls_context(request, verify, proxies)
        except (requests.RequestException, HTTPError, ValueError):
            msg = "The proxy in variable HTTPS_PROXY or ALL_PROXY cannot be used. Correct it."
            raise CubeError(msg) from None
        try:
            if isinstance(verify, str) and url.startswith("https") and not Path(verify).is_dir():
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(verify)
        except (OSError, ValueError):
            msg = (
                "The file in variable REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE has no certificates. "
                "Correct the file, or unset the variable."
            )
            raise CubeError(msg) from None

    def get(self, url: str) -> requests.Response:
        """Send one request, without following redirects. Cookies are neither kept nor sent.

        Raises:
            requests.RequestException: If no response begins within the timeout.
        """
        # Requests differ in nothing but their address; headers and credential are shared.
        request = copy(self._prepared)
        request.prepare_url(url, None)
        deadline = current_deadline()
        remaining = max(deadline.remaining, 0.001) if deadline else self._timeout
        connect = remaining if self.has_answered else min(remaining, CONNECT_SECONDS)
        response = self._adapter.send(request, timeout=(connect, remaining), **self._environment)
        self.has_answered = True
        return response


def _may_be_loopback(url: str) -> bool:
    """Whether an address may lead to this machine, in any spelling that a resolver accepts.

    The rule for plain http is stricter: `settings_rules` accepts only well-known spellings.
    """
    with suppress(requests.RequestException):
        url = requests.Request("GET", url).prepare().url or ""  # in ASCII
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    with suppress(OSError):
        host = socket.inet_ntoa(socket.inet_aton(host))  # 127.1, 0x7f000001
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified
