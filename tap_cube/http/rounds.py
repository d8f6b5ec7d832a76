"""What the limit of requests in flight remembers of requests and their responses."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Permit:
    """A request in flight.

    Attributes:
        stream: The stream that it belongs to.
        asked: Time when it was sent.
        in_flight: Requests in flight when it was sent, itself included.
        epoch: Number of cuts before it.
        size: Bytes of its body; None if there was no good response.
        is_refused: Whether the server refused it, or had no time for it.
    """

    stream: str
    asked: float
    in_flight: int
    epoch: int
    size: int | None = None
    is_refused: bool = False


@dataclass(slots=True)
class Round:
    """Some responses to requests of one limit, at least as many as may be in flight.

    Attributes:
        width: The limit at its start.
        ratios: Time of each response in relation to the usual time of its stream.
        in_flight: Sum of the requests in flight when these were sent.
        peak: The most requests in flight.
        is_awaited: Whether the tap had to wait for a response.
        streams: The streams of these responses.
        began: Wall and CPU time at its start.
    """

    width: int
    began: tuple[float, float]
    ratios: list[float] = field(default_factory=list)
    in_flight: int = 0
    peak: int = 0
    is_awaited: bool = False
    streams: set[str] = field(default_factory=set)

    @property
    def ratio(self) -> float:
        """The mean without the fastest and the slowest quarter."""
        cut = len(self.ratios) // 4
        middle = sorted(self.ratios)[cut : len(self.ratios) - cut]
        return sum(middle) / len(middle)

    @property
    def throughput(self) -> float:
        """Responses in the usual time of one."""
        return self.in_flight / len(self.ratios) / self.ratio
