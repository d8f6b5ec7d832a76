"""Each fixed column is described in the catalog, and nothing else is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_cube.account.descriptions import DESCRIPTIONS, OF_STREAMS, description_of
from tests.support.made_streams import made_streams

if TYPE_CHECKING:
    from collections.abc import Iterator


def _columns() -> Iterator[tuple[str, str, str]]:
    """Stream, column and description of every column that some generation of the API has."""
    for is_earlier in (False, True):
        for name, stream in made_streams(is_earlier=is_earlier).items():
            for column, schema in stream.selection.properties.items():
                yield name, column, schema.get("description", "")


def test_every_column_is_described_in_one_sentence() -> None:
    """A new column needs a sentence in descriptions.py, which the catalog then has."""
    for stream, column, description in _columns():
        assert description == description_of(stream, column)
        assert description.endswith("."), f"{stream}.{column}"
        assert len(description) <= 80, f"{stream}.{column}"


def test_no_description_is_of_a_column_that_does_not_exist() -> None:
    """A description goes with the last column of its name."""
    columns = {(stream, column) for stream, column, _ in _columns()}
    of_streams = {(stream, column) for stream, own in OF_STREAMS.items() for column in own}
    others = DESCRIPTIONS.keys() - {column for _, column in columns - of_streams}
    assert (of_streams - columns, others) == (set(), set())
