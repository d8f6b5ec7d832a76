"""GET requests to one account: deadline, retries, redirects, and an error per status."""

from __future__ import annotations

import time
import typing as t
from collections import Counter, defaultdict
from http import HTTPStatus
from threading import Event, Lock

import requests
import tenacity
from urllib3.exceptions import HTTPError

from tap_cube.errors import (
    ConnectError,
    CubeError,
    NotFoundError,
    TooLargeError,
    TransientError,
    UnreachableError,
)
from tap_cube.http.body import TIMED_OUT, read_body
from tap_cube.http.clock import AccountClock
from tap_cube.http.deadline import Watchdog
from tap_cube.http.exchange import Response
from tap_cube.http.failures import failure_of
from tap_cube.http.limit import AdaptiveLimit
from tap_cube.http.redirects import redirected
from tap_cube.http.status import GONE, error_of
from tap_cube.http.transport import CONNECT_SECONDS, Transport

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from datetime import datetime

    from tap_cube.http.deadline import Deadline
    from tap_cube.http.exchange import RequestLabel
    from tap_cube.settings import Settings

T = t.TypeVar("T")

WAIT = tenacity.wait_exponential(0.2, exp_base=2.5, max=60) + tenacity.wait_random(0, 0.3)
"""Wait before each retry: grows from 0.2 seconds to a minute, with jitter."""

FIRST_TRIES = 3
"""Attempts to connect to a host that has never answered: its address may be wrong."""

_STOPPED = "the run is ending"
_MAX_REDIRECTS = 3
_REDIRECT_STATUSES = {301, 302, 303, 307, 308}


