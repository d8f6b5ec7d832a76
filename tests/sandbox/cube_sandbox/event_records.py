"""The records of events, with the keys of section 3 of `docs/api.md`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cube_sandbox import clock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cube_sandbox.models import CallState, Campaign, Crm, Outcome, Registration
    from cube_sandbox.payloads import Record

_REPORT_AS = "call_outcome__report_as__submitted"


@dataclass(frozen=True, slots=True)
class EventRecordBuilder:
    """Builds the part of an event's record that follows the customer's keys.

    Attributes:
        campaigns: Campaigns by id, at least those of the events.
        crms: CRMs by id.
        old: Whether the keys are those of 2019.
        timestamps: Whether outcomes have a timestamp with milliseconds.
    """

    campaigns: Mapping[int, Campaign]
    crms: Mapping[int, Crm]
    old: bool
    timestamps: bool

    def state(self, state: CallState) -> Record:
        """Build the record of a call state (C5, C6)."""
        products: list[str] = json.loads(self.campaigns[state.campaign].products)
        meeting = ("agent", "time__from_date_time", "time__to_date_time") if self.old else ()
        return {
            "callflow__attempts_status__attempts": "" if state.attempts is None else state.attempts,
            "callflow__callstate__name": state.state,
            "callflow__last_change__user": state.user,
            "callflow__last_change__when": clock.format_minute(state.changed),
            "callflow__last_change__cause": state.cause,
            "callflow__last_change__alternative": state.alternative,
            "callflow__last_change__comment": state.comment,
            **self._campaign(state),
            **{f"meeting__{name}": "" for name in meeting},
            **{f"product__{code}": "" for code in products},
        }

    def outcome(self, outcome: Outcome) -> Record:
        """Build the record of a call outcome (C7, C8, C9)."""
        return {
            **self._outcome(outcome, timestamps=self.timestamps),
            **self._campaign(outcome),
        }

    def registration(self, registration: Registration) -> Record:
        """Build the record of a registered product (C10, C11); its time is to the minute."""
        extras: Record = json.loads(registration.extras)
        price = registration.price
        return {
            "product__code": registration.code,
            "product__title": registration.title,
            "product__price": int(price) if price.is_integer() else price,
            **{f"product__extra__{label}": value for label, value in extras.items()},
            **self._outcome(registration.outcome, timestamps=False),
            **self._campaign(registration.outcome),
        }

    def _outcome(self, outcome: Outcome, *, timestamps: bool) -> Record:
        if self.old:
            return _outcome_of_2019(outcome, self._extras(outcome))
        record: Record = {
            "call_outcome__comment": outcome.comment,
            f"{_REPORT_AS}_by": outcome.submitted_by,
            f"{_REPORT_AS}_in_team": outcome.team,
            "call_outcome__type": outcome.type,
            "call_outcome__subtype": outcome.subtype,
            f"{_REPORT_AS}_when": clock.format_minute(outcome.submitted),
        }
        if timestamps:
            record[f"{_REPORT_AS}_when_timestamp"] = clock.format_timestamp(outcome.submitted)
        return {**record, **self._extras(outcome)}

    def _extras(self, outcome: Outcome) -> Record:
        """Return a value for each label of the campaign, and the outcome's other extras."""
        labels = json.loads(self.campaigns[outcome.campaign].outcome_extras)
        values = {**dict.fromkeys(labels, ""), **json.loads(outcome.extras)}
        return {f"call_outcome__extra__{label}": value for label, value in values.items()}

    def _campaign(self, event: CallState | Outcome) -> Record:
        """Return the names of the campaign and its CRM; the API returns no ids."""
        campaign, crm = self.campaigns[event.campaign], self.crms[event.crm]
        if self.old:
            return {
                "campaign__name": campaign.name,
                "assignment__name": crm.assignment_name,
                "client__short_name": crm.data_owner_name,
            }
        return {
            "campaign__name": campaign.name,
            "campaign__crm_type": crm.crm_type,
            "data_owner__name": crm.data_owner_name,
            "segment__name": campaign.segment,
        }


def _outcome_of_2019(outcome: Outcome, extras: Record) -> Record:
    follow_up = f"{outcome.submitted.astimezone(clock.OSLO) + timedelta(days=1):%d.%m.%Y}"
    text = f"Followup time: Between {follow_up} 08:00 and {follow_up} 21:00 \n"
    return {
        "call_outcome__submitted_by": outcome.submitted_by,
        "call_outcome__submitted_when": clock.format_minute(outcome.submitted),
        "call_outcome__type": outcome.type,
        "call_outcome__subtype": outcome.subtype,
        "call_outcome__submitted_in_department": outcome.team,
        "call_outcome__comment": outcome.comment,
        **extras,
        "call_outcome__additional_input_text": text if outcome.type == "Call back later" else "",
    }
