"""The private names of the SDK that the tap uses, each with a digest of the SDK's code.

A name that the tap overrides or sets depends on every SDK function that uses it. A name that the
tap calls or reads depends on the functions that define it. The list has a digest of their code,
without comments and docstrings. If a digest differs, the SDK has changed: the failure names the
code to compare on both sides before the new digest is written beside the old one. Signatures are
always compared, digests only if `TAP_CUBE_TEST_SDK_CODE` is set, as in the weekly workflows.
"""

from __future__ import annotations

import os
from importlib.metadata import version

import pytest

from tests.repository.private_names import code_behind, digest, signature, uses

pytestmark = pytest.mark.xdist_group("sdk")  # one worker reads the code of the SDK

IS_CODE_COMPARED = bool(os.environ.get("TAP_CUBE_TEST_SDK_CODE"))

PRIVATE: dict[str, tuple[str, ...]] = {
    # The tap validates settings itself and never shows a refused value.
    "PluginBase._config": ("", "5e6ada2c4354", "e179879cdf61"),
    "PluginBase._validate_config": ("(self, raise_errors)", "c10a8be438bd", "97a8ef5fb586"),
    # A signal ends the run as a failure, and never interrupts a message.
    "PluginBase._handle_termination": ("(self, signum, frame)", "6f6f8473c12f", "65235485f594"),
    # Bookmarks never exceed the day on which the run began.
    "Stream._increment_stream_state": (
        "(self, latest_record, context)",
        "6288b5782599",
        "8e6ad90609d8",
    ),
    # A partition's state is found without a search, and written without a copy.
    "singer_sdk.streams._state.StreamStateManager": (
        "(stream_name, tap_state, is_sorted, check_sorted, tap_name, state_partitioning_keys)",
        "36a41ffec716",
        "e27a7c2e2ecd",
    ),
    "singer_sdk.helpers._state.StateWriter": ("(message_writer)", "3ca3db459fb6"),
    "Tap._state_writer": ("", "1ac0baab3a1b", "dc1d17b9633a"),
    # Encoded records are written unchanged.
    "Stream._write_record_message": ("(self, record)", "b6caac9c2a60", "ce54d67a594c"),
    "Stream._stream_version": ("", "44d43a2bb236", "3b25bd646124"),
    "singer_sdk.helpers._util.utc_now": ("()", "b965124cc6b3"),
    # Batches have the same records, after any stream maps.
    "Stream._sync_records": ("(self, context, write_messages)", "e7ea2bddfc21", "16ec7c303c04"),
    "Stream._generate_record_messages": ("(self, record)", "e5519aa1751c", "4f8e8af1e63d"),
    "singer_sdk.helpers._batch.BatchConfig": (
        "(encoding, storage, batch_size)",
        "5e002a25c546",
        "0e5418531a02",
    ),
    "singer_sdk.helpers._batch.StorageTarget": (
        "(root, prefix, params)",
        "19f20ce2fe15",
        "8bdcb60bba0a",
    ),
    "singer_sdk.helpers._batch.BaseBatchFileEncoding": (
        "(format, compression)",
        "05bf2f1478ad",
    ),
    # A stream map that fails is named, and its results fit its schema.
    "CustomStreamMap._eval": (
        "(self, expr, expr_parsed, record, property_name)",
        "a666fc550995",
        "4e40eca15ff1",
    ),
    # Details are read in small groups, and state is written after a complete partition.
    "Stream._sync_children": ("(self, child_context)", "5f37612df979"),
    "Stream._write_state_message": ("(self)", "3aa0863fb52b", "f166e1cb22dc"),
    # Older rows are deleted only when everything was read.
    "Stream._write_activate_version_message": ("(self, full_table_version)", "db62857da76d"),
    # A new column is added to the schema and the mapper, and a SCHEMA message declares it.
    "Stream._stream_maps": ("", "edbbe3ee59a9", "eaa2ea54dd87"),
    "Stream._write_schema_message": ("(self)", "748307087b0b"),
    "Stream._generate_schema_messages": ("(self)", "d9e2275d891a"),
    "singer_sdk.helpers._catalog.get_selected_schema": (
        "(stream_name, schema, mask)",
        "ed99f5ac952e",
    ),
    # A stream's tap has the client, the settings and the writer.
    "Stream._tap": ("", "4001f358329a", "63a72fc3517d"),
}
"""Qualified name -> its parameters ("" for a value), then the digest of its code in the SDK 0.54
and, if it differs, that in 0.55.0b7."""


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
    expected, *digests = PRIVATE[name]
    assert signature(name) == expected, f"singer-sdk {version('singer-sdk')} takes others"
    if not IS_CODE_COMPARED:
        return
    code = code_behind(name)
    found = digest(code)
    places = ", ".join(sorted(code))
    ours = ", ".join(sorted(uses()[name]))
    assert found in digests, (
        f"singer-sdk {version('singer-sdk')} changed what {name} stands for. Compare {places} "
        f"with the version before, see that {ours} still fits, then add {found!r} to the list."
    )
