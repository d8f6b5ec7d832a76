"""Finding out where an account answers: requests made one after the other until one has a page."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from tap_cube.client import Subject
from tap_cube.errors import ForbiddenError, NotFoundError
from tap_cube.pages import decode_page
from tap_cube.prefetch import Prefetcher
from tap_cube.windows import Window

if t.TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from tap_cube.client import CubeClient
    from tap_cube.generations import Endpoint
    from tap_cube.pages import Page
    from tap_cube.prefetch import WorkerPool
    from tap_cube.sources import Source

_LATELY = timedelta(days=30)

PROBES = 3
"""Campaigns or CRMs that answer 404 before an address counts as one that the account lacks."""


@dataclass(frozen=True, slots=True)
class Search:
    """Requests to make for a stream, one after the other, until one of them brings a page.

    Attributes:
        stream: The stream.
        tries: Endpoint, name of the source, and path and query, of each.
    """

    stream: str
    tries: tuple[tuple[Endpoint, str, str], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to.

    Attributes:
        answer: The endpoint that answered, and its page; None if none did.
        refusals: Of sources that the credential may not see.
        forbidden: The endpoints that refused some of them.
    """

    answer: tuple[Endpoint, Page] | None
    refusals: tuple[ForbiddenError, ...]
    forbidden: frozenset[Endpoint]


class Asker:
    """Makes searches, some of them ahead of the one that is waited for.

    Args:
        client: The account.
        workers: Who asks ahead.
        zone: Zone of the days that an endpoint may want to be given.
    """

    def __init__(self, client: CubeClient, workers: WorkerPool, zone: ZoneInfo) -> None:
        """Ask nothing yet."""
        self._client = client
        self._workers = workers
        self._ahead = Prefetcher(self._ask, workers)
        today = datetime.now(zone).date()
        self._lately = Window(today - _LATELY, today)

    @property
    def width(self) -> int:
        """Searches that may be made ahead at this moment."""
        return 0 if self._client.is_calming else self._workers.size

    def search(self, stream: str, places: Iterable[tuple[Endpoint, Source]]) -> Search:
        """Make a search of the endpoints and sources to try, in order."""
        tries = (
            (endpoint, source.name, endpoint.target(source.context, self._lately))
            for endpoint, source in places
        )
        return Search(stream, tuple(tries))

    def found(self, search: Search, then: Iterable[Search] = ()) -> Found:
        """What a search comes to, while the first of those that are needed next are begun.

        Raises:
            CubeError: If a request fails otherwise than by 403 and 404.
        """
        return self._ahead.take(search, islice(then, self.width))

    def _ask(self, search: Search) -> Found:
        refusals: dict[str, ForbiddenError] = {}
        forbidden: set[Endpoint] = set()
        missing: Counter[Endpoint] = Counter()
        answer = None
        for endpoint, name, target in search.tries:
            if name in refusals or missing[endpoint] == PROBES:
                continue
            try:
                page = self._client.get(target, Subject(search.stream, name), decode_page)
            except NotFoundError:
                missing[endpoint] += 1
            except ForbiddenError as error:
                refusals[name] = error
                forbidden.add(endpoint)
            else:
                answer = endpoint, page
                break
        return Found(answer, tuple(refusals.values()), frozenset(forbidden))
