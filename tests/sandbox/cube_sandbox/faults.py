"""Faults: what goes wrong with a response, and for which requests."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Collection

Kind = Literal[
    "400",
    "401",
    "403",
    "404",
    "429",
    "500",
    "502",
    "503",
    "504",
    "reset",
    "refuse",
    "truncate",
    "truncate-gzip",
    "stall",
    "endless",
    "delay",
    "html",
    "redirect",
    "not-json",
    "not-envelope",
    "results-not-list",
    "empty-list",
]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the server received it.

    Attributes:
        number: Its number, from 1, since the sandbox was started or reset.
        method: GET, PUT, ...
        path: The path, percent-decoded.
        query: The query as sent, without the question mark.
        row: The endpoint's number in `docs/api.md`; None for an unknown URL.
        scheme_of_auth: First word of the Authorization header; None without a header.
    """

    number: int
    method: str
    path: str
    query: str
    row: str | None
    scheme_of_auth: str | None

    @property
    def page(self) -> int:
        """The requested page; 1 if the query has none."""
        for pair in self.query.split("&"):
            name, _, value = pair.partition("=")
            if name == "page" and value.isdecimal():
                return int(value)
        return 1


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault and the requests that it affects.

    Attributes:
        kind: What happens. "reset" resets the connection in the middle of the body, "refuse" before
            the first byte; "truncate" sends fewer bytes than Content-Length, "truncate-gzip" a
            truncated gzip stream; "stall" sends headers and then nothing; "endless" never stops
            sending; the last four and "html" have status 200 and a wrong body.
        at: Numbers of the affected requests; None for any number.
        share: Share of the affected requests, chosen by the sandbox's seed; 0 for all.
        row: Only requests for this endpoint of `docs/api.md`.
        page: Only requests for this page.
        times: How often the fault happens; None for no limit.
        retry_after: Seconds or an HTTP date for `Retry-After` (429 and 5xx).
        seconds: How long "delay" and "stall" last.
        location: Target of "redirect".
        body: Replaces the body of this kind.
    """

    kind: Kind
    at: int | Collection[int] | None = None
    share: float = 0.0
    row: str | None = None
    page: int | None = None
    times: int | None = None
    retry_after: int | str | None = None
    seconds: float = 30.0
    location: str = "/api/v1/campaigns"
    body: str | None = None

    def __post_init__(self) -> None:
        """Reject an unknown kind."""
        if self.kind not in KINDS:
            msg = f"{self.kind!r} is not a kind of fault; the kinds are {', '.join(KINDS)}."
            raise ValueError(msg)

    def matches(self, request: Request, seed: int) -> bool:
        """Whether the fault affects this request, without regard to `times`."""
        if self.at is not None:
            numbers = (self.at,) if isinstance(self.at, int) else self.at
            if request.number not in numbers:
                return False
        if self.row not in {None, request.row} or self.page not in {None, request.page}:
            return False
        return not self.share or seeded_fraction(seed, request.number) < self.share


def seeded_fraction(*numbers: int) -> float:
    """Return a pseudo-random number in [0, 1) that depends only on the arguments."""
    return zlib.crc32(" ".join(map(str, numbers)).encode()) / 2**32
