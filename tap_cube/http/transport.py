"""Connections to the account: headers, credential, proxies and certificates."""

from __future__ import annotations

import ssl
import typing as t
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import extract_cookies_to_jar
from requests.utils import select_proxy
from singer_sdk.authenticators import APIKeyAuthenticator, BasicAuthenticator
from typing_extensions import override
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError

from tap_cube.errors import CubeError

if t.TYPE_CHECKING:
    from tap_cube.settings import Settings

CONNECT_SECONDS = 10
"""Time for the first connection. A firewall that drops packets is as silent as a wrong address."""


class _Connection(HTTPSConnection):
    """Distinguishes a TLS handshake that times out from a response that does."""

    @override
    def connect(self) -> None:
        try:
            super().connect()
        except TimeoutError as error:
            msg = "handshake"
            raise ConnectTimeoutError(self, msg) from error


class _Pool(HTTPSConnectionPool):
    ConnectionCls = _Connection


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
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=settings.read_ahead + 1)
        pools = {"http": HTTPConnectionPool, "https": _Pool}
        self._adapter.poolmanager.pool_classes_by_scheme = pools
        self.has_answered = False
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

        self._check_environment(settings.api_url)

    def _check_environment(self, url: str) -> None:
        """Check the variables for proxy and certificates, which would fail as a wrong address.

        Raises:
            CubeError: If one cannot be used.
        """
        proxies, verify = self._environment["proxies"], self._environment["verify"]
        # The host of the address may be wrong, too, which the first request says.
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
                "The file that variable REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names holds no "
                "certificates. Correct it, or unset it."
            )
            raise CubeError(msg) from None

    def get(self, url: str) -> requests.Response:
        """Send one request, without following redirects.

        Raises:
            requests.RequestException: If no response begins within the timeout.
        """
        request = self._session.prepare_request(requests.Request("GET", url))
        connect = self._timeout if self.has_answered else min(self._timeout, CONNECT_SECONDS)
        timeout = (connect, self._timeout)
        response = self._adapter.send(request, timeout=timeout, **self._environment)
        self.has_answered = True
        extract_cookies_to_jar(self._session.cookies, request, response.raw)  # type: ignore[no-untyped-call]  # requests has no type for it
        return response
