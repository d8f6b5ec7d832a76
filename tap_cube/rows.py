"""Rows as Cube sends them: JSON text, what decides about it, and keys for rows without an id."""

from __future__ import annotations

import json
import re
import typing as t
from collections import Counter
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from hashlib import blake2b

import msgspec
from typing_extensions import override

from tap_cube.values import Unfit, as_day

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping

H = t.TypeVar("H")

CUSTOMER_IDS = ("crm__customer_id", "customer_id", "external_customer_id")
"""Keys that may hold the imported id, in the order of trust."""


def exact(number: str) -> Decimal | str:
    """A JSON number with a fraction or exponent, undamaged."""
    try:
        return Decimal(number)
    except InvalidOperation:  # an exponent beyond all measure
        return number


_decode = msgspec.json.Decoder(dict[str, t.Any], float_hook=exact).decode


class Head(t.Protocol):
    """What is looked at in a row before the rest of it is decoded."""

    @property
    def mark(self) -> object:
        """What stays the same while the row exists, to be seen where it stands among others."""

    @property
    def is_unique(self) -> bool:
        """Whether no other row has the same mark."""


class CustomerHead(msgspec.Struct):
    """The part of a row that decides whether it is emitted, and under which key."""

    crm__customer_id: object = None
    customer_id: object = None
    external_customer_id: object = None
    id: object = None
    # When it was last changed, in the order of trust.
    updated: object = None
    crm__change_log__updated: object = None
    crm__last_updated: object = None

    @property
    def key(self) -> str | None:
        """The imported id as text; None where the row has none (T40)."""
        usual = self.crm__customer_id
        if isinstance(usual, str) and usual:
            return usual
        for name in CUSTOMER_IDS:
            value = getattr(self, name)
            if value != "" and type(value) in {str, int}:
                return str(value)
        return None

    @property
    def mark(self) -> object:
        """What stays the same while the row exists: the imported id, else the internal one."""
        if (key := self.key) is not None:
            return key
        return None if self.id in (None, "") else f"id:{self.id}"

    @property
    def is_unique(self) -> bool:
        """Whether the row has any id; those without may be equal to the letter."""
        return self.key is not None or self.id not in (None, "")

    @property
    def day(self) -> str | None:
        """The day of the last change; None where the row has no such date."""
        for value in (self.updated, self.crm__change_log__updated, self.crm__last_updated):
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


def head_decoder(kind: type[H]) -> Callable[[bytes], H]:
    """A decoder of just what decides about a row."""
    decode = msgspec.json.Decoder(kind).decode

    def decode_head(row: bytes) -> H:
        try:
            return decode(row)
        except msgspec.DecodeError:
            return msgspec.convert(decode_row(row), kind)

    return decode_head


decode_head = head_decoder(CustomerHead)


def decode_row(row: bytes) -> dict[str, t.Any]:
    """Decode one row, with floats as exact decimals."""
    try:
        return _decode(row)
    except msgspec.DecodeError as error:
        # Python's own decoder takes what a strict one refuses.
        with suppress(ValueError, AttributeError):
            odd = json.loads(row, parse_float=exact, parse_int=_lenient_int, parse_constant=Unfit)
            return {_ascii(key): _fit(value) for key, value in odd.items()}
        raise error from None


def _lenient_int(digits: str) -> int | Unfit:
    return int(digits) if len(digits) < _MOST_DIGITS else Unfit(digits)


def _fit(value: object) -> object:
    if _SURROGATE.search(json.dumps(value, ensure_ascii=False, default=str)):
        return Unfit(json.dumps(value, default=str))
    return value


def _ascii(key: str) -> str:
    return key.encode("ascii" if key.isascii() else "utf-8", "backslashreplace").decode()


_SURROGATE = re.compile("[\ud800-\udfff]")
_MOST_DIGITS = 30


class Surrogates:
    """Keys for rows without an id: the same whenever the same rows are read.

    A key is made of the row's content; rows that are equal in all of it are numbered.
    """

    def __init__(self) -> None:
        """Know no row yet."""
        self._reading = 0
        self._now: Counter[str] = Counter()
        self._emitted: Counter[str] = Counter()

    def begin(self, reading: int) -> None:
        """Say which reading the next rows belong to: each numbers equal rows from 1."""
        if reading != self._reading:
            self._reading = reading
            self._now.clear()

    def key_of(self, row: Mapping[str, t.Any]) -> str | None:
        """Key of one row; None if an earlier reading gave it already."""
        internal = row.get("id")
        if internal != "" and isinstance(internal, str | int):
            return f"id:{internal}"
        content = msgspec.json.encode(row, enc_hook=str, order="sorted")
        digest = blake2b(content, digest_size=10).hexdigest()
        self._now[digest] += 1
        number = self._now[digest]
        if number <= self._emitted[digest]:
            return None
        self._emitted[digest] = number
        return f"surrogate:{digest}:{number}"
