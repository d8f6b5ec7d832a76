"""Which endpoint serves a stream: requests are sent in order until one brings a page."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass
from functools import partial

from tap_cube.account.memory import NOTHING_EXPECTED
from tap_cube.errors import CubeError, ForbiddenError, NotFoundError, RunError, TransientError
from tap_cube.http.exchange import RequestLabel
from tap_cube.http.prefetch import Prefetcher
from tap_cube.paging.pages import page_of
from tap_cube.records.page import Page, PageDecoder, decode_page

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_cube.account.endpoint import Endpoint
    from tap_cube.account.memory import Expected
    from tap_cube.account.model import Partition
    from tap_cube.http.client import CubeClient
    from tap_cube.http.prefetch import WorkerPool
    from tap_cube.paging.first_pages import FirstPages
    from tap_cube.paging.windows import Window
    from tap_cube.records.rows import Row

PROBES = 3
"""Responses of 404, one a partition, after which an endpoint counts as missing in a first run."""

Places: t.TypeAlias = "Iterable[tuple[Endpoint, Partition]]"


@dataclass(frozen=True, slots=True)
class Probe:
    """The requests that may find a stream, in order.

    Attributes:
        stream: Name of the stream.
        requests: Endpoint, name of the partition, and path and query of each request.
        must_answer: Whether earlier runs read the stream there, so that no answer is a failure.
        has_rows: Whether an empty response counts as no answer.
        decode: Decodes a response.
        is_first_page: Whether the stream will read the page as the first one of a partition.
    """

    stream: str
    requests: tuple[tuple[Endpoint, str, str], ...]
    must_answer: bool = False
    has_rows: bool = False
    decode: PageDecoder = decode_page
    is_first_page: bool = False


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The result of a probe.

    Attributes:
        response: The endpoint that responded and its page; None if none did.
        refusals: An error for each partition that the credential may not see, by its name.
        forbidden: The endpoints that refused any of these partitions.
        target: Path and query of the page.
    """

    response: tuple[Endpoint, Page] | None
    refusals: Mapping[str, ForbiddenError]
    forbidden: frozenset[Endpoint]
    target: str = ""


class Prober:
    """Sends probes, and those expected next ahead of their use.

    Args:
        client: Client of the account.
        pool: Threads that fetch ahead.
        days: The days to request from endpoints that take a window.
        row_types: What streams decode of a row, by their names. Their pages are kept for them.
        kept: Keeps these pages.
    """

    def __init__(
        self,
        client: CubeClient,
        pool: WorkerPool,
        days: Window,
        row_types: Mapping[str, type[Row]],
        kept: FirstPages,
    ) -> None:
        self._pool = pool
        self._days = days
        self._decoders = {stream: PageDecoder(row_types[stream]) for stream in row_types}
        self._kept = kept
        self._probes = Prefetcher(partial(probe, client), pool)

    @property
    def lookahead(self) -> int:
        """Probes that may be made ahead."""
        return self._pool.limit.upper

    def of(
        self,
        stream: str,
        places: Places,
        expected: Expected = NOTHING_EXPECTED,
        decode: PageDecoder | None = None,
    ) -> Probe:
        """Make a probe.

        Args:
            stream: Name of the stream.
            places: Endpoints and partitions in the order to request them.
            expected: What earlier runs make certain.
            decode: Decodes a response; None if the stream reads the page later.
        """
        requests = (
            (endpoint, partition.name, endpoint.target(partition.context, self._days))
            for endpoint, partition in places
        )
        return Probe(
            stream,
            tuple(requests),
            expected.must_answer,
            expected.has_rows,
            decode or self._decoders.get(stream, decode_page),
            is_first_page=decode is None,
        )

    def result(self, candidates: Probe, lookahead: Iterable[Probe] = ()) -> ProbeResult:
        """Return the result of a probe, and start those expected next.

        Raises:
            CubeError: If a request fails with anything but 403 or 404, or if an endpoint that
                must answer does not.
        """
        result = self._probes.take(candidates, lookahead)
        if result.response and candidates.is_first_page:
            self._kept.put(candidates.stream, result.target, result.response[1], candidates.decode)
        return result


def probe(client: CubeClient, candidates: Probe) -> ProbeResult:
    """Send the requests of a probe until an endpoint responds with a page.

    A partition that refused the credential (403) is not requested again. Neither is an endpoint
    that responded with 404 `PROBES` times, unless earlier runs read the stream there. Then all
    partitions are tried, and the first is requested again with all retries before the run fails.

    A partition that fails in another way does not hide the endpoint from the others. But if the
    endpoint serves no other partition either, the next endpoint is not tried.

    Args:
        client: Client of the account.
        candidates: The requests.

    Raises:
        CubeError: If an endpoint responds with nothing but 403 and 404, and fails for one or more
            partitions, `PROBES` at most, or if none that must answer does.
    """
    failures: list[tuple[Endpoint, CubeError]] = []
    refusals: dict[str, ForbiddenError] = {}
    forbidden: set[Endpoint] = set()
    missing: Counter[Endpoint] = Counter()
    response, found = None, ""
    for endpoint, name, target in candidates.requests:
        if failures and (failures[0][0] is not endpoint or len(failures) == PROBES):
            raise failures[0][1]
        is_missing = missing[endpoint] == PROBES and not candidates.must_answer
        if name in refusals or is_missing:
            continue
        label = RequestLabel(candidates.stream, name)
        answer = _answer(client, target, label, candidates.decode)
        if isinstance(answer, Page):
            if answer.rows or not candidates.has_rows:
                response, found = (endpoint, answer), target
                break
        elif isinstance(answer, NotFoundError):
            missing[endpoint] += 1
        elif isinstance(answer, ForbiddenError):
            refusals[name] = answer
            forbidden.add(endpoint)
        else:
            failures.append((endpoint, answer))
    if response is None and failures:
        raise failures[0][1]
    if response is None and candidates.must_answer and candidates.requests:
        response, found = _asked_again(client, candidates), candidates.requests[0][2]
    return ProbeResult(response, refusals, frozenset(forbidden), found)


def _answer(
    client: CubeClient, target: str, label: RequestLabel, decode: PageDecoder
) -> Page | CubeError:
    """Request a page; return the error if another partition may answer."""
    try:
        return page_of(client.get(target, label, decode))
    except RunError:
        raise
    except CubeError as error:
        return error


def _asked_again(client: CubeClient, candidates: Probe) -> tuple[Endpoint, Page]:
    """Request, with all retries, what answered in earlier runs.

    Raises:
        CubeError: If it does not answer. The message names the address, and how to accept another.
    """
    endpoint, name, target = candidates.requests[0]

    def decode(body: bytes) -> Page:
        page = candidates.decode(body)
        if candidates.has_rows and not page.rows:
            msg = "the list is empty"
            raise TransientError(msg)
        return page

    label = RequestLabel(candidates.stream, name)
    try:
        return endpoint, page_of(client.get(target, label, decode, is_known=True))
    except RunError:
        raise
    except CubeError as error:
        reason = str(error).partition(". ")[0]
        msg = (
            f"{reason}. Earlier runs read it from {endpoint.path}. Run again later; if the account "
            "has changed for good, run once with --full-refresh, or without a state."
        )
        raise CubeError(msg) from None
