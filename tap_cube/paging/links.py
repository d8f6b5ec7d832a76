"""Links between the pages of one resource: where ``next`` points, and the URL of a page."""

from __future__ import annotations

import typing as t
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode, urlsplit

from singer_sdk.pagination import BaseHATEOASPaginator
from typing_extensions import override

if t.TYPE_CHECKING:
    from tap_cube.records.page import Page

MAX_LINK_LENGTH = 4096
"""Longest link in characters that is parsed; longer ones count as invalid."""


class NextLinkPaginator(BaseHATEOASPaginator):
    """Follows ``next`` only if it points to the next page of the same resource.

    Any other ``next`` (without a page, repeating the page, of another resource or malformed: T4
    to T8, T10, T11) still means that there is another page, so the paginator counts instead.

    Args:
        target: Path and query of the first page.

    Attributes:
        is_counting: Whether a ``next`` did not point to the next page.
    """

    def __init__(self, target: str) -> None:
        super().__init__()
        self._target = target
        self.is_counting = False

    def follow(self, page: Page) -> str | None:
        """Advance past a page.

        Returns:
            Path and query of the page after it; None after the last.
        """
        # The SDK passes its argument through to `get_next_url`, so a decoded page will do.
        self.advance(t.cast("t.Any", page))
        return None if self.finished or not self.current_value else self.current_value.geturl()

    @override
    def get_next_url(self, response: t.Any) -> str | None:
        link, number = response.next, self.count + 1
        if link is None:
            return None
        self.is_counting |= not leads_to(link, self._target, number)
        # A valid link requests the same target, perhaps with its parameters in another order (T9).
        return with_page(self._target, number)


@lru_cache(256)  # a page is named several times before it is read
def with_page(target: str, number: int) -> str:
    """Path and query of a page.

    Args:
        target: Path and query of the first page.
        number: Number of the page, from 1.
    """
    if number == 1:
        return target
    path, _, query = target.partition("?")
    rest = [(name, value) for name, value in parse_qsl(query) if name != "page"]
    return f"{path}?{urlencode([*rest, ('page', number)])}"


def leads_to(link: object, target: str, number: int) -> bool:
    """Whether a link points to a page of the same resource.

    The link's scheme and host are ignored, because the tap uses the account's own (T1, T3).

    Args:
        link: The link as the server sent it, of any type.
        target: Path and query of the resource's first page.
        number: Number of the page.
    """
    if not isinstance(link, str) or len(link) > MAX_LINK_LENGTH:
        return False
    if not link.isprintable() or not link.isascii() or "\\" in link or " " in link:
        return False
    try:
        url = urlsplit(link)
        query = parse_qsl(url.query, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        return False
    own = urlsplit(target)
    expected = sorted([*parse_qsl(own.query), ("page", str(number))])
    return url.path == own.path and sorted(query) == expected
