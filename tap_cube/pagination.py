"""The way from one page to the next."""

from __future__ import annotations

import typing as t
from urllib.parse import parse_qsl, urlencode, urlsplit

from singer_sdk.pagination import BaseHATEOASPaginator
from typing_extensions import override

from tap_cube.pages import END, decode_page

if t.TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    import requests

    from tap_cube.pages import Page
    from tap_cube.read_ahead import ReadAhead

LONGEST_LINK = 4096
"""Characters of a link that is still looked at."""


class NextLinkPaginator(BaseHATEOASPaginator):
    """Follows ``next``, but only its path and query, and only to the page after this one.

    A link that repeats the page, has no page, leads to another resource or is malformed (T3 to
    T11) is not followed: the paginator says so once and counts pages itself.

    Args:
        target: Path and query of the first request.
        logger: Where a link that is not followed is told.
    """

    def __init__(self, target: str, logger: logging.Logger) -> None:
        """Stand before the first page."""
        super().__init__()
        self._first = target
        self._logger = logger
        self.is_counting = False

    @override
    def get_next_url(self, response: requests.Response) -> str | None:
        return self.follow(decode_page(response.content), self.count)

    def page_target(self, number: int) -> str:
        """Path and query of a page by its number (1-based)."""
        return self._first if number == 1 else with_page(self._first, number)

    def follow(self, page: Page, number: int) -> str | None:
        """Path and query of the page after page ``number``; None after the last."""
        if page.next is None:
            return None
        if own_target(page.next, self._first, number + 1) is None and not self.is_counting:
            self.is_counting = True
            self._logger.warning(
                "The link to page %d does not lead there, so it is not followed; "
                "pages are counted instead and held against the account's count",
                number + 1,
            )
        # A link that is good asks for just this, if in an order of its own (T9).
        return self.page_target(number + 1)


class Pages:
    """The pages of one resource, by number or by link, some of them fetched ahead.

    Args:
        paginator: The way from page to page.
        fetched: Gets a page by path and query; None for one that is not there (404).
        width: How many pages may be asked for ahead at this moment.
        first: The first page, if it was fetched already.
    """

    def __init__(
        self,
        paginator: NextLinkPaginator,
        fetched: ReadAhead[str, Page | None],
        width: Callable[[], int],
        first: Page | None = None,
    ) -> None:
        """Fetch nothing yet."""
        self._first = first
        self._paginator = paginator
        self._fetched = fetched
        self._width = width

    @property
    def window(self) -> int:
        """Pages that may be asked for ahead at this moment."""
        return self._width()

    @property
    def is_counting(self) -> bool:
        """Whether links are of no use and pages are counted instead."""
        return self._paginator.is_counting

    def page(self, number: int) -> Page | None:
        """Get one page by its number (1-based); None if it is not there."""
        first, self._first = self._first, None
        if number == 1 and first is not None:
            return first
        return self._fetched.take(self._paginator.page_target(number))

    def page_after(self, page: Page, number: int, last_ahead: int) -> Page | None:
        """Get the page after page ``number``: `END` after the last, None if it is not there.

        Args:
            page: The page whose link is followed.
            number: Its number.
            last_ahead: Number of the last page that may be fetched ahead meanwhile.
        """
        target = self._paginator.follow(page, number)
        if target is None:
            return END
        ahead = range(number + 2, last_ahead + 1)
        return self._fetched.take(target, [self._paginator.page_target(n) for n in ahead])


def with_page(target: str, number: int) -> str:
    """The same path and query with another page."""
    path, _, query = target.partition("?")
    rest = [(name, value) for name, value in parse_qsl(query) if name != "page"]
    return f"{path}?{urlencode([*rest, ('page', number)])}"


def own_target(link: object, first: str, number: int) -> str | None:
    """Path and query of a link, if it leads to that page of the same resource.

    Scheme and host of the link never count: the account's own are used (T1, T3).

    Args:
        link: Whatever the server sent.
        first: Path and query of the resource's first page.
        number: The page that must come.
    """
    if not isinstance(link, str) or len(link) > LONGEST_LINK:
        return None
    if not link.isprintable() or not link.isascii() or "\\" in link or " " in link:
        return None
    try:
        url = urlsplit(link)
        query = parse_qsl(url.query, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        return None
    own = urlsplit(first)
    expected = sorted([*parse_qsl(own.query), ("page", str(number))])
    if url.path != own.path or sorted(query) != expected:
        return None
    return f"{url.path}?{url.query}"
