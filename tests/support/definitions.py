"""Definitions of custom fields."""

from __future__ import annotations

from typing import Any

from tap_cube.account.custom_fields import CustomField

CRM = "data_owners/2/B2B"
OTHER_CRM = "data_owners/2/B2C"


def field(id_: int = 1, label: str = "", type_name: str = "text", **more: Any) -> CustomField:  # noqa: ANN401 - attributes of any type
    """A definition of the CRM with some attributes changed."""
    given_partition = more.pop("partition", CRM)
    return CustomField(given_partition, id_, f"crm__custom_info__{id_}", label, type_name, **more)
