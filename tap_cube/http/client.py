"""GET requests to one account: credential, deadline, retries, and errors in plain words."""

from __future__ import annotations

import time
import typing as t
from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from threading import Event, Lock
from urllib.parse import parse_qsl, urljoin, urlsplit

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
from tap_cube.http.transport import Transport, reason_of, retry_after

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from tap_cube.settings import Settings

T = t.TypeVar("T")

MAX_WAIT = 3600
"""Seconds the server may ask to wait; more ends the run instead."""

THROTTLE_SECONDS = 30
"""Seconds of one request at a time after the server said that it has too much to do."""

WAIT = tenacity.wait_exponential(multiplier=0.5, max=60) + tenacity.wait_random(0, 0.5)
"""Seconds before each further try: grows exponentially, with jitter."""

_STOPPED = "the run is ending"
_MAX_REDIRECTS = 3
_THROTTLED = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_REDIRECTS = {301, 302, 303, 307, 308}
_NOT_THERE = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE}


@dataclass(frozen=True, slots=True)
class RequestLabel:
    """What a request is about, for errors and logs: never a customer's data."""

    stream: str
    context: str
    page: int | None = 1

    @override
    def __str__(self) -> str:
        context = f" of {self.context}" if self.context else ""
        page = "" if self.page is None else f", page {self.page}"
        return f"{self.stream}{context}{page}"


class CubeClient:
    """Asks one account; may be shared by threads.

    Args:
        settings: Address, credential, deadline and number of retries.
        logger: Where retries are told.
        wait: Seconds before try n; the default grows exponentially, with jitter.

    Attributes:
        requests: How many were made for each stream, the retries among them.
        retries: How many were made again.
    """

    def __init__(
        self,
        settings: Settings,
        logger: logging.Logger,
        *,
        wait: tenacity.wait.wait_base | None = None,
    ) -> None:
        """Open no connection yet."""
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
        """Wake every request that waits for its next try, and let none begin."""
        self._stopping.set()

    @property
    def is_throttled(self) -> bool:
        """Whether the server said a short while ago that it has too much to do."""
        return time.monotonic() < self._throttled_until

    def get(
        self,
        target: str,
        subject: RequestLabel,
        decode: Callable[[bytes], T],
        *,
        is_known: bool = False,
    ) -> T:
        """Ask until an answer decodes, at most ``max_retries`` times more.

        Args:
            target: Path and query below the account's address.
            subject: What to call this request in errors.
            decode: Makes the result of a body; raises `TransientError` for a damaged one.
            is_known: Whether it was there a moment ago, so that a 404 is asked again.

        Raises:
            CubeError: One sentence: subject, status, remedy. Its subclasses tell 401, 403, 404.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TransientError),
            stop=tenacity.stop_any(
                tenacity.stop_after_attempt(self._settings.max_retries + 1),
                tenacity.stop_when_event_set(self._stopping),
            ),
            wait=self._seconds_to_wait,
            sleep=tenacity.sleep_using_event(self._stopping),
            before_sleep=lambda state: self._log_retry(subject, state),
            reraise=True,
        )
        url = f"{self._settings.api_url}{target}"

        def attempt() -> T:
            if self._stopping.is_set():
                raise TransientError(_STOPPED)
            try:
                return decode(self._answer(url, subject))
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
                f"{subject}: {error.reason} after {tries} attempts. Run again later; "
                "if it persists, raise 'max_retries' or 'request_timeout', or lower 'read_ahead'."
            )
            raise CubeError(msg) from None

    def _seconds_to_wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, TransientError) else None
        return self._wait(state) if asked is None else asked

    def _log_retry(self, subject: RequestLabel, state: tenacity.RetryCallState) -> None:
        with self._lock:
            self.retries[subject.stream] += 1
        self._logger.warning(
            "%s: %s; retrying in %.1f seconds (%d of %d)",
            subject,
            state.outcome.exception() if state.outcome else "",
            state.upcoming_sleep,
            state.attempt_number,
            self._settings.max_retries,
        )

    def _answer(self, url: str, subject: RequestLabel) -> bytes:
        """Body of one answer with status 200, redirects of the account itself followed."""
        for _ in range(_MAX_REDIRECTS):
            deadline = time.monotonic() + self._settings.request_timeout
            with self._lock:
                self.requests[subject.stream] += 1
            try:
                with self._transport.get(url) as response:
                    if response.status_code == HTTPStatus.OK:
                        return read_body(response, deadline)
                    if response.status_code not in _REDIRECTS:
                        self._refuse(response, subject)
            except requests.exceptions.SSLError:
                msg = (
                    f"{subject}: the host's certificate could not be verified. Check 'api_url'; "
                    "a private authority is named by the variable REQUESTS_CA_BUNDLE."
                )
                raise CubeError(msg) from None
            except requests.RequestException as error:
                raise TransientError(reason_of(error)) from None
            url = self._redirected(url, response.headers.get("Location", ""), subject)
        msg = f"{subject}: too many redirects. Check 'api_url'."
        raise CubeError(msg)

    def _refuse(self, response: requests.Response, subject: RequestLabel) -> t.NoReturn:
        status = response.status_code
        if status in _THROTTLED:
            self._throttled_until = time.monotonic() + THROTTLE_SECONDS
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            after = retry_after(response.headers.get("Retry-After"))
            reason = f"HTTP {status}"
            if after is not None and after > MAX_WAIT:
                msg = f"{subject}: {reason}, and to ask again in {after:.0f} s. Run again then."
                raise CubeError(msg)
            raise TransientError(reason, retry_after=after)
        if status == HTTPStatus.UNAUTHORIZED:
            names = "'auth_token'" if self._settings.auth_token else "'username' and 'password'"
            msg = f"{subject}: HTTP 401, the account refuses the credential. Check {names}."
            raise CredentialError(msg)
        if status == HTTPStatus.FORBIDDEN:
            msg = (
                f"{subject}: HTTP 403, the credential may not see it. "
                "Ask the account's administrator, or leave it out of the settings."
            )
            raise ForbiddenError(msg)
        if status in _NOT_THERE:
            msg = f"{subject}: HTTP {status}, the account does not have it. Check id and 'api_url'."
            raise NotFoundError(msg)
        msg = f"{subject}: HTTP {status}, unexpected status. Check 'api_url'."
        raise CubeError(msg)

    def _redirected(self, url: str, location: str, subject: RequestLabel) -> str:
        """Address a redirect leads to, if it is the same page of the account's own host."""
        try:
            target = urljoin(url, location)
            is_plain = location.isprintable() and not location.startswith("//")
            is_same = is_plain and identity(target) == identity(url)
        except ValueError:
            target, is_same = location, False
        if not is_same:
            msg = (
                f"{subject}: redirected to another address, which is not followed with the "
                "credential. Check 'api_url': scheme and host must be the account's own."
            )
            raise CubeError(msg)
        return target


def identity(url: str) -> tuple[object, ...]:
    """What a redirect must keep: scheme, host, kind of resource, and query with its page."""
    parts = urlsplit(url)
    kind = parts.path.rstrip("/").rpartition("/")[2]
    query = [pair for pair in parse_qsl(parts.query) if pair != ("page", "1")]
    return parts.scheme, parts.netloc, kind, sorted(query)
