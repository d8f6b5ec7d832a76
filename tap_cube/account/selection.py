"""Which campaigns, assignments and CRMs of an account the settings select."""

from __future__ import annotations

import typing as t

from tap_cube.account.model import Partition

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_cube.account.campaigns import Campaign
    from tap_cube.settings import Settings


def is_wanted(settings: Settings, campaign: Campaign) -> bool:
    """Whether the settings select a campaign, by its CRM or by its assignment.

    If they name neither CRMs nor assignments, all campaigns are selected, unless both lists are
    given and empty. A campaign that shows no id to compare is selected as well.
    """
    crms, assignments = settings.crms, settings.assignment_ids
    if not crms and not assignments:
        return crms is None or assignments is None
    pairs = (campaign.crm, crms), (campaign.assignment_id, assignments)
    matches = [own in named for own, named in pairs if named and own is not None]
    return any(matches) or not matches


def assignments_to_read(settings: Settings, campaigns: Iterable[Campaign]) -> list[Partition]:
    """Partitions of the assignments that the settings name, otherwise of those with campaigns."""
    named = settings.assignment_ids
    seen = {c.assignment_id for c in campaigns if c.assignment_id is not None}
    named_by = None if named is None else "assignment_ids"
    numbers = sorted(seen if named is None else named)
    return [Partition.of_assignment(number, named_by) for number in numbers]


def crms_to_read(settings: Settings, campaigns: Iterable[Campaign]) -> list[Partition]:
    """Partitions of the CRMs that the settings name, otherwise of those with campaigns."""
    named = settings.crms
    seen = {campaign.crm for campaign in campaigns if campaign.crm}
    named_by = None if named is None else "data_owners"
    crms = sorted(seen if named is None else named)
    return [Partition.of_crm(owner, crm_type, named_by) for owner, crm_type in crms]