class CubeClient:
    """Client of one account. Threads may share it.

    Args:
        settings: Address, credential, timeout and number of retries.
        logger: Logger for retries.
        wait: Wait before each retry, `WAIT` by default.

    Attributes:
        clock: The account's own clock.
        limit: How many requests may be in flight.
        requests: Number of requests per stream and partition, including retries.
        retries: Number of retries per stream and partition.
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
        self._stopping, self._lock = Event(), Lock()
        self._known: set[tuple[str, str]] = set()
        self.clock = AccountClock()
        self.limit = AdaptiveLimit(settings.read_ahead)
        self.requests = defaultdict[str, Counter[str]](Counter)
        self.retries = defaultdict[str, Counter[str]](Counter)
        self._transport, self._watchdog = Transport(settings), Watchdog()

    def stop(self) -> None:
        """Fail all requests that wait for a retry, and all later ones."""
        self._stopping.set()

    def get(
        self,
        target: str,
        label: RequestLabel,
        decode: Callable[[bytes], T],
        *,
        is_known: bool = False,
        may_retry: bool = True,
    ) -> Response[T]:
        """Send a request until its response decodes, with at most ``max_retries`` retries.

        A 403, 404 or log-in page for what answered before is retried, too.

        Args:
            target: Path and query, relative to the account's address.
            label: Name of the request in errors and logs.
            decode: Decodes a body; raises `TransientError` if the body is damaged.
            is_known: Whether this stream and context answered in an earlier run.
            may_retry: Whether to send the request again if it fails.

        Raises:
            CredentialError: If the status is 401.
            UnreachableError: If there is no connection to the host.
            ForbiddenError: If the status is 403, and stream and context never answered.
            NotFoundError: If the status is 404, 405 or 410, likewise; for a single customer or a
                later page also if they answered.
            CubeError: If anything else fails. The message names request, reason and remedy.
        """
        if is_known:
            self._known.add(label.resource)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TransientError),
            stop=self._is_last if may_retry else tenacity.stop_after_attempt(1),
            wait=self._seconds_to_wait,
            sleep=tenacity.sleep_using_event(self._stopping),
            before_sleep=lambda state: self._log_retry(label, state),
            reraise=True,
        )
        url = f"{self._settings.api_url}{target}"

        def attempt() -> Response[T]:
            with self.limit.request(label.stream, self._stopping) as permit:
                if self._stopping.is_set():
                    raise TransientError(_STOPPED)
                asked = time.monotonic()
                body, date = self._send(url, label)
                permit.size = len(body)
            response = Response(decode(body), asked, time.monotonic(), date)
            self._known.add(label.resource)
            return response

        try:
            return retrying(attempt)
        except TransientError as error:
            raise self._final(error, label, retrying.statistics["attempt_number"]) from None
        except TooLargeError as error:
            msg = f"{label}: {error}"
            raise CubeError(msg) from None

    def _final(self, error: TransientError, label: RequestLabel, tries: int) -> CubeError:
        """The error after the last attempt."""
        kind = UnreachableError if isinstance(error, ConnectError) else CubeError
        if kind is UnreachableError and not self._transport.has_answered:
            return kind(f"{label}: {error.reason}; {error.remedy}.")
        return kind(
            f"{label}: {error.reason} after {tries} attempts. "
            f"Run again later; if it persists, {error.remedy}."
        )

    def _is_last(self, state: tenacity.RetryCallState) -> bool:
        """Whether another attempt is not allowed, or is as good as hopeless."""
        tries = state.attempt_number
        if tries > self._settings.max_retries or self._stopping.is_set():
            return True
        error = state.outcome.exception() if state.outcome else None
        if self._transport.has_answered or not isinstance(error, ConnectError):
            return False
        return tries >= FIRST_TRIES or (state.seconds_since_start or 0) >= CONNECT_SECONDS

    def _seconds_to_wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        requested = error.retry_after if isinstance(error, TransientError) else None
        return max(self._wait(state), requested or 0)

    def _log_retry(self, label: RequestLabel, state: tenacity.RetryCallState) -> None:
        with self._lock:
            self.retries[label.stream][label.context] += 1
        self._logger.warning(
            "%s: %s; retrying in %.1f seconds (%d of %d)",
            label,
            state.outcome.exception() if state.outcome else "",
            state.upcoming_sleep,
            state.attempt_number,
            self._settings.max_retries,
        )

    def _send(self, url: str, label: RequestLabel) -> tuple[bytes, datetime | None]:
        """Return body and date of a good response, all within ``request_timeout``."""
        with self._watchdog.limit(self._settings.request_timeout) as deadline:
            try:
                answer = self._follow(url, label, deadline)
            except ConnectError:
                raise
            except TransientError:
                if deadline.remaining > 0:
                    raise
            else:
                if deadline.remaining > 0:
                    return answer
        raise TransientError(TIMED_OUT, is_overload=True)

    def _follow(
        self, url: str, label: RequestLabel, deadline: Deadline
    ) -> tuple[bytes, datetime | None]:
        """Return body and date of a good response, after redirects to the same page."""
        for _ in range(_MAX_REDIRECTS):
            with self._lock:
                self.requests[label.stream][label.context] += 1
            try:
                with self._transport.get(url) as response:
                    self._logger.debug("%s: HTTP %d", label, response.status_code)
                    if response.status_code == HTTPStatus.OK:
                        date = self.clock.update(response.headers.get("Date"))
                        return read_body(response, deadline), date
            except (requests.RequestException, HTTPError) as error:
                known = self._transport.has_answered
                raise failure_of(error, has_answered=known) from None
            if response.status_code == HTTPStatus.NO_CONTENT:
                return _empty(label), self.clock.update(response.headers.get("Date"))
            if response.status_code not in _REDIRECT_STATUSES:
                raise self._error_of(response, label)
            try:
                url = redirected(url, response.headers.get("Location", ""), label)
            except CubeError as error:
                away = "redirected to another address"
                raise self._redirect_error(away, error) from None
        loop = "too many redirects"
        raise self._redirect_error(loop, CubeError(f"{label}: {loop}. Check 'api_url'."))

    def _redirect_error(self, reason: str, error: CubeError) -> Exception:
        # If the account has answered, it is a log-in page, whatever it was asked for.
        return TransientError(reason, remedy="check 'api_url'") if self._known else error

    def _error_of(self, response: requests.Response, label: RequestLabel) -> Exception:
        status = response.status_code
        names = "'auth_token'" if self._settings.auth_token else "'username' and 'password'"
        return error_of(response, label, names, is_hiccup=self._is_hiccup(status, label))

    def _is_hiccup(self, status: int, label: RequestLabel) -> bool:
        """Whether a status contradicts what this run has seen, so that it may pass."""
        if status in GONE and label.page != 1:
            return False  # the list has become shorter, or the customer was deleted
        # Below 400 it is the challenge of a firewall, whatever it stands before.
        is_challenge = status < HTTPStatus.BAD_REQUEST and bool(self._known)
        return is_challenge or label.resource in self._known


def _empty(label: RequestLabel) -> bytes:
    """The body that a 204 stands for: a page without rows, with no count that could prove it."""
    if label.page is None:
        msg = f"{label}: HTTP 204, the account does not have it. Check id and 'api_url'."
        raise NotFoundError(msg)
    return b'{"results": []}'
