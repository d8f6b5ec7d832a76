"""The traps of the wire format (`docs/api.md` section 5). All are off by default."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Callable

Numbers = Literal["documented", "strings", "numbers"]
Booleans = Literal["documented", "python-strings", "json", "empty-for-false", "norwegian"]
OrderBy = Literal["name", "-name", "updated", "-updated"]
Definitions = Literal["type", "data__type", "no-lookup"]

_CHOICES: dict[str, tuple[str | None, ...]] = {
    "next_scheme": (None, "http", "https"),
    "numbers": get_args(Numbers),
    "booleans": get_args(Booleans),
    "definitions": get_args(Definitions),
    "order_by": (None, *get_args(OrderBy)),
    "empty_customs": (None, "", "null", "absent"),
    "empty_standard": (None, "", "null"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Traps:
    """Deviations of the server. By default there are none.

    Attributes:
        next_scheme: Scheme of `next`; None for that of the request (T1, T2).
        next_host: Host of `next`, such as `demo.example.org` (T3).
        next_without_page: `next` lacks `page` (T4).
        next_other_endpoint: `next` points to another endpoint (T5).
        next_other_id: `next` has another id or CRM type than the request (T6).
        next_double_question: A second question mark before `page` (T7).
        next_no_question_mark: No question mark, and a date cut short (T8).
        next_page_in_middle: `page` is between other parameters (T9).
        next_page_after_path: `page` follows a path with dates (T10).
        next_missing_slash: No slash before the query (T11).
        next_value: Python function that replaces `next` by any value.
        count: Python function that replaces the number of rows by any value.
        bare_list: All customers in one bare list without envelope (T13).
        paged_lists: Campaigns and definitions in pages instead of bare lists.
        newest_first: Rows in descending order (T16).
        order_by: What sorts customers instead of their number. Each page of a PostgreSQL server
            may sort customers with the same value in another way (T16).
        numbers: Format of numbers in custom fields (T28, T29).
        mixed_types: Number fields have numbers, `""` and text in turn (T30).
        mistyped: Share of custom values that do not fit their field's type (T32).
        empty_customs: `""`, "null" or "absent" instead of the family's default (T33, T35).
        empty_standard: `""` or "null" instead of the family's default (T34).
        booleans: Format of checkboxes and of `campaign__is_active` (T36).
        customer_id_integer: `crm__customer_id` is an integer, as in 2017 (T30).
        definitions: Variant of section 4.
        no_timestamps: Outcomes have only minutes, as before 2024-05-10 (T37).
    """

    next_scheme: Literal["http", "https"] | None = None
    next_host: str | None = None
    next_without_page: bool = False
    next_other_endpoint: bool = False
    next_other_id: bool = False
    next_double_question: bool = False
    next_no_question_mark: bool = False
    next_page_in_middle: bool = False
    next_page_after_path: bool = False
    next_missing_slash: bool = False
    next_value: Callable[[str | None], object] | None = None
    count: Callable[[int], object] | None = None
    bare_list: bool = False
    paged_lists: bool = False
    newest_first: bool = False
    order_by: OrderBy | None = None
    numbers: Numbers = "documented"
    mixed_types: bool = False
    mistyped: float = 0.0
    empty_customs: Literal["", "null", "absent"] | None = None
    empty_standard: Literal["", "null"] | None = None
    booleans: Booleans = "documented"
    customer_id_integer: bool = False
    definitions: Definitions = "type"
    no_timestamps: bool = False

    def __post_init__(self) -> None:
        """Reject unknown values.

        Raises:
            ValueError: A trap has an unknown value.
        """
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                known = ", ".join(repr(choice) for choice in choices if choice is not None)
                msg = f"Trap {name} cannot be {value!r}; it can be {known}."
                raise ValueError(msg)

    def next_link(self, link: str | None) -> object:
        """Alter the framework's `next`; on the last page only `next_value` can."""
        altered = None if link is None else self._alter(link)
        return altered if self.next_value is None else self.next_value(altered)

    def _alter(self, link: str) -> str:
        scheme, host, path, query, _ = urlsplit(link)
        scheme, host = self.next_scheme or scheme, self.next_host or host
        if self.next_other_endpoint:
            path = "/api/v1/call_outcomes/"
        if self.next_other_id:
            path, query = _other_id(path), _other_id(query)
        page = dict(parse_qsl(query)).get("page", "")
        others = [(key, value) for key, value in parse_qsl(query) if key != "page"]
        if self.next_page_in_middle:
            dates = {"from_date": "20190101", "to_date": "20190331", **dict(others), "page": page}
            others = sorted(dates.items())
            query = urlencode(others)
        if self.next_without_page:
            query = urlencode(others)
        if self.next_missing_slash:
            path = path.rstrip("/")
        if self.next_page_after_path:
            path = f"{path.rstrip('/')}/from_date/20160924/"
        start = urlunsplit((scheme, host, path, "", ""))
        if self.next_double_question:
            return f"{start}?{urlencode(others)}/?page={page}"
        if self.next_no_question_mark:
            return f"{start}from_date=20190101&page={page}&to_date=2019033"
        return f"{start}?{query}" if query else start


def _other_id(text: str) -> str:
    """Replace an id by that of another assignment, CRM or campaign of the default account."""
    swaps = {"9": "12", "12": "9", "B2B": "B2C", "B2C": "B2B", "1": "2"}
    pattern = r"(?<=campaigns/)\d+|(?<=assignments/)\d+|(?<=assignment_id[/=])\d+|B2[BC]"
    return re.sub(pattern, lambda found: swaps.get(found[0], "1"), text)
