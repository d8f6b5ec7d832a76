"""What decides about a row: looked at in every row, while the rest is passed over."""

from __future__ import annotations

import typing as t
from contextlib import suppress
from functools import lru_cache

import msgspec
from typing_extensions import override

from tap_cube.rows import decode_row
from tap_cube.values import as_day

K = t.TypeVar("K", bound="Head")


class Head(msgspec.Struct):
    """The part of a row that decides about it; of rows that nothing is asked of, no part."""

    is_unique = False
    """Whether no other row has the same mark."""

    @property
    def mark(self) -> object:
        """What stays the same about the row while it exists; None if nothing does."""
        return None

    @property
    def key(self) -> str | None:
        """What the row has for a key; None where it has nothing."""
        return None if self.mark is None else str(self.mark)


def decode_head(row: bytes, kind: type[K]) -> K:
    """Decode what decides about one row."""
    try:
        return msgspec.json.decode(row, type=kind)
    except msgspec.DecodeError:
        return msgspec.convert(decode_row(row), kind)


class CustomerHead(Head):
    """The part of a row that decides whether it is emitted, and under which key."""

    is_unique = True

    # Keys that may hold the imported id, in the order of trust.
    crm__customer_id: object = None
    customer_id: object = None
    external_customer_id: object = None
    id: object = None
    # When it was last changed, in the order of trust.
    updated: object = None
    crm__change_log__updated: object = None
    crm__last_updated: object = None

    @property
    @override
    def key(self) -> str | None:
        """The imported id as text; None where the row has none (T40)."""
        usual = self.crm__customer_id
        if type(usual) is str and usual:
            return usual
        for value in (usual, self.customer_id, self.external_customer_id):
            if value != "" and type(value) in {str, int}:
                return str(value)
        return None

    @property
    @override
    def mark(self) -> object:
        """The imported id, else the internal one; rows without any may be equal to the letter."""
        key = self.key
        if key is not None:
            return key
        return None if self.id in (None, "") else f"id:{self.id}"

    @property
    def day(self) -> str | None:
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


class CallflowHead(CustomerHead):
    """The part of a call state's row that decides; one customer may be in several campaigns."""

    campaign__name: object = None
    data_owner__name: object = None
    campaign__crm_type: object = None
    callflow__last_change__when: object = None

    @property
    @override
    def mark(self) -> object:
        own = super().mark
        return None if own is None else repr((self.data_owner__name, self.campaign__name, own))
