"""GET requests to one account: deadline, retries, redirects, and an error per status."""

from __future__ import annotations

import time
import typing as t
from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from threading import Event, Lock

import requests
import tenacity
from typing_extensions import override

from tap_cube.errors import (
    CredentialError,
    CubeError,
    ForbiddenError,
    NotFoundError,
    TransientError,
)
from tap_cube.http.body import read_body
from tap_cube.http.redirects import redirected
from tap_cube.http.transport import Transport, date_of, reason_of, retry_after

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from datetime import datetime

    from tap_cube.settings import Settings

T = t.TypeVar("T")

MAX_WAIT = 3600
"""Longest wait, in seconds, that the server may request; a longer one ends the run."""

THROTTLE_SECONDS = 30
"""Seconds after a 429 or 503 in which requests are sent one at a time."""

WAIT = tenacity.wait_exponential(multiplier=0.5, max=60) + tenacity.wait_random(0, 0.5)
"""Wait before each retry: grows exponentially, with jitter, up to a minute."""

_STOPPED = "the run is ending"
_MAX_REDIRECTS = 3
_THROTTLE_STATUSES = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_REDIRECT_STATUSES = {301, 302, 303, 307, 308}
_NOT_FOUND_STATUSES = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE}


@dataclass(frozen=True, slots=True)
class RequestLabel:
    """Name of a request in errors and logs. It never contains a customer's data.

    Args:
        stream: The stream.
        context: The partition, such as a CRM or campaign; "" for the account.
        page: Number of the page; None if the resource has no pages.
    """

    stream: str
    context: str
    page: int | None = 1

    @override
    def __str__(self) -> str:
        context = f" of {self.context}" if self.context else ""
        page = "" if self.page is None else f", page {self.page}"
        return f"{self.stream}{context}{page}"


@dataclass(frozen=True, slots=True)
class Response(t.Generic[T]):
    """The response to a request.

    Attributes:
        content: The decoded body.
        asked: When the request was sent, in seconds of `time.monotonic`.
        came: When the whole body was there, on the same clock.
        date: The server's own time, from the Date header; None without a valid one.
    """

    content: T
    asked: float
    came: float
    date: datetime | None


