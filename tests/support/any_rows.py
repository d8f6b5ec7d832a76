"""An account with one CRM, a custom field of every type, and any rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hypothesis import strategies as st
from typing_extensions import override

from tests.support.strange_server import CUSTOMERS_PATH, PagesServer, Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS = ("text", "number", "integer", "boolean", "date", "datetime")
DEFINITIONS_PATH = CUSTOMERS_PATH.replace("customers", "crm_custom_fields")
DEFINITIONS = [
    {"id": n, "key": f"Felt {kind}", "type": kind, "lookup__id": f"crm__custom_info__{n}"}
    for n, kind in enumerate(KINDS, 1)
]
ROWS_A_PAGE = 3

Row = dict[str, Any]

text = st.text(max_size=5)
usual = st.sampled_from(
    ["", "text", "233.0", "5,92 år", "0235", "2020-02-12", "28.02.2015", "2020-02-12 10:27",
     "2020-02-12T10:27:06.477+0100", "True", "Ja", "99999999999999999999", "1e5", "\u2028", '"\\',
     "\ud800", '","time_extracted":"', True, False, None, 0, 233, -7, 2**63, 2**64, 10**30, 1.5,
     233.0, 1e300, float("nan"), float("inf")]
)  # fmt: skip
values = st.one_of(
    usual,
    text,
    st.integers(),
    st.floats(),
    st.recursive(usual, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=4),
)
named = st.sampled_from(
    [*(f"crm__custom_info__{n}" for n, _ in enumerate(KINDS, 1)), "crm__standard_info__name",
     "crm__custom_info__99", "custom__felt_text", "updated", "crm_type", "unparsed_values"]
)  # fmt: skip
keys = named | text.filter(lambda key: key != "id")  # equal rows with the same id are one row
days = st.sampled_from(["2019-12-31", "2020-01-01", "01.02.2020", "2999-01-01", "", None, "soon"])
rows = st.builds(
    dict[str, Any],
    st.dictionaries(keys, values),
    crm__change_log__updated=days,
    crm__standard_info__phone_1=text,
)
nameless: st.SearchStrategy[object] = st.sampled_from([None, "", []])
accounts = st.lists(st.tuples(rows, st.one_of(st.none(), nameless)), max_size=8)


class AnyRows(PagesServer):
    """One CRM with a custom field of every type and any rows."""

    def __init__(self) -> None:
        """Start without rows."""
        super().__init__(self._page)
        self.rows: Sequence[Row] = ()

    def _page(self, number: int) -> Row:
        end = number * ROWS_A_PAGE
        link = f"{self.url}{CUSTOMERS_PATH}?page={number + 1}" if end < len(self.rows) else None
        page = self.rows[end - ROWS_A_PAGE : end]
        return {"count": len(self.rows), "next": link, "previous": None, "results": page}

    @override
    def body(self, target: str) -> bytes | Reply | None:
        if urlsplit(target).path == DEFINITIONS_PATH:
            return json.dumps(DEFINITIONS).encode()
        return super().body(target)

    def replace_rows(self, rows: Sequence[tuple[Row, object]]) -> None:
        """Replace the rows; each gets an id unless another value is given for it."""
        self.asked.clear()
        self.rows = [
            {"crm__customer_id": f"0{number}" if given is None else given, **row}
            for number, (row, given) in enumerate(rows)
        ]
