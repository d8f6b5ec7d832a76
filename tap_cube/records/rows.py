"""The part of a row that decides about it, decoded of every row; keys for rows without an id."""

from __future__ import annotations

import typing as t
from collections import Counter
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2b

import msgspec
from typing_extensions import override

from tap_cube.records.codec import decode_row
from tap_cube.records.values import as_day

if t.TYPE_CHECKING:
    from collections.abc import Sequence

K = t.TypeVar("K", bound="Row")


class Row(msgspec.Struct):
    """The part of a row that decides about it; nothing of it in streams without a cursor."""

    is_unique = False
    """Whether no other row of the resource has the same identity."""

    @property
    def identity(self) -> object:
        """What stays the same about the row while it exists; None if nothing does."""
        return None

    @property
    def record_key(self) -> str | None:
        """What identifies the row's record; None if it needs a surrogate key."""
        return None if self.identity is None else str(self.identity)


def decode_as(row: bytes, row_type: type[K]) -> K:
    """Decode what decides about one row."""
    try:
        return msgspec.json.decode(row, type=row_type)
    except msgspec.DecodeError:
        return msgspec.convert(decode_row(row), row_type)


class CustomerRow(Row, rename={"sent_customer_id": "customer_id"}):
    """The part of a row that decides whether it is emitted, and under which key."""

    is_unique = True

    # Keys that may hold the imported id, in the order of trust.
    crm__customer_id: object = None
    sent_customer_id: object = None
    external_customer_id: object = None
    id: object = None
    # When it was last changed, in the order of trust.
    updated: object = None
    crm__change_log__updated: object = None
    crm__last_updated: object = None

    @property
    @override
    def record_key(self) -> str | None:
        return self.customer_id

    @property
    def customer_id(self) -> str | None:
        """The imported id as text; None where the row has none (T40)."""
        usual = self.crm__customer_id
        if type(usual) is str and usual:
            return usual
        for value in (usual, self.sent_customer_id, self.external_customer_id):
            if value != "" and type(value) in {str, int}:
                return str(value)
        return None

    @property
    @override
    def identity(self) -> object:
        """The imported id, else the internal one; rows without any may be equal to the letter."""
        own = self.customer_id
        if own is not None:
            return own
        return None if self.id in (None, "") else f"id:{self.id}"

    @property
    def updated_on(self) -> str | None:
        """The day of the last change; None where the row has no such date."""
        usual = self.crm__change_log__updated
        if self.updated is None and type(usual) is str and (day := _day_of(usual)):
            return day
        for value in (self.updated, usual, self.crm__last_updated):
            if type(value) is str and (day := _day_of(value)):
                return day
        return None


@lru_cache(4096)
def _day_of(text: str) -> str | None:
    with suppress(ValueError):
        return as_day(text[:10])
    return None


class CallflowRow(CustomerRow):
    """The part of a call state's row that decides; one customer may be in several campaigns."""

    campaign__name: object = None
    data_owner__name: object = None
    campaign__crm_type: object = None
    callflow__last_change__when: object = None

    @property
    @override
    def identity(self) -> object:
        own = super().identity
        return None if own is None else repr((self.data_owner__name, self.campaign__name, own))


class EventRow(CustomerRow):
    """The part of a submission's row that identifies it; no event has an id (3.9).

    Several may be equal to the letter, so none is unique.
    """

    is_unique = False

    call_outcome__report_as__submitted_when_timestamp: object = None
    call_outcome__report_as__submitted_when: object = None
    call_outcome__submitted_when: object = None
    call_outcome__type: object = None
    call_outcome__subtype: object = None
    product__code: object = None
    campaign__name: object = None
    data_owner__name: object = None
    campaign__crm_type: object = None
    assignment__name: object = None
    client__short_name: object = None

    @property
    @override
    def identity(self) -> object:
        """What stays the same while pages are read, though the customer's data may change."""
        kind = self.call_outcome__type, self.call_outcome__subtype, self.product__code
        return repr((self.submitted, kind, self.customer_id, self.names))

    @property
    def submitted(self) -> object:
        """The finest time of submission in the row, as Cube sends it."""
        return (
            self.call_outcome__report_as__submitted_when_timestamp
            or self.call_outcome__report_as__submitted_when
            or self.call_outcome__submitted_when
        )

    @property
    def names(self) -> tuple[str, str]:
        """Names of data owner and campaign."""
        return str(self.data_owner__name or ""), str(self.campaign__name or "")

    def digest(self, campaign: int | None, row: bytes) -> str:
        """What stays the same when the customer is anonymised or the outcome re-assigned.

        So neither the customer counts nor who is said to have submitted it.

        Args:
            campaign: The campaign, where the request knew it; else its names count.
            row: The row itself.
        """
        parts: Sequence[object] = (
            campaign
            or (
                *self.names,
                self.campaign__crm_type,
                self.assignment__name,
                self.client__short_name,
            ),
            # Without a time there is nothing else to go by than the whole row.
            self.submitted or row.decode(),
            self.call_outcome__type,
            self.call_outcome__subtype,
            self.product__code,
        )
        return blake2b(msgspec.json.encode(parts, enc_hook=str), digest_size=12).hexdigest()


class SurrogateKeys:
    """Keys for rows of one resource that nothing in the row tells apart.

    A key is a digest of what identifies the row and a number among the rows that are equal in
    it. Each pass over the resource numbers from 1 again, so that a row gets the same key in every
    pass and in every run.
    """

    def __init__(self) -> None:
        """Start without a key."""
        self._pass = 0
        self._numbers: Counter[str] = Counter()
        self._given: dict[str, int] = {}

    def key_of(self, digest: str, content: int, pass_number: int) -> str | None:
        """Make the key of the next row with this digest.

        Args:
            digest: What identifies the row.
            content: What tells the row from others with the digest, as a hash.
            pass_number: The pass in which the row comes.

        Returns:
            The key; None if the very same row got it before.
        """
        if pass_number != self._pass:
            self._pass = pass_number
            self._numbers.clear()
        self._numbers[digest] += 1
        key = f"{digest}:{self._numbers[digest]}"
        if self._given.get(key) == content:
            return None
        self._given[key] = content
        return key


def surrogate_key(row: bytes, keys: SurrogateKeys, pass_number: int) -> str | None:
    """Key of a row without an imported id: its internal id, else one made of its content.

    Returns:
        The key; None if an earlier pass gave it already.
    """
    content = decode_row(row)
    internal = content.get("id")
    if internal != "" and isinstance(internal, str | int):
        return f"id:{internal}"
    encoded = msgspec.json.encode(content, enc_hook=str, order="sorted")
    digest = blake2b(encoded, digest_size=10).hexdigest()
    return keys.key_of(f"surrogate:{digest}", 0, pass_number)
