"""Which endpoint serves a stream: requests are sent in order until one brings a page."""

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
"""Responses of 404, one a partition, after which an endpoint counts as missing."""


@dataclass(frozen=True, slots=True)
class Probe:
    """The requests that may find a stream, in order.

    Attributes:
        stream: Name of the stream.
        requests: Endpoint, name of the partition, and path and query of each request.
    """

    stream: str
    requests: tuple[tuple[Endpoint, str, str], ...]

    @classmethod
    def of(cls, stream: str, places: Iterable[tuple[Endpoint, Partition]], days: Window) -> t.Self:
        """Make the probe of these endpoints and partitions.

        Args:
            stream: Name of the stream.
            places: Endpoints and partitions in the order to request them.
            days: The days to request from endpoints that take a window.
        """
        requests = (
            (endpoint, partition.name, endpoint.target(partition.context, days))
            for endpoint, partition in places
        )
        return cls(stream, tuple(requests))


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The result of a probe.

    Attributes:
        response: The endpoint that responded and its page; None if none did.
        refusals: An error for each partition that the credential may not see.
        forbidden: The endpoints that refused any of these partitions.
    """

    response: tuple[Endpoint, Page] | None
    refusals: tuple[ForbiddenError, ...]
    forbidden: frozenset[Endpoint]


def probe(client: CubeClient, candidates: Probe) -> ProbeResult:
    """Send the requests of a probe until an endpoint responds with a page.

    A partition that refused the credential (403) is not requested again. Neither is an endpoint
    that responded with 404 `PROBES` times.

    Args:
        client: Client of the account.
        candidates: The requests.

    Raises:
        CubeError: If a request fails with anything but 403 or 404.
    """
    refusals: dict[str, ForbiddenError] = {}
    forbidden: set[Endpoint] = set()
    missing: Counter[Endpoint] = Counter()
    response = None
    for endpoint, name, target in candidates.requests:
        if name in refusals or missing[endpoint] == PROBES:
            continue
        try:
            label = RequestLabel(candidates.stream, name)
            page = client.get(target, label, decode_page).content
        except NotFoundError:
            missing[endpoint] += 1
        except ForbiddenError as error:
            refusals[name] = error
            forbidden.add(endpoint)
        else:
            response = endpoint, page
            break
    return ProbeResult(response, tuple(refusals.values()), frozenset(forbidden))
