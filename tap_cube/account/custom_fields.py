"""Custom fields: their definitions, JSON Schema properties and column names."""

from __future__ import annotations

import re
import typing as t
from collections import defaultdict
from dataclasses import dataclass

from anyascii import anyascii

from tap_cube.account.names import with_digest
from tap_cube.records.ids import by_id, whole_id

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
"""JSON type of each field type, English or Norwegian; the documents show only ``text``.

The other names are likely ones (docs/api.md, section 4).
"""

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
    """The definition of a custom field in one partition (an assignment or a CRM).

    Attributes:
        partition: Name of the partition, such as ``assignments/9`` or ``data_owners/2/B2B``. Ids
            are unique only within it.
        id: Id of the definition.
        key: Key of the values in the standard payload (``lookup__id``).
        label: The administrator's name for the field; the key of its values in plain payloads.
        type_name: Type as Cube names it.
        max_length: Longest value allowed, in characters; informative only.
        hint: The administrator's explanation.
    """

    partition: str
    id: int
    key: str
    label: str
    type_name: str
    max_length: int | None = None
    hint: str = ""

    @property
    def kind(self) -> Kind:
        """The JSON type of the values; unknown types are text."""
        return KINDS.get(self.type_name.strip().casefold(), "string")

    @property
    def is_known(self) -> bool:
        """Whether the type's name is in `KINDS`."""
        return self.type_name.strip().casefold() in KINDS


def read_definitions(
    partition: str, definitions: Iterable[Mapping[str, t.Any]]
) -> list[CustomField]:
    """Parse definitions in every documented variant (rows C4 and H2, section 4 of docs/api.md).

    Definitions without a valid id are skipped. Of several with the same id, the last is used.

    Args:
        partition: Name of the partition that the definitions belong to.
        definitions: The decoded rows.
    """
    return [
        CustomField(
            partition=partition,
            id=number,
            key=_text(definition.get("lookup__id")) or f"crm__custom_info__{number}",
            label=_text(definition.get("key")),
            type_name=_text(definition.get("type") or definition.get("data__type") or "text"),
            max_length=whole_id(definition.get("max_length")),
            hint=_text(definition.get("hint")),
        )
        for number, definition in by_id(definitions, "id").items()
    ]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def property_schema(fields: Iterable[CustomField]) -> dict[str, t.Any]:
    """JSON Schema of a column that holds the values of these fields.

    Fields of several CRMs may share one column. If their types differ, the column has a type
    that holds them all: number for integers and numbers, text otherwise.
    """
    fields = list(fields)
    kind = widest({field.kind for field in fields})
    schema: dict[str, t.Any] = dict(SCHEMAS[kind])
    if title := _join(field.label for field in fields):
        schema["title"] = title
    # Not the keyword maxLength, with which targets truncate or reject older, longer values.
    lengths = [f"At most {field.max_length} characters." for field in fields if field.max_length]
    if description := _join([*(field.hint for field in fields), *lengths]):
        schema["description"] = description
    return schema


def widest(kinds: set[Kind]) -> Kind:
    """The narrowest type that holds values of all these types."""
    if len(kinds) == 1:
        return next(iter(kinds))
    return "number" if kinds == {"integer", "number"} else "string"


def _join(texts: Iterable[str]) -> str:
    return " / ".join(dict.fromkeys(text for text in texts if text))


def label_columns(fields: Iterable[CustomField]) -> dict[tuple[str, int], str]:
    """Readable column names by partition and id, the same in every stream.

    ``Antall år`` becomes ``custom__antall_ar``. If two labels would get the same name, or one
    partition uses a label twice, the id of each of these fields is appended to its name. Ids are
    unique in a partition only: of labels that still have one name, all but one get a digest.
    """
    by_name: defaultdict[str, list[CustomField]] = defaultdict(list)
    for field in fields:
        by_name[label_column(field.label)].append(field)
    columns = {}
    for name, group in by_name.items():
        labels = {field.label for field in group}
        partitions = [field.partition for field in group]
        clash = len(labels) > 1 or len(set(partitions)) < len(partitions) or name == PREFIX
        by_label = sorted(group, key=lambda field: field.label, reverse=True)
        first = {field.id: field.label for field in by_label}
        for field in group:
            column = f"{name}__{field.id}" if clash else name
            if field.label != first[field.id]:
                column = with_digest(column, field.label)
            columns[field.partition, field.id] = column
    return columns


PREFIX = "custom__"
_MAX_LABEL_LENGTH = 43
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


def label_column(label: str) -> str:
    """Column name for a label; only `PREFIX` if the label has no letter or digit.

    Names are truncated so that, with an id appended, they fit into PostgreSQL's 63 bytes.
    """
    return PREFIX + _slug(label)[:_MAX_LABEL_LENGTH].strip("_")


_EXTRA = re.compile(r"((?:[a-z]+_)+_extra__)(.+)", re.DOTALL)


def readable_extra(key: str) -> str:
    """The key of an extra with its label as in names of columns; other keys as they are.

    ``call_outcome__extra__Studielån`` becomes ``call_outcome__extra__studielan``.
    """
    if not (match := _EXTRA.fullmatch(key)) or not (slug := _slug(match[2])):
        return key
    return match[1] + slug


def _slug(label: str) -> str:
    return _NOT_IN_NAMES.sub("_", anyascii(label).casefold()).strip("_")
