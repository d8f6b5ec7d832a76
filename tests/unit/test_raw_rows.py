"""The rows cut out of a body are those that a decoder finds in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tap_cube.errors import TransientError
from tap_cube.records.limits import MAX_DEPTH
from tap_cube.records.page import decode_page
from tap_cube.records.raw_rows import RawRows

if TYPE_CHECKING:
    from collections.abc import Sequence

braces = st.text('{}[]",:\\ aå')
values = braces | st.none() | st.integers() | st.lists(braces, max_size=2)
rows = st.lists(st.dictionaries(braces, values | st.dictionaries(braces, values), max_size=3))
_RAW_ROWS = list[msgspec.Raw]
layouts = st.sampled_from([{}, {"indent": 3}, {"ensure_ascii": False}])
others = st.dictionaries(braces.filter(lambda key: key not in {"results", "count"}), values)


@given(rows, others | st.none(), others, layouts)
@example([{"a": "}"}], {}, {"b": "}"}, {})
@example([{"a": "{"}, {}], {}, {}, {})
@example([{"a": "}"}, {"a": "b"}], {}, {"b": "}"}, {"indent": 3})
def test_rows_are_cut_out_exactly(
    sent: Sequence[dict[str, Any]],
    before: dict[str, Any] | None,
    after: dict[str, Any],
    layout: dict[str, Any],
) -> None:
    """Whatever braces are in texts, and whatever is around the rows; None stands for a list."""
    response = sent if before is None else {**before, "results": sent, **after}
    body = json.dumps(response, **layout).encode()
    decoded: Any = msgspec.json.decode(body, type=_RAW_ROWS | dict[str, msgspec.Raw])
    expected = msgspec.json.decode(body if before is None else decoded["results"], type=_RAW_ROWS)
    assert [*decode_page(body).raw_rows] == [*map(bytes, expected)]


@pytest.mark.parametrize("text", ["plain", "clo}sed"])
def test_ordinary_rows_are_not_searched_for(text: str) -> None:
    """Flat rows of an ordinary page are cut out one by one, the last one too."""
    sent = [{"name": text}] * 3 + [{"name": "last"}]
    response = {"count": 4, "next": "/?page=2", "previous": None, "results": sent}
    found = decode_page(json.dumps(response).encode()).raw_rows
    assert isinstance(found, RawRows)
    assert found[1] == found[-2] == json.dumps(sent[1]).encode()
    assert found[2:] == [*found][2:]
    with pytest.raises(IndexError):
        found[4]


@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_depth_is_limited_exactly(begin: str, end: str) -> None:
    """The deepest response that is taken has `MAX_DEPTH` levels, the list and the row included."""
    levels = (MAX_DEPTH - 2) // (len(end))
    body = '[{"text": "%s", "deep": %s1%s}]'
    text = "[{" * MAX_DEPTH
    assert decode_page((body % (text, begin * levels, end * levels)).encode()).rows
    with pytest.raises(TransientError, match="levels"):
        decode_page((body % (text, begin * (levels + 1), end * (levels + 1))).encode())
