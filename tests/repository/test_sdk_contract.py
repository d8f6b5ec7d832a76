"""Private names of the SDK that the tap leans on: all of them here, each as it was when read.

A name that is overridden or set counts on every SDK function that uses it; one that is called or
read counts on the functions that define it. A digest of their code, comments and docstrings left
out, stands beside each name. When one differs, the SDK has changed there: the failure says where
to look, on both sides, before the new digest takes the place of the old one. Signatures are
compared always, digests where `TAP_CUBE_TEST_SDK_CODE` is set, as the weekly workflows do.
"""

from __future__ import annotations

import os
from importlib.metadata import version

import pytest

from tests.repository.private_names import code_behind, digest, signature, uses

IS_CODE_COMPARED = bool(os.environ.get("TAP_CUBE_TEST_SDK_CODE"))

PRIVATE = {
    # Settings are checked and typed by the tap, which shows no value that it refuses.
    "PluginBase._config": ("", "5e6ada2c4354"),
    "PluginBase._validate_config": ("(self, raise_errors)", "c10a8be438bd"),
    # A signal's end is no success, and writes no message into the middle of another.
    "PluginBase._handle_termination": ("(self, signum, frame)", "6f6f8473c12f"),
    # Bookmarks stay within the day that the run began.
    "Stream._increment_stream_state": ("(self, latest_record, context)", "6288b5782599"),
    # Records that are JSON text already go out as they are.
    "Stream._write_record_message": ("(self, record)", "b6caac9c2a60"),
    "Stream._stream_version": ("", "5656c7eaf1c1"),
    "singer_sdk.helpers._util.utc_now": ("()", "b965124cc6b3"),
    # Batches are made of the same records, through the stream maps where there are any.
    "Stream._sync_records": ("(self, context, write_messages)", "e7ea2bddfc21"),
    "Stream._generate_record_messages": ("(self, record)", "e5519aa1751c"),
    "singer_sdk.helpers._batch.BatchConfig": (
        "(encoding, storage, batch_size)",
        "5e002a25c546",
    ),
    "singer_sdk.helpers._batch.BaseBatchFileEncoding": (
        "(format, compression)",
        "05bf2f1478ad",
    ),
    # Details are read a handful at once, and state is written when a part is whole.
    "Stream._sync_children": ("(self, child_context)", "5f37612df979"),
    "Stream._write_state_message": ("(self)", "3aa0863fb52b"),
    # A column that appears meanwhile gets into the schema and the mapper, and is declared.
    "Stream._schema": ("", "9a3fd1dcb5e9"),
    "Stream._input_schema": ("", "c35a42692d3c"),
    "Stream._stream_maps": ("", "edbbe3ee59a9"),
    "Stream._write_schema_message": ("(self)", "29a11b22ce63"),
    "singer_sdk.helpers._catalog.get_selected_schema": (
        "(stream_name, schema, mask)",
        "ed99f5ac952e",
    ),
    # The tap of a stream, with its client, settings and writer.
    "Stream._tap": ("", "4001f358329a"),
}
"""Name, by the SDK's class or module -> its parameters (none for a value), digest of its code."""


def test_every_private_name_is_in_the_list() -> None:
    """Nothing private is used that is not watched, and nothing is watched that is not used."""
    found = {name: (signature(name), digest(code_behind(name))) for name in sorted(uses())}
    news = {name: found[name] for name in found.keys() - PRIVATE.keys()}
    assert not news, f"weigh whether it must be, then add: {news}"
    assert not PRIVATE.keys() - found.keys(), "no longer used: take them out"


@pytest.mark.parametrize("name", PRIVATE)
def test_the_sdk_has_not_changed_under_it(name: str) -> None:
    """Signature of each private name, and its code, are those that the tap was written against."""
    if name not in uses():
        pytest.skip("it is not used, as the test above says")
    expected, _ = PRIVATE[name]
    assert signature(name) == expected, f"singer-sdk {version('singer-sdk')} takes others"
    if not IS_CODE_COMPARED:
        return
    code = code_behind(name)
    found = (signature(name), digest(code))
    places = ", ".join(sorted(code))
    ours = ", ".join(sorted(uses()[name]))
    assert found == PRIVATE[name], (
        f"singer-sdk {version('singer-sdk')} changed what {name} stands for. Compare {places} "
        f"with the version before, see that {ours} still fits, then write {found} in the list."
    )
