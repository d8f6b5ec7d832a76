"""The API's generations: the endpoints of `docs/api.md` that each serves, and their formats."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

CampaignForm = Literal["2019", "2019-draft", "2020", "transition"]


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation of the API.

    Attributes:
        description: A description for people.
        rows: The endpoints of tables 2a to 2c that it serves.
        campaigns: The form of its campaigns (3.5).
        underscores: Whether assignments have `__` keys, or the plain keys of 2017.
        change_log: Whether records with `__` keys have a modification date.
    """

    description: str
    rows: frozenset[str]
    campaigns: CampaignForm = "2020"
    underscores: bool = True
    change_log: bool = True

    @property
    def integer_ids(self) -> bool:
        """Whether customer ids are JSON integers, which cannot begin with a zero."""
        return not self.underscores


_ASSIGNMENTS = frozenset({"S1", "S2", "S3", "S4"})
_DATA_OWNERS = frozenset({"C1", "C2", "C3", "C4"})
_EVENTS = frozenset({"C5", "C6", "C7", "C8", "C9", "C10", "C11"})
_WRITES_2016 = frozenset({"S9", "S10"})
_DRAFT = frozenset({"S5", "S6"})

GENERATIONS: "Mapping[str, Generation]" = MappingProxyType(
    {
        "2016-query": Generation(
            "customers by ?assignment_id=, records of 2016",
            _WRITES_2016 | {"S7"},
            underscores=False,
        ),
        "2016-path": Generation(
            "customers by /crm/assignment_id/, records of 2016",
            _WRITES_2016 | {"S8"},
            underscores=False,
        ),
        "2017": Generation(
            "assignments, plain keys and customs by label", _ASSIGNMENTS, underscores=False
        ),
        "2019": Generation(
            "assignments, __ keys, definitions, events by campaign",
            _ASSIGNMENTS | {"H2", "C1", "C6", "C9"},
            campaigns="2019",
        ),
        "2019-draft": Generation(
            "data owners as first drafted, plain keys",
            _DRAFT | {"C1"},
            campaigns="2019-draft",
            underscores=False,
        ),
        "2020": Generation("data owners, __ keys, definitions, events", _DATA_OWNERS | _EVENTS),
        "all": Generation(
            "an account in transition: everything at once",
            _ASSIGNMENTS | _DATA_OWNERS | _EVENTS | _DRAFT | _WRITES_2016 | {"S7", "S8", "H2"},
            campaigns="transition",
        ),
    }
)
