"""Surrogate keys of rows without an id, and of events."""

from __future__ import annotations

from functools import lru_cache
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


_MEMO_ROWS, _MEMO_BYTES = 256, 4096
"""Rows whose digest is remembered, and the largest of them: 1 MiB in all."""

_encode = msgspec.json.Encoder(enc_hook=str, order="sorted").encode


def content_digest(row: bytes) -> str:
    """Digest of the values of a row that are not empty.

    A custom field that is added to the account is empty in old rows, and must not change them.

    Args:
        row: JSON text of the row.

    Returns:
        20 hexadecimal digits.
    """
    # Emptied rows (T40) often are equal to the letter.
    return _remembered(row) if len(row) <= _MEMO_BYTES else _digest(row)


def _digest(row: bytes) -> str:
    # The truth of a value is known sooner than whether a decimal equals a text.
    content = {
        key: value
        for key, value in decode_row(row).items()
        if value or (value is not None and value != "")
    }
    return blake2b(_encode(content), digest_size=10).hexdigest()


_remembered = lru_cache(_MEMO_ROWS)(_digest)


def surrogate_key(digest: str, ordinal: int) -> str:
    """Return the key of a row without an id.

    Args:
        digest: Digest of its content.
        ordinal: Its ordinal among the rows with this content, from 1.
    """
    return f"surrogate:{digest}:{ordinal}"
