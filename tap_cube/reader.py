"""Reading the pages of one stream's sources, each to a certain end."""

from __future__ import annotations

import typing as t
from itertools import islice
from urllib.parse import parse_qsl, urlsplit

from tap_cube.client import Subject
from tap_cube.completeness import CompleteReader
from tap_cube.errors import CubeError, ForbiddenError, NotFoundError, TransientError
from tap_cube.pages import NO_PAGE, Page, PageDecoder
from tap_cube.pagination import NextLinkPaginator, Pages
from tap_cube.read_ahead import ReadAhead

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Iterator

    from tap_cube.client import CubeClient
    from tap_cube.heads import Head
    from tap_cube.read_ahead import Workers

    Request: t.TypeAlias = tuple[str, str]
    """Name of a source, and path and query of a page of it."""


class Reader:
    """Reads pages by name of source and target.

    Args:
        stream: The stream, for errors.
        client: The account.
        workers: Who asks ahead.
        kind: What is looked at in each row.
        known: Sources that were seen to answer, so that a 404 is no answer.
        may_be_list: Whether answers may be bare lists, which have no pages (T13).
        on_wait: Called before something has to be waited for.
    """

    def __init__(  # noqa: PLR0913 - what reading needs, none of it optional
        self,
        stream: str,
        client: CubeClient,
        workers: Workers,
        *,
        kind: type[Head],
        known: Iterable[str],
        may_be_list: bool,
        on_wait: Callable[[], object],
    ) -> None:
        """Ask nothing yet."""
        self._stream = stream
        self._client = client
        self._workers = workers
        self._page_of = PageDecoder(kind)
        self._known = set(known)
        self._may_be_list = may_be_list
        self._on_wait = on_wait
        self._firsts = ReadAhead(self._page, workers, on_wait)

    @property
    def width(self) -> int:
        """Requests that may be made ahead at this moment."""
        return 0 if self._client.is_calming else self._workers.width

    def first(self, request: Request, ahead: Iterable[Request]) -> Page:
        """The first page of a resource, while those needed next are fetched ahead."""
        return self._firsts.take(request, islice(ahead, self.width))

    def pages(
        self, request: Request, first: Page, logger: logging.Logger
    ) -> Iterator[tuple[int, Page, list[int]]]:
        """Yield the pages that follow each other, and the places of the rows to look at.

        Before them stands the number of the reading.

        Args:
            request: Of the first page.
            first: The first page.
            logger: Where odd links and further readings are told.

        Raises:
            CubeError: If no reading was certain to be complete, or a page cannot be read.
        """
        name, target = request

        def fetch(target: str) -> Page | None:
            try:
                return self._page((name, target))
            except NotFoundError:
                return None
            except ForbiddenError as error:  # what was readable a moment ago is not left out
                raise CubeError(str(error)) from None

        with ReadAhead(fetch, self._workers, self._on_wait) as fetched:
            paginator = NextLinkPaginator(target, logger)
            pages = Pages(paginator, fetched, lambda: self.width, first)
            subject = f"{self._stream} of {name}" if name else self._stream
            reader = CompleteReader(pages, subject=subject, logger=logger)
            for page, places in reader:
                yield reader.reading, page, places

    def _page(self, request: Request) -> Page:
        name, target = request
        number = int(dict(parse_qsl(urlsplit(target).query)).get("page", 1))
        subject = Subject(self._stream, name, number)
        is_known = number == 1 and name in self._known
        page = self._client.get(target, subject, self._decode, is_known=is_known)
        self._known.add(name)
        return page

    def _decode(self, body: bytes) -> Page:
        page = self._page_of(body)
        if page.is_list and not self._may_be_list:
            raise TransientError(NO_PAGE)
        return page
