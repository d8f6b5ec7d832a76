"""A request and its response."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from typing_extensions import override

if t.TYPE_CHECKING:
    from datetime import datetime

T = t.TypeVar("T")


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

    @property
    def resource(self) -> tuple[str, str]:
        """Stream and context, which together have one endpoint."""
        return self.stream, self.context

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
