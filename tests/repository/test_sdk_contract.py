"""The private names of the SDK that the tap uses, each with a digest of the SDK's code.

A name that the tap overrides or sets depends on every SDK function that uses it. A name that the
tap calls or reads depends on the functions that define it. The list has a digest of their code,
without comments and docstrings. If a digest differs, the SDK has changed: the failure names the
code to compare on both sides before the new digest replaces the old one. Signatures are always
compared, digests only if `TAP_CUBE_TEST_SDK_CODE` is set, as in the weekly workflows.
"""

from __future__ import annotations

import os
from importlib.metadata import version

import pytest

from tests.repository.private_names import code_behind, digest, signature, uses

pytestmark = pytest.mark.xdist_group("sdk")  # one worker reads the code of the SDK

IS_CODE_COMPARED = bool(os.environ.get("TAP_CUBE_TEST_SDK_CODE"))

PRIVATE = {
    # The tap validates settings itself and never shows a refused value.
    "PluginBase._config": ("", "5e6ada2c4354"),
    "PluginBase._validate_config": ("(self, raise_errors)", "c10a8be438bd"),
    # A signal ends the run as a failure, and never interrupts a message.
    "PluginBase._handle_termination": ("(self, signum, frame)", "6f6f8473c12f"),
    # Bookmarks never exceed the day on which the run began.
    "Stream._increment_stream_state": ("(self, latest_record, context)", "6288b5782599"),
    # A partition's state is found without a search, and written without a copy.
    "singer_sdk.streams._state.StreamStateManager": (
        "(stream_name, tap_state, is_sorted, check_sorted, tap_name, state_partitioning_keys)",
        "36a41ffec716",
    ),
    "singer_sdk.helpers._state.StateWriter": ("(message_writer)", "3ca3db459fb6"),
    "Tap._state_writer": ("", "1ac0baab3a1b"),
    # Encoded records are written unchanged.
    "Stream._write_record_message": ("(self, record)", "b6caac9c2a60"),
    "Stream._stream_version": ("", "5656c7eaf1c1"),
    "singer_sdk.helpers._util.utc_now": ("()", "b965124cc6b3"),
    # Batches have the same records, after any stream maps.
    "Stream._sync_records": ("(self, context, write_messages)", "e7ea2bddfc21"),
    "Stream._generate_record_messages": ("(self, record)", "41d6a9aea9ee"),
    "singer_sdk.helpers._batch.BatchConfig": (
        "(encoding, storage, batch_size)",
        "5e002a25c546",
    ),
    "singer_sdk.helpers._batch.StorageTarget": ("(root, prefix, params)", "19f20ce2fe15"),
    "singer_sdk.helpers._batch.BaseBatchFileEncoding": (
        "(format, compression)",
        "05bf2f1478ad",
    ),
    # A stream map that fails is named, and its results fit its schema.
    "CustomStreamMap._eval": (
        "(self, expr, expr_parsed, record, property_name)",
        "a666fc550995",
    ),
    # Details are read in small groups, and state is written after a complete partition.
    "Stream._sync_children": ("(self, child_context)", "5f37612df979"),
    "Stream._write_state_message": ("(self)", "3aa0863fb52b"),
    # Older rows are deleted only when everything was read.
    "Stream._write_activate_version_message": ("(self, full_table_version)", "bf91b4ee74da"),
    # A new column is added to the schema and the mapper, and a SCHEMA message declares it.
    "Stream._stream_maps": ("", "edbbe3ee59a9"),
    "Stream._write_schema_message": ("(self)", "748307087b0b"),
    "Stream._generate_schema_messages": ("(self)", "d9e2275d891a"),
    "singer_sdk.helpers._catalog.get_selected_schema": (
        "(stream_name, schema, mask)",
        "ed99f5ac952e",
    ),
    # A stream's tap has the client, the settings and the writer.
    "Stream._tap": ("", "4001f358329a"),
}
"""Qualified name -> its parameters ("" for a value) and the digest of its code."""


def test_every_private_name_is_in_the_list() -> None:
    """The list has exactly the private names that the tap uses."""
    found = {name: (signature(name), digest(code_behind(name))) for name in sorted(uses())}
    news = {name: found[name] for name in found.keys() - PRIVATE.keys()}
    assert not news, f"weigh whether it must be, then add: {news}"
    assert not PRIVATE.keys() - found.keys(), "no longer used: take them out"


@pytest.mark.parametrize("name", PRIVATE)
def test_the_sdk_has_not_changed(name: str) -> None:
    """Signature and code of each private name are those in the list."""
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
