"""Definitions of custom fields -> value objects -> JSON Schema properties and column names."""

from __future__ import annotations

import re
import typing as t
from collections import defaultdict
from dataclasses import dataclass

from anyascii import anyascii

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Kind: t.TypeAlias = t.Literal["string", "number", "integer", "boolean", "date", "date-time"]

KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(
        ("text", "tekst", "string", "str", "char", "varchar", "textarea", "text area", "longtext",
         "long text", "choice", "choices", "select", "multiselect", "dropdown", "drop down",
         "nedtrekk", "nedtrekksliste", "radio", "list", "liste", "valg", "alternativ",
         "alternatives", "email", "e-mail", "epost", "e-post", "phone", "telefon", "url", "link",
         "lenke"),
        "string",
    ),
    **dict.fromkeys(
        ("number", "tall", "decimal", "desimal", "desimaltall", "float", "double", "numeric",
         "currency", "valuta", "beløp", "money", "percent", "prosent"),
        "number",
    ),
    **dict.fromkeys(("integer", "int", "heltall", "bigint", "whole number"), "integer"),
    **dict.fromkeys(
        ("checkbox", "check box", "boolean", "bool", "avkrysning", "avkryssing", "avkrysningsboks",
         "ja/nei", "yes/no", "flag"),
        "boolean",
    ),
    **dict.fromkeys(("date", "dato"), "date"),
    **dict.fromkeys(
        ("datetime", "date time", "date-time", "timestamp", "tidspunkt", "dato og tid",
         "dato/tid"),
        "date-time",
    ),
}  # fmt: skip
"""Names of field types, English and Norwegian; the documents only ever show ``text``."""

SCHEMAS: Mapping[Kind, Mapping[str, t.Any]] = {
    "string": {"type": ["string", "null"]},
    "number": {"type": ["number", "null"]},
    "integer": {"type": ["integer", "null"]},
    "boolean": {"type": ["boolean", "null"]},
    "date": {"type": ["string", "null"], "format": "date"},
    "date-time": {"type": ["string", "null"], "format": "date-time"},
}


@dataclass(frozen=True, slots=True)
class CustomField:
    """One definition, as one source (an assignment or a CRM) gives it.

    Attributes:
        source: ``assignments/9`` or ``data_owners/2/B2B``; an id means nothing without it.
        id: The definition's id.
        key: Key of its values in records with double underscores (``lookup__id``).
        label: What the administrator calls it; plain records use it as the key.
        type_name: Its type as Cube names it.
        max_length: Longest value allowed, as information only.
        hint: The administrator's explanation.
    """

    source: str
    id: int
    key: str
    label: str
    type_name: str
    max_length: int | None = None
    hint: str = ""

    @property
    def kind(self) -> Kind:
        """The JSON type of its values; a type nobody has seen is text."""
        return KINDS.get(self.type_name.strip().casefold(), "string")

    @property
    def is_known(self) -> bool:
        """Whether the type's name is one that `KINDS` knows."""
        return self.type_name.strip().casefold() in KINDS


def read_definitions(source: str, definitions: Iterable[Mapping[str, t.Any]]) -> list[CustomField]:
    """Make fields of definitions (rows C4 and H2), in every documented variant.

    A definition without a usable id is passed over: nothing could be looked up by it. Of two
    with one id the last stays, as in a record.
    """
    fields = {}
    for definition in definitions:
        number = definition_id(definition)
        if number is None:
            continue
        fields[number] = CustomField(
            source=source,
            id=number,
            key=_text(definition.get("lookup__id")) or f"crm__custom_info__{number}",
            label=_text(definition.get("key")),
            type_name=_text(definition.get("type") or definition.get("data__type") or "text"),
            max_length=_whole(definition.get("max_length")),
            hint=_text(definition.get("hint")),
        )
    return list(fields.values())


def definition_id(definition: Mapping[str, t.Any]) -> int | None:
    """Id of a definition; None if nothing could be looked up by it."""
    return _whole(definition.get("id"))


def _whole(value: object) -> int | None:
    if isinstance(value, str) and re.fullmatch("[0-9]{1,18}", value):
        return int(value)
    return value if type(value) is int and value >= 0 else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def property_schema(fields: Iterable[CustomField]) -> dict[str, t.Any]:
    """JSON Schema of a column that holds the values of these fields.

    Fields of several CRMs may share one column. Where their types contradict each other the
    wider one wins: integer gives way to number, everything else to text.
    """
    together = list(fields)
    kind = widest({field.kind for field in together})
    schema: dict[str, t.Any] = dict(SCHEMAS[kind])
    if title := _join(field.label for field in together):
        schema["title"] = title
    # Not as the keyword maxLength: targets would truncate or refuse older, longer values by it.
    lengths = [f"At most {field.max_length} characters." for field in together if field.max_length]
    if description := _join([*(field.hint for field in together), *lengths]):
        schema["description"] = description
    return schema


def widest(kinds: set[Kind]) -> Kind:
    """The type that holds values of all these types."""
    if len(kinds) == 1:
        return next(iter(kinds))
    return "number" if kinds == {"integer", "number"} else "string"


def _join(texts: Iterable[str]) -> str:
    return " / ".join(dict.fromkeys(text for text in texts if text))


def label_columns(fields: Iterable[CustomField]) -> dict[tuple[str, int], str]:
    """Readable column names, by source and id, the same in every stream.

    ``Antall år`` becomes ``custom__antall_ar``. Two labels that meet in one name, or one label
    that a source uses twice, get their field's id appended, both, always.
    """
    by_name: defaultdict[str, list[CustomField]] = defaultdict(list)
    for field in fields:
        by_name[label_column(field.label)].append(field)
    columns = {}
    for name, together in by_name.items():
        labels = {field.label for field in together}
        sources = [field.source for field in together]
        clash = len(labels) > 1 or len(set(sources)) < len(sources) or name == PREFIX
        for field in together:
            columns[field.source, field.id] = f"{name}__{field.id}" if clash else name
    return columns


PREFIX = "custom__"
_MAX_LABEL_LENGTH = 43
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


def label_column(label: str) -> str:
    """Column name made of one label; just the prefix when no letter or digit is left.

    Names are cut, so that with an id they stay within the 63 bytes that PostgreSQL keeps.
    """
    slug = _NOT_IN_NAMES.sub("_", anyascii(label).casefold()).strip("_")
    return PREFIX + slug[:_MAX_LABEL_LENGTH].strip("_")
