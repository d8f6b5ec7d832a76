"""The records of campaigns, with the keys of section 3.5 of `docs/api.md`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cube_sandbox.formatting import format_day, format_is_active

if TYPE_CHECKING:
    from cube_sandbox.generations import CampaignForm
    from cube_sandbox.models import Campaign, Crm
    from cube_sandbox.payloads import Record
    from cube_sandbox.traps import Traps

_SERVICES = {"Meetings": 2, "Product sales": 3}


def campaign_record(campaign: Campaign, crm: Crm, form: CampaignForm, traps: Traps) -> Record:
    """Build the record of a campaign in one of the forms of 3.5."""
    record: Record = {
        "campaign__id": campaign.id,
        "campaign__name": campaign.name,
        "campaign__start_date": format_day(campaign.start_date),
        "campaign__end_date": format_day(campaign.end_date),
        "campaign__archived_date": format_day(campaign.archived_date),
        "campaign__is_active": format_is_active(
            traps.booleans, is_active=campaign.archived_date is None, form=form
        ),
    }
    owner = {"data_owner__id": crm.data_owner, "data_owner__name": crm.data_owner_name}
    assignment = {
        "assignment__id": "" if crm.assignment is None else crm.assignment,
        "assignment__name": crm.assignment_name,
        "assignment__description": "",
        "client__id": crm.data_owner,
        "client__short_name": crm.data_owner_name,
        "client__full_name": crm.data_owner_name,
    }
    if form == "2019":
        return {**record, "campaign__description": "", **assignment}
    if form == "2019-draft":
        return {
            **record,
            "crm_type__id": crm.type_number,
            "crm_type__name": crm.crm_type,
            **owner,
        }
    record |= {
        "campaign__crm_type": crm.crm_type,
        "service__id": _SERVICES.get(campaign.service, 1),
        "service__name": campaign.service,
        **owner,
    }
    return {**record, **assignment} if form == "transition" else record
