"""A decoder compiled from a stream's columns: one row of JSON text -> one typed record."""

from __future__ import annotations

import json
import re
import typing as t
from collections import Counter
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from hashlib import blake2b

import msgspec

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from zoneinfo import ZoneInfo

UNPARSED = "unparsed_values"
"""Column that keeps values which do not fit their type."""

CUSTOMER_IDS = ("crm__customer_id", "customer_id", "external_customer_id")
"""Keys that may hold the imported id, in the order of trust."""

UPDATED_KEYS = ("updated", "crm__change_log__updated", "crm__last_updated")
"""Keys that may hold the day of the last change, in the order of trust."""

Convert: t.TypeAlias = "Callable[[t.Any], t.Any]"
Column: t.TypeAlias = "tuple[str, Mapping[str, t.Any]] | None"


def _exact(number: str) -> Decimal | str:
    try:
        return Decimal(number)
    except InvalidOperation:  # an exponent beyond all measure
        return number


_decode = msgspec.json.Decoder(dict[str, t.Any], float_hook=_exact).decode


class Head(msgspec.Struct):
    """The part of a row that decides whether it is emitted, and under which key."""

    crm__customer_id: object = None
    customer_id: object = None
    external_customer_id: object = None
    id: object = None
    updated: object = None
    crm__change_log__updated: object = None
    crm__last_updated: object = None

    @property
    def key(self) -> str | None:
        """The imported id as text; None where the row has none (T40)."""
        for name in CUSTOMER_IDS:
            value = getattr(self, name)
            if value != "" and isinstance(value, str | int):
                return str(value)
        return None

    @property
    def mark(self) -> str | None:
        """What stays the same while the row exists: the imported id, else the internal one."""
        if (key := self.key) is not None:
            return key
        return None if self.id in (None, "") else f"id:{self.id}"

    @property
    def day(self) -> str | None:
        """The day of the last change; None where the row has no such date."""
        for name in UPDATED_KEYS:
            value = getattr(self, name)
            if isinstance(value, str) and value:
                with suppress(ValueError):
                    return _date(value[:10])
        return None


_decode_head = msgspec.json.Decoder(Head).decode


def decode_head(row: bytes) -> Head:
    """Decode just what decides about a row."""
    try:
        return _decode_head(row)
    except msgspec.DecodeError:
        return msgspec.convert(decode_row(row), Head)


class Unfit(str):
    """JSON text of a value that fits no column, such as half a surrogate pair."""

    __slots__ = ()


def decode_row(row: bytes) -> dict[str, t.Any]:
    """Decode one row, with floats as exact decimals."""
    try:
        return _decode(row)
    except msgspec.DecodeError as error:
        # Python's own decoder takes what a strict one refuses.
        with suppress(ValueError, AttributeError):
            odd = json.loads(row, parse_float=_exact, parse_int=_lenient_int, parse_constant=Unfit)
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


