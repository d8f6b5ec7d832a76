"""What streams are read from, and what discovery found out about it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from tap_cube.campaigns import Campaign
    from tap_cube.custom_fields import CustomField
    from tap_cube.generations import Endpoint


@dataclass(frozen=True, slots=True)
class Source:
    """An assignment, a CRM or a campaign: what rows belong to.

    Attributes:
        context: Its ids, as they stand in paths and state.
        name: ``assignments/9``, ``data_owners/2/B2B`` or ``campaigns/8``.
        setting: The setting that names it; None if it was discovered.
        columns: Values that each of its records has.
        described_by: Names of the sources that define its custom fields.
        ended: The last day on which anything can have happened in it.
        is_seen: Whether discovery saw it answer.
    """

    context: Mapping[str, t.Any]
    name: str
    setting: str | None
    columns: Mapping[str, t.Any]
    described_by: tuple[str, ...]
    ended: date | None = None
    is_seen: bool = True

    @classmethod
    def of_assignment(cls, number: int, setting: str | None) -> t.Self:
        """The source that is an assignment, the older name of a CRM."""
        context, name = {"assignment_id": number}, f"assignments/{number}"
        return cls(context, name, setting, context, (name,))

    @classmethod
    def of_crm(cls, owner: int, crm_type: str, setting: str | None) -> t.Self:
        """The source that is a CRM: a data owner and a CRM type."""
        context = {"data_owner_id": owner, "crm_type": crm_type}
        name = f"data_owners/{owner}/{crm_type}"
        return cls(context, name, setting, context, (name,))

    @classmethod
    def of_campaign(cls, campaign: Campaign) -> t.Self:
        """The source that is a campaign."""
        context = {"campaign__id": campaign.id}
        return cls(
            context,
            f"campaigns/{campaign.id}",
            None,
            campaign.columns,
            campaign.described_by,
            campaign.archived,
            is_seen=False,
        )


ACCOUNT: t.Final = Source({}, "", None, {}, ())
"""Stands for the account as a whole."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """All sources of one kind, and what they answer at.

    Attributes:
        sources: Those that answer.
        endpoint: Where their rows are; None where there are none.
        keys: Keys of the rows on first pages, in order.
        is_list: Whether rows come as a bare list, without pages.
        definitions: Where their custom fields are defined, by source.
        fields: Their custom fields.
    """

    sources: tuple[Source, ...] = ()
    endpoint: Endpoint | None = None
    keys: tuple[str, ...] = ()
    is_list: bool = False
    definitions: Mapping[str, Endpoint] = field(default_factory=dict)
    fields: tuple[CustomField, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """What discovery found.

    Attributes:
        campaign_keys: Keys of campaigns; None if the account lists no campaigns.
        campaigns: The campaigns themselves.
        assignments: The assignments to read.
        crms: The CRMs to read.
        callflow: Where customers' places in call flows are.
        outcomes: Where call outcomes are.
        registrations: Where product registrations are.
    """

    campaign_keys: frozenset[str] | None
    campaigns: tuple[Campaign, ...]
    assignments: Subjects
    crms: Subjects
    callflow: Subjects
    outcomes: Subjects
    registrations: Subjects

    @property
    def fields(self) -> tuple[CustomField, ...]:
        """The custom fields of all customers."""
        return (*self.assignments.fields, *self.crms.fields)
