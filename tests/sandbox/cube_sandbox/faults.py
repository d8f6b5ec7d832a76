"""Faults: what can go wrong with an answer, and which requests it strikes."""

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
    """A request as the server saw it.

    Attributes:
        number: Its place since the sandbox began or was reset, from 1.
        method: GET, PUT, ...
        path: The path as sent, percent signs decoded.
        query: The query as sent, without the question mark.
        row: The row of `cube-api.md` that it asks for, None for an unknown URL.
        scheme_of_auth: First word of the Authorization header; None without one.
    """

    number: int
    method: str
    path: str
    query: str
    row: str | None
    scheme_of_auth: str | None

    @property
    def page(self) -> int:
        """The page asked for; 1 when the query names none."""
        for pair in self.query.split("&"):
            name, _, value = pair.partition("=")
            if name == "page" and value.isdecimal():
                return int(value)
        return 1


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong.

    Attributes:
        kind: What happens. "reset" breaks the connection in mid-body, "refuse" before the first
            byte; "truncate" ends a body short of its length, "truncate-gzip" inside the packed
            data; "stall" sends headers and then nothing; "endless" never stops sending; the last
            four and "html" are 200s with a wrong body.
        at: Numbers of the requests struck; None leaves the choice to the other attributes.
        share: Share of the requests struck, chosen by the sandbox's seed; 0 strikes all.
        row: Only requests for this row of `cube-api.md`.
        page: Only requests for this page.
        times: How often it strikes before it is over; None is for ever.
        retry_after: Seconds or an HTTP date for `Retry-After` (429 and 5xx).
        seconds: How long "delay" and "stall" last.
        location: Where "redirect" leads.
        body: Replaces the body that the kind would send.
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
        """Refuse a kind that does not exist."""
        if self.kind not in KINDS:
            msg = f"{self.kind!r} is no kind of fault; there are {', '.join(KINDS)}."
            raise ValueError(msg)

    def strikes(self, request: Request, seed: int) -> bool:
        """Whether the fault concerns this request, however often it struck before."""
        if self.at is not None:
            numbers = (self.at,) if isinstance(self.at, int) else self.at
            if request.number not in numbers:
                return False
        if self.row not in {None, request.row} or self.page not in {None, request.page}:
            return False
        return not self.share or lot(seed, request.number) < self.share


def lot(*numbers: int) -> float:
    """Draw a number in [0, 1) that depends on nothing but the arguments."""
    return zlib.crc32(" ".join(map(str, numbers)).encode()) / 2**32