class RecordDecoder:
    """Turns rows into records of one stream and source.

    Args:
        zone: Zone of times without one (T38).
        column: Tells the column of a key and its JSON Schema; None for one to leave out. Asked
            once a key.

    Attributes:
        unparsed: How many values of each column did not fit its type.
    """

    def __init__(self, zone: ZoneInfo, column: Callable[[str], Column]) -> None:
        """Know no column yet."""
        self._zone = zone
        self._column = column
        self._columns: dict[str, tuple[str, Convert] | None] = {}
        self.unparsed: Counter[str] = Counter()

    def _compile(self, key: str) -> tuple[str, Convert] | None:
        column = self._column(key)
        return column and (column[0], converter(column[1], self._zone))

    def decode(self, row: Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Type one decoded row; what does not fit stands in `UNPARSED`."""
        record: dict[str, t.Any] = {}
        unparsed = {}
        columns = self._columns
        for key, value in row.items():
            if key not in columns:
                columns[key] = self._compile(key)
            column = columns[key]
            if column is None:
                continue
            name, convert = column
            if value is None or (convert is as_text and value.__class__ is str):
                record[name] = value
                continue
            try:
                record[name] = convert(value)
            except (ValueError, ArithmeticError):
                record[name] = None
                unparsed[name] = value
        if unparsed:
            self.unparsed.update(unparsed.keys())
            if self._column(UNPARSED):
                record[UNPARSED] = unparsed
        return record


def converter(schema: Mapping[str, t.Any], zone: ZoneInfo) -> Convert:
    """The conversion a column's schema asks for.

    A conversion raises ValueError or ArithmeticError for a value that does not fit.
    """
    types = schema.get("type", "string")
    kinds = {types} if isinstance(types, str) else set(types)
    if "string" in kinds:
        texts = {"date": _date, "date-time": lambda value: _moment(value, zone)}
        return texts.get(schema.get("format", ""), as_text)
    others = {"boolean": _boolean, "integer": _integer, "number": _number}
    nested = tuple({"object": dict, "array": list}[kind] for kind in kinds & {"object", "array"})
    return next(
        (others[kind] for kind in others if kind in kinds), lambda value: _nested(value, nested)
    )


def as_text(value: object) -> str:
    """Text stays as it is; numbers and truth values become their JSON text (T30)."""
    if isinstance(value, str) and not isinstance(value, Unfit):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal) and abs(value.adjusted()) < _MOST_DIGITS:
        return format(value, "f")
    if isinstance(value, int | Decimal):
        return str(value)
    raise ValueError


_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")
_LARGEST = 2**63


def _number(value: object) -> int | Decimal | None:
    """Numbers, also those in strings (T28); whole ones without a fraction."""
    if value == "":
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = Decimal(value.strip())
    if not isinstance(value, bool):
        if isinstance(value, Decimal) and value == value.to_integral_value():
            return int(value) if abs(value) < _LARGEST else value
        if isinstance(value, int | Decimal):
            return value
    raise ValueError


def _integer(value: object) -> int | None:
    number = _number(value)
    if number is None or (isinstance(number, int) and -_LARGEST <= number < _LARGEST):
        return number
    raise ValueError


_TRUTH: Mapping[object, bool] = {
    **dict.fromkeys(("true", "yes", "ja", "1", "on"), True),
    **dict.fromkeys(("false", "no", "nei", "0", "off"), False),
}


def _boolean(value: object) -> bool | None:
    """True and false in every spelling seen (T36)."""
    if isinstance(value, bool) or value == "":
        return None if value == "" else bool(value)
    try:
        return _TRUTH[str(value).strip().casefold()]
    except KeyError:
        raise ValueError from None


def _nested(value: object, classes: tuple[type, ...]) -> object:
    if value == "":
        return None
    if isinstance(value, classes):
        return value
    raise ValueError


_TOO_FINE = re.compile(r"\.[0-9]{7}")  # finer than datetime, which would cut it
_NORWEGIAN = re.compile(r"([0-9]{2})\.([0-9]{2})\.([0-9]{4})(.*)")


def _iso(value: object) -> str:
    if isinstance(value, str) and not _TOO_FINE.search(value):
        return _NORWEGIAN.sub(r"\3-\2-\1\4", value.strip())
    raise ValueError


def _date(value: object) -> str | None:
    """A day, also in Norwegian order (T37)."""
    return date.fromisoformat(_iso(value)).isoformat() if value != "" else None


def _moment(value: object, zone: ZoneInfo) -> str | None:
    """RFC 3339 with offset; a time without one is local (T37, T38)."""
    if value == "":
        return None
    moment = datetime.fromisoformat(_iso(value))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    # RFC 3339 has no seconds in offsets; local mean time before 1895 does.
    is_odd = (moment.utcoffset() or timedelta()) % timedelta(minutes=1)
    return (moment.astimezone(UTC) if is_odd else moment).isoformat()
