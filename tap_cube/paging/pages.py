"""The pages of one resource: the tap builds their URLs and fetches them ahead of use."""

from __future__ import annotations

import typing as t
from functools import partial
from urllib.parse import parse_qsl, urlsplit

from tap_cube.errors import NotFoundError, TransientError
from tap_cube.http.exchange import RequestLabel
from tap_cube.http.prefetch import Prefetcher
from tap_cube.paging.first_pages import FirstPages
from tap_cube.paging.links import NextLinkPaginator, with_page
from tap_cube.records.page import END, NOT_A_PAGE, Page, PageDecoder

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tap_cube.http.client import CubeClient
    from tap_cube.http.exchange import Response
    from tap_cube.http.prefetch import WorkerPool
    from tap_cube.logs import AnyLogger
    from tap_cube.records.rows import Row

    Request: t.TypeAlias = tuple[str, str]
    """Name of a partition, and path and query of one of its pages."""


def page_of(response: Response[Page]) -> Page:
    """Return the page of a response, with the times of the response."""
    page = response.content
    page.asked, page.came, page.date = response.asked, response.came, response.date
    return page


class PageReader:
    """Fetches and decodes the pages of one stream.

    Args:
        stream: Name of the stream, for errors.
        client: Client of the account.
        pool: Threads that fetch ahead.
        row_type: Type to which each row is decoded.
        may_be_list: Whether a response may be a bare list, which has no pages (T13).
        on_wait: Called before the caller waits for a response.
        kept: First pages that were fetched before.

    Attributes:
        may_retry: Whether requests that fail are sent again.
        doubts_empty: Whether a first page without rows is requested once more.
    """

    def __init__(  # noqa: PLR0913 - a reader needs all of them
        self,
        stream: str,
        client: CubeClient,
        pool: WorkerPool,
        *,
        row_type: type[Row],
        may_be_list: bool,
        on_wait: Callable[[], object],
        kept: FirstPages | None = None,
    ) -> None:
        self._stream = stream
        self._client = client
        self._pool = pool
        self._page_decoder = PageDecoder(row_type)
        self._may_be_list = may_be_list
        self.may_retry, self.doubts_empty = True, False
        self._on_wait = on_wait
        self._first_pages = Prefetcher(self._fetch, pool, on_wait)
        self._kept = FirstPages() if kept is None else kept

    @property
    def lookahead(self) -> int:
        """Requests that may be known ahead of the current one."""
        return self._pool.limit.upper

    def first_page(self, request: Request, lookahead: Iterable[Request]) -> Page:
        """Get the first page of a resource, and start to fetch those expected next.

        Raises:
            CubeError: If the request fails.
        """
        kept = self._kept.take(self._stream, request[1])
        if kept and (kept.rows or not self.doubts_empty):
            return kept
        missing = (each for each in lookahead if not self._kept.has(self._stream, each[1]))
        page = self._first_pages.take(request, missing)
        is_doubtful = self.doubts_empty and not (page.rows or kept)
        return self._first_pages.take(request, ()) if is_doubtful else page

    def look(self, request: Request, lookahead: Iterable[Request]) -> Page:
        """Get a first page, maybe without its rows, and keep it for `first_page`.

        Raises:
            CubeError: If the request fails.
        """
        if page := self._kept.look(self._stream, request[1]):
            return page
        page = self.first_page(request, lookahead)
        self._kept.put(self._stream, request[1], page, self._page_decoder)
        return page

    def pages(self, request: Request, first: Page, logger: AnyLogger) -> Pages:
        """Make the `Pages` of a resource whose first page was just read by this request."""
        name, target = request
        fetched = Prefetcher(partial(self._later_page, name), self._pool, self._on_wait)
        return Pages(target, first, fetched, self.lookahead, logger)

    def _later_page(self, name: str, target: str) -> Page | None:
        try:
            return self._fetch((name, target))
        except NotFoundError:
            return None

    def _fetch(self, request: Request) -> Page:
        name, target = request
        number = int(dict(parse_qsl(urlsplit(target).query)).get("page", 1))
        subject = RequestLabel(self._stream, name, number)
        response = self._client.get(target, subject, self._decode, may_retry=self.may_retry)
        return page_of(response)

    def _decode(self, body: bytes) -> Page:
        page = self._page_decoder(body)
        if page.is_list and not self._may_be_list:
            raise TransientError(NOT_A_PAGE)
        return page


class Pages:
    """All pages of one resource, by number or by link.

    A context manager: at the end it drops the pages that were fetched ahead.

    Args:
        target: Path and query of the first page.
        first: The first page.
        fetched: Fetches a page by its path and query; None if the page does not exist (404).
        lookahead: Pages that may be fetched ahead.
        logger: Logs a ``next`` that is not followed.

    Attributes:
        lookahead: Pages that may be fetched ahead.
        is_counting: Whether pages are counted because ``next`` led elsewhere.
    """

    def __init__(
        self,
        target: str,
        first: Page,
        fetched: Prefetcher[str, Page | None],
        lookahead: int,
        logger: AnyLogger,
    ) -> None:
        self._target = target
        self._first: Page | None = first
        self._fetched = fetched
        self.lookahead = lookahead
        self._logger = logger
        self._paginator = NextLinkPaginator(target)
        self.is_counting = False

    def __enter__(self) -> t.Self:
        """Return the pages."""
        return self

    def __exit__(self, *_: object) -> None:
        """Drop what was fetched ahead."""
        self._fetched.close()

    def page(self, number: int) -> Page | None:
        """Get one page by its number, from 1; None if it does not exist."""
        first, self._first = self._first, None
        if number == 1 and first is not None:
            return first
        return self._fetched.take(with_page(self._target, number))

    def page_after(self, page: Page, number: int, lookahead: int) -> Page | None:
        """Get the page after page ``number``: `END` after the last, None if it does not exist.

        Args:
            page: Page ``number``, whose ``next`` says whether there is another page.
            number: Number of the page, from 1.
            lookahead: Pages that may be fetched ahead of the one returned.

        Raises:
            CubeError: If the request fails.
        """
        if number == 1:
            self._paginator = NextLinkPaginator(self._target)
        target = self._paginator.follow(page)
        if self._paginator.is_counting and not self.is_counting:
            self.is_counting = True
            self._logger.warning(
                "'next' does not point to page %d; counting pages instead", number + 1
            )
        if target is None:
            return END
        ahead = range(number + 2, number + 2 + lookahead)
        return self._fetched.take(target, [with_page(self._target, n) for n in ahead])