class CubeClient:
    """Client of one account. Threads may share it.

    Args:
        settings: Address, credential, timeout and number of retries.
        logger: Logger for retries.
        wait: Wait before each retry, `WAIT` by default.

    Attributes:
        requests: Number of requests per stream, including retries.
        retries: Number of retries per stream.
    """

    def __init__(
        self,
        settings: Settings,
        logger: logging.Logger,
        *,
        wait: tenacity.wait.wait_base | None = None,
    ) -> None:
        self._settings = settings
        self._logger = logger
        self._wait = wait or WAIT
        self._stopping = Event()
        self._throttled_until = 0.0
        self._lock = Lock()
        self.requests: Counter[str] = Counter()
        self.retries: Counter[str] = Counter()
        self._transport = Transport(settings)

    def stop(self) -> None:
        """Fail all requests that wait for a retry, and all later ones."""
        self._stopping.set()

    @property
    def is_throttled(self) -> bool:
        """Whether the server sent a 429 or 503 within the last `THROTTLE_SECONDS`."""
        return time.monotonic() < self._throttled_until

    def get(
        self,
        target: str,
        label: RequestLabel,
        decode: Callable[[bytes], T],
        *,
        is_known: bool = False,
    ) -> Response[T]:
        """Send a request until its response decodes, with at most ``max_retries`` retries.

        Args:
            target: Path and query, relative to the account's address.
            label: Name of the request in errors and logs.
            decode: Decodes a body; raises `TransientError` if the body is damaged.
            is_known: Whether the resource existed a moment ago, so that a 404 is retried.

        Raises:
            CredentialError: If the status is 401.
            ForbiddenError: If the status is 403.
            NotFoundError: If the status is 404, 405 or 410.
            CubeError: If anything else fails. The message names request, reason and remedy.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TransientError),
            stop=tenacity.stop_any(
                tenacity.stop_after_attempt(self._settings.max_retries + 1),
                tenacity.stop_when_event_set(self._stopping),
            ),
            wait=self._seconds_to_wait,
            sleep=tenacity.sleep_using_event(self._stopping),
            before_sleep=lambda state: self._log_retry(label, state),
            reraise=True,
        )
        url = f"{self._settings.api_url}{target}"

        def attempt() -> Response[T]:
            if self._stopping.is_set():
                raise TransientError(_STOPPED)
            asked = time.monotonic()
            try:
                body, date = self._send(url, label)
                return Response(decode(body), asked, time.monotonic(), date)
            except NotFoundError:
                if is_known:
                    msg = "HTTP 404 for what was there a moment ago"
                    raise TransientError(msg) from None
                raise

        try:
            return retrying(attempt)
        except TransientError as error:
            tries = retrying.statistics["attempt_number"]
            msg = (
                f"{label}: {error.reason} after {tries} attempts. Run again later; "
                "if it persists, raise 'max_retries' or 'request_timeout', or lower 'read_ahead'."
            )
            raise CubeError(msg) from None

    def _seconds_to_wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        requested = error.retry_after if isinstance(error, TransientError) else None
        return self._wait(state) if requested is None else requested

    def _log_retry(self, label: RequestLabel, state: tenacity.RetryCallState) -> None:
        with self._lock:
            self.retries[label.stream] += 1
        self._logger.warning(
            "%s: %s; retrying in %.1f seconds (%d of %d)",
            label,
            state.outcome.exception() if state.outcome else "",
            state.upcoming_sleep,
            state.attempt_number,
            self._settings.max_retries,
        )

    def _send(self, url: str, label: RequestLabel) -> tuple[bytes, datetime | None]:
        """Return body and date of a response with status 200, after redirects in the account."""
        for _ in range(_MAX_REDIRECTS):
            deadline = time.monotonic() + self._settings.request_timeout
            with self._lock:
                self.requests[label.stream] += 1
            try:
                with self._transport.get(url) as response:
                    if response.status_code == HTTPStatus.OK:
                        return read_body(response, deadline), date_of(response)
                    if response.status_code not in _REDIRECT_STATUSES:
                        self._raise_for_status(response, label)
            except requests.exceptions.SSLError:
                msg = (
                    f"{label}: the host's certificate could not be verified. Check 'api_url'; "
                    "for a private authority, set the variable REQUESTS_CA_BUNDLE."
                )
                raise CubeError(msg) from None
            except requests.RequestException as error:
                raise TransientError(reason_of(error)) from None
            url = redirected(url, response.headers.get("Location", ""), label)
        msg = f"{label}: too many redirects. Check 'api_url'."
        raise CubeError(msg)

    def _raise_for_status(self, response: requests.Response, label: RequestLabel) -> t.NoReturn:
        status = response.status_code
        if status in _THROTTLE_STATUSES:
            self._throttled_until = time.monotonic() + THROTTLE_SECONDS
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            after = retry_after(response.headers.get("Retry-After"))
            reason = f"HTTP {status}"
            if after is not None and after > MAX_WAIT:
                msg = f"{label}: {reason}, the server asks to wait {after:.0f} s. Run again then."
                raise CubeError(msg)
            raise TransientError(reason, retry_after=after)
        if status == HTTPStatus.UNAUTHORIZED:
            names = "'auth_token'" if self._settings.auth_token else "'username' and 'password'"
            msg = f"{label}: HTTP 401, the account refuses the credential. Check {names}."
            raise CredentialError(msg)
        if status == HTTPStatus.FORBIDDEN:
            msg = (
                f"{label}: HTTP 403, the credential may not see it. "
                "Ask the account's administrator, or leave it out of the settings."
            )
            raise ForbiddenError(msg)
        if status in _NOT_FOUND_STATUSES:
            msg = f"{label}: HTTP {status}, the account does not have it. Check id and 'api_url'."
            raise NotFoundError(msg)
        msg = f"{label}: HTTP {status}, unexpected status. Check 'api_url'."
        raise CubeError(msg)
