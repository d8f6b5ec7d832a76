"""Which campaigns, assignments and CRMs of an account the settings ask for."""

from __future__ import annotations

import typing as t

from tap_cube.account.model import Partition

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_cube.account.model import Campaign
    from tap_cube.settings import Settings


def is_wanted(settings: Settings, campaign: Campaign) -> bool:
    """Whether the settings, where they name anything, name what a campaign belongs to.

    An empty list leaves out one kind of customers; campaigns belong to the other as well.
    """
    crms, assignments = settings.crms, settings.assignment_ids
    if not crms and not assignments:
        return crms is None or assignments is None
    kinds = (campaign.crm, crms), (campaign.assignment_id, assignments)
    known = [own in named for own, named in kinds if named and own is not None]
    return any(known) or not known


def assignments_to_read(settings: Settings, campaigns: Iterable[Campaign]) -> list[Partition]:
    """The assignments that the settings name, else those that campaigns belong to."""
    named = settings.assignment_ids
    seen = {c.assignment_id for c in campaigns if c.assignment_id is not None}
    setting = None if named is None else "assignment_ids"
    numbers = sorted(seen if named is None else named)
    return [Partition.of_assignment(number, setting) for number in numbers]


def crms_to_read(settings: Settings, campaigns: Iterable[Campaign]) -> list[Partition]:
    """The CRMs that the settings name, else those that campaigns belong to."""
    named = settings.crms
    seen = {campaign.crm for campaign in campaigns if campaign.crm}
    setting = None if named is None else "data_owners"
    crms = sorted(seen if named is None else named)
    return [Partition.of_crm(owner, crm_type, setting) for owner, crm_type in crms]
