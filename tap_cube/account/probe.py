"""Which endpoint answers: requests made one after the other until one of them brings a page."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass

from tap_cube.errors import ForbiddenError, NotFoundError
from tap_cube.http.client import RequestLabel
from tap_cube.records.page import decode_page

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_cube.account.endpoint import Endpoint
    from tap_cube.account.model import Partition
    from tap_cube.http.client import CubeClient
    from tap_cube.paging.windows import Window
    from tap_cube.records.page import Page

PROBES = 3
"""Campaigns or CRMs that answer 404 before an endpoint counts as one that the account lacks."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What to ask for a stream, in order.

    Attributes:
        stream: The stream.
        tries: Endpoint, name of the partition, and path and query, of each request.
    """

    stream: str
    tries: tuple[tuple[Endpoint, str, str], ...]

    @classmethod
    def of(cls, stream: str, places: Iterable[tuple[Endpoint, Partition]], days: Window) -> t.Self:
        """Make the probe of these endpoints and partitions.

        Args:
            stream: The stream.
            places: Endpoints and partitions in the order to ask them.
            days: What to ask an endpoint for that wants a window of days.
        """
        tries = (
            (endpoint, partition.name, endpoint.target(partition.context, days))
            for endpoint, partition in places
        )
        return cls(stream, tuple(tries))


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What came of a probe.

    Attributes:
        answer: The endpoint that answered, and its page; None if none did.
        refusals: An error for each partition that the credential may not see.
        forbidden: The endpoints that refused some of them.
    """

    answer: tuple[Endpoint, Page] | None
    refusals: tuple[ForbiddenError, ...]
    forbidden: frozenset[Endpoint]


def probe(client: CubeClient, asked: Probe) -> ProbeResult:
    """Ask until an endpoint answers.

    A partition that refused the credential is not asked again. Neither is an endpoint after
    ``PROBES`` answers of 404.

    Raises:
        CubeError: If a request fails with anything but 403 or 404.
    """
    refusals: dict[str, ForbiddenError] = {}
    forbidden: set[Endpoint] = set()
    missing: Counter[Endpoint] = Counter()
    answer = None
    for endpoint, name, target in asked.tries:
        if name in refusals or missing[endpoint] == PROBES:
            continue
        try:
            page = client.get(target, RequestLabel(asked.stream, name), decode_page)
        except NotFoundError:
            missing[endpoint] += 1
        except ForbiddenError as error:
            refusals[name] = error
            forbidden.add(endpoint)
        else:
            answer = endpoint, page
            break
    return ProbeResult(answer, tuple(refusals.values()), frozenset(forbidden))
