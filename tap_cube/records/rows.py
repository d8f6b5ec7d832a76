"""The fields of a row that the tap itself reads."""

from __future__ import annotations

import typing as t
from contextlib import suppress
from functools import cache, lru_cache
from hashlib import blake2b

import msgspec
from typing_extensions import override

from tap_cube.records.codec import decode_row, exact_number
from tap_cube.records.ids import INTERNAL, id_text, imported_key, imported_keys
from tap_cube.records.moments import as_day
from tap_cube.records.surrogates import content_digest

if t.TYPE_CHECKING:
    from collections.abc import Sequence

K = t.TypeVar("K", bound="Row")


class Row(msgspec.Struct, gc=False):
    """The fields of a row that the tap itself reads: none, for streams without a cursor."""

    has_own_key = True
    """Whether the row alone decides its record's key, so that a row emitted twice does no harm."""

    @property
    def tie(self) -> object:
        """What rows have in common that may share an identity; None if none of them do."""
        return None

    @property
    def identity(self) -> object:
        """A value that stays the same while the row exists; None if the row has none."""
        return None

    @property
    def record_key(self) -> str | None:
        """Primary key of the row's record; None if the record needs a surrogate key."""
        return None if self.identity is None else str(self.identity)


def decode_as(row: bytes, row_type: type[K]) -> K:
    """Decode the fields of one row that its type has.

    Raises:
        msgspec.DecodeError: If the text is not a JSON object.
    """
    try:
        decoded: K = _decoder(row_type).decode(row)
    except msgspec.DecodeError:
        return msgspec.convert(decode_row(row), row_type)
    return decoded


@cache
def _decoder(row_type: type[K]) -> msgspec.json.Decoder[K]:
    return msgspec.json.Decoder(row_type, float_hook=exact_number)


class CustomerRow(Row, rename={"sent_customer_id": "customer_id"}):
    """The fields that decide whether a customer is emitted, and under which key."""

    # Keys of the imported id, the most reliable first (T41, T42).
    crm__customer_id: object = None
    sent_customer_id: object = None
    external_customer_id: object = None
    id: object = None
    # Keys of the day of the last change, the most reliable first (T39).
    updated: object = None
    crm__change_log__updated: object = None
    crm__last_updated: object = None

    @property
    @override
    def record_key(self) -> str | None:
        customer_id = self.customer_id
        if customer_id is not None:
            return imported_key(customer_id)
        internal = id_text(self.id)
        return None if internal is None else INTERNAL + internal

    @property
    def customer_id(self) -> str | None:
        """The imported id as text; None if the row has none (T40)."""
        common = self.crm__customer_id
        if type(common) is str and common:
            return common
        others = (common, self.sent_customer_id, self.external_customer_id)
        return next(filter(None, map(id_text, others)), None)

    @property
    @override
    def identity(self) -> object:
        """The imported id, else the internal id; None if the row has neither."""
        customer_id = self.customer_id
        if customer_id is not None:
            return customer_id
        internal = id_text(self.id)
        return None if internal is None else (INTERNAL, internal)

    @property
    def updated_on(self) -> str | None:
        """The day of the last change as YYYY-MM-DD; None if the row has no such date."""
        common = self.crm__change_log__updated
        if self.updated is None and type(common) is str and (day := _day_of(common[:10])):
            return day
        for value in (self.updated, common, self.crm__last_updated):
            if type(value) is str and (day := _day_of(value[:10])):
                return day
        return None


def identities(rows: Sequence[Row]) -> Sequence[object]:
    """Return the identity of each row of a page, which are all of one type."""
    if not rows or type(rows[0]) is not CustomerRow:
        return [row.identity for row in rows]
    ids = _common_ids(t.cast("Sequence[CustomerRow]", rows))
    return ids if all(ids) else [own or row.identity for own, row in zip(ids, rows, strict=True)]


def record_keys(rows: Sequence[Row]) -> Sequence[str | None]:
    """Return the key of each row's record, as `Row.record_key`; the rows are of one type."""
    if not rows or not isinstance(rows[0], CustomerRow):
        return [row.record_key for row in rows]
    keys = imported_keys(_common_ids(t.cast("Sequence[CustomerRow]", rows)))
    return keys if all(keys) else [k or row.record_key for k, row in zip(keys, rows, strict=True)]


def _common_ids(rows: Sequence[CustomerRow]) -> Sequence[str]:
    """Imported ids of rows; "" for one that has none in the usual place, which few have not."""
    ids: t.Any = [row.crm__customer_id for row in rows]
    common: Sequence[str] = (
        ids if {*map(type, ids)} <= {str} else [own if type(own) is str else "" for own in ids]
    )
    return common


def days_of_change(rows: Sequence[CustomerRow]) -> Sequence[str | None]:
    """Return the day of the last change of each row, as `CustomerRow.updated_on`."""
    return [
        day
        if row.updated is None
        and type(common := row.crm__change_log__updated) is str
        and (day := _day_of(common[:10]))
        else row.updated_on
        for row in rows
    ]


@lru_cache(4096)
def _day_of(text: str) -> str | None:
    with suppress(ValueError):
        return as_day(text)
    return None


class CallflowRow(CustomerRow):
    """The fields of a call state (C5, C6). One customer may have one per campaign."""

    campaign__name: object = None
    data_owner__name: object = None
    campaign__crm_type: object = None
    callflow__last_change__when: object = None

    @property
    @override
    def identity(self) -> object:
        customer = super().identity
        if customer is None:
            return None
        return repr((self.data_owner__name, self.campaign__name, customer))


class EventRow(CustomerRow):
    """The fields that identify an event: a call outcome or a product registration (C7 to C11).

    Events have no id (3.9), and two of them may be equal in every field.
    """

    has_own_key = False

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
    def tie(self) -> object:
        """The minute, without an exact time: a customer has one event in a millisecond."""
        is_exact = self.call_outcome__report_as__submitted_when_timestamp
        return None if is_exact else self.submitted or ""

    @property
    @override
    def identity(self) -> object:
        """The fields that stay the same while pages are read, even if the customer is edited.

        None for the events of anonymised customers, which may be equal in all of them (T40).
        """
        customer = self.customer_id
        if customer is None:
            return None
        kind = self.call_outcome__type, self.call_outcome__subtype, self.product__code
        return repr((self.submitted, kind, customer, self.names))

    @property
    def submitted(self) -> object:
        """The most precise time of submission in the row, as Cube sent it."""
        return (
            self.call_outcome__report_as__submitted_when_timestamp
            or self.call_outcome__report_as__submitted_when
            or self.call_outcome__submitted_when
        )

    @property
    def names(self) -> tuple[str, str]:
        """Names of data owner and campaign; "" for a missing one."""
        return str(self.data_owner__name or ""), str(self.campaign__name or "")

    def digest(self, campaign: int | None, row: bytes) -> str:
        """Digest of the fields that survive anonymisation and re-assignment (3.9).

        The customer and the user who submitted the event are therefore not part of it.

        Args:
            campaign: Id of the campaign if the request named one; otherwise the names in the
                row are used.
            row: JSON text of the row.

        Returns:
            24 hexadecimal digits.
        """
        parts: Sequence[object] = (
            campaign
            or (
                *self.names,
                self.campaign__crm_type,
                self.assignment__name,
                self.client__short_name,
            ),
            # Without a time, only the whole row identifies the event.
            self.submitted or content_digest(row),
            self.call_outcome__type,
            self.call_outcome__subtype,
            self.product__code,
        )
        return blake2b(msgspec.json.encode(parts, enc_hook=str), digest_size=12).hexdigest()
