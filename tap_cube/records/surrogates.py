"""Surrogate keys of rows without an id, and of events."""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from tap_cube.records.codec import decode_row
from tap_cube.records.hashes import Hashes


class EventKeys:
    """Keys of events: a digest, and an ordinal among the events that have this digest.

    A digest takes eight bytes.
    """

    def __init__(self) -> None:
        self._digests = Hashes()

    def key_of(self, digest: str) -> str:
        """Return the key of the next event with a digest."""
        return f"{digest}:{self._digests.insert(hash(digest)) + 1}"


def content_digest(row: bytes) -> str:
    """Digest of the values of a row that are not empty.

    A custom field that is added to the account is empty in old rows, and must not change them.

    Args:
        row: JSON text of the row.

    Returns:
        20 hexadecimal digits.
    """
    content = {key: value for key, value in decode_row(row).items() if value not in ("", None)}
    encoded = msgspec.json.encode(content, enc_hook=str, order="sorted")
    return blake2b(encoded, digest_size=10).hexdigest()


def surrogate_key(digest: str, ordinal: int) -> str:
    """Return the key of a row without an id.

    Args:
        digest: Digest of its content.
        ordinal: Its ordinal among the rows with this content, from 1.
    """
    return f"surrogate:{digest}:{ordinal}"
