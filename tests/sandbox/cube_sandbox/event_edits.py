"""Edits of campaigns and their events."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from cube_sandbox.clock import OSLO, localized
from cube_sandbox.edits import Edits, Where, find_crm
from cube_sandbox.history import History, registration
from cube_sandbox.models import CallState, Campaign, Customer, Note, Outcome, Registration

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date


class EventEdits(Edits):
    """Edits of campaigns, call states, outcomes and registrations.

    Times without zone are Norwegian. Outcomes have ids here; the API does not return them.
    """

    @property
    def campaigns(self) -> list[int]:
        """Ids of the campaigns, ascending."""
        with self._database():
            return list(Campaign.objects.order_by("id").values_list("id", flat=True))

    def add_campaign(  # noqa: PLR0913 - the columns of a campaign
        self,
        where: Where,
        name: str,
        *,
        start_date: date | None = None,
        end_date: date | None = None,
        archived_date: date | None = None,
        service: str = "Product sales",
        segment: str = "Default segment",
        products: Collection[str] = (),
        outcome_extras: Collection[str] = (),
    ) -> int:
        """Add a campaign over a CRM's customers, without events, and return its id."""
        with self._database():
            campaign = Campaign.objects.create(
                crm=find_crm(where).id,
                name=name,
                start_date=start_date,
                end_date=end_date,
                archived_date=archived_date,
                service=service,
                segment=segment,
                products=json.dumps(list(products)),
                outcome_extras=json.dumps(list(outcome_extras)),
            )
            return campaign.id

    def archive(self, campaign_id: int, day: date | None = None) -> None:
        """Archive a campaign, by default today."""
        with self._database():
            campaign = Campaign.objects.get(id=campaign_id)
            campaign.archived_date = day or self._cube.day
            campaign.save()

    def rename(self, campaign_id: int, name: str) -> None:
        """Rename a campaign; its events show the new name at once."""
        with self._database():
            Campaign.objects.filter(id=campaign_id).update(name=name)

    def call_state_count(self, campaign_id: int | None = None) -> int:
        """Count the call states of one campaign, or of all."""
        with self._database():
            return CallState.objects.filter(**_in_campaign(campaign_id)).count()

    def outcome_count(self, campaign_id: int | None = None) -> int:
        """Count the outcomes of one campaign, or of all."""
        with self._database():
            return Outcome.objects.filter(**_in_campaign(campaign_id)).count()

    def registration_count(self, campaign_id: int | None = None) -> int:
        """Count the registrations of one campaign, or of all."""
        with self._database():
            outcomes = Outcome.objects.filter(**_in_campaign(campaign_id))
            return Registration.objects.filter(outcome__in=outcomes).count()

    def outcomes(self, campaign_id: int | None = None) -> list[int]:
        """List the ids of the outcomes of one campaign, or of all, ascending."""
        with self._database():
            found = Outcome.objects.filter(**_in_campaign(campaign_id)).order_by("id")
            return list(found.values_list("id", flat=True))

    def set_call_state(  # noqa: PLR0913 - the columns of a call state
        self,
        campaign_id: int,
        customer_id: str | None = None,
        *,
        state: str,
        when: datetime | None = None,
        attempts: int | None = None,
        by: str = "agent@example.com",
        cause: str = "Manually add",
        alternative: str = "",
        comment: str = "",
    ) -> None:
        """Set the call state of a customer (by default the CRM's first) in a campaign."""
        with self._database():
            campaign = Campaign.objects.get(id=campaign_id)
            CallState.objects.update_or_create(
                campaign=campaign.id,
                customer=_customer(campaign, customer_id).id,
                defaults={
                    "crm": campaign.crm,
                    "state": state,
                    "changed": self._moment(when),
                    "attempts": attempts,
                    "user": by,
                    "cause": cause,
                    "alternative": alternative,
                    "comment": comment,
                },
            )

    def add_call_states(
        self, campaign_id: int, amount: int, first_day: date, last_day: date
    ) -> None:
        """Invent call states for customers without one, with changes on the given days."""
        with self._database():
            campaign = Campaign.objects.get(id=campaign_id)
            there = CallState.objects.filter(campaign=campaign.id).values("customer")
            free = Customer.objects.filter(crm=campaign.crm).exclude(id__in=there).order_by("id")
            numbers = list(free.values_list("id", flat=True)[:amount])
            self._history(campaign.id).states(campaign, numbers, (first_day, last_day))

    def add_outcome(  # noqa: PLR0913 - the columns of an outcome
        self,
        campaign_id: int,
        customer_id: str | None = None,
        *,
        when: datetime | None = None,
        type: str = "No answer",  # noqa: A002 - the attribute's own name in the API
        subtype: str | None = None,
        by: str = "agent@example.com",
        team: str = "Default",
        comment: str = "",
        extras: Mapping[str, object] | None = None,
        product: str | None = None,
        price: float | None = None,
    ) -> int:
        """Add an outcome, with a registration if it has a product, and return its id.

        The defaults are the current time, the CRM's first customer, and the type as subtype.
        """
        with self._database():
            campaign = Campaign.objects.get(id=campaign_id)
            outcome = Outcome.objects.create(
                crm=campaign.crm,
                campaign=campaign.id,
                customer=_customer(campaign, customer_id).id,
                type=type,
                subtype=type if subtype is None else subtype,
                comment=comment,
                submitted_by=by,
                team=team,
                submitted=self._moment(when),
                extras=json.dumps(dict(extras or {}), ensure_ascii=False),
            )
            if product is not None:
                registration(outcome, product, price).save()
            return outcome.id

    def add_outcomes(self, campaign_id: int, amount: int, first_day: date, last_day: date) -> None:
        """Invent outcomes, spread evenly over the days; an eighth of them register a product."""
        with self._database():
            campaign = Campaign.objects.get(id=campaign_id)
            customers = Customer.objects.filter(crm=campaign.crm).order_by("id")
            numbers = list(customers.values_list("id", flat=True))
            seed = campaign.id * 1_000_000 + Outcome.objects.filter(campaign=campaign.id).count()
            self._history(seed).outcomes(campaign, numbers, amount, (first_day, last_day))

    def register(self, outcome_id: int, product: str, price: float | None = None) -> None:
        """Add a registered product to an outcome."""
        with self._database():
            registration(Outcome.objects.get(id=outcome_id), product, price).save()

    def reassign(
        self,
        outcome_id: int,
        *,
        by: str | None = None,
        team: str | None = None,
        when: datetime | None = None,
    ) -> None:
        """Change the agent, the team or the time of an outcome."""
        with self._database():
            outcome = Outcome.objects.get(id=outcome_id)
            outcome.submitted_by = outcome.submitted_by if by is None else by
            outcome.team = outcome.team if team is None else team
            outcome.submitted = outcome.submitted if when is None else localized(when)
            outcome.save()

    def correct(
        self,
        outcome_id: int,
        *,
        type: str | None = None,  # noqa: A002 - the attribute's own name in the API
        subtype: str | None = None,
    ) -> None:
        """Change the type or the subtype of an outcome."""
        with self._database():
            outcome = Outcome.objects.get(id=outcome_id)
            outcome.type = outcome.type if type is None else type
            outcome.subtype = outcome.subtype if subtype is None else subtype
            outcome.save()

    def delete_outcomes(self, outcome_ids: Collection[int]) -> None:
        """Delete outcomes and their registrations."""
        with self._database():
            Registration.objects.filter(outcome__in=list(outcome_ids)).delete()
            Outcome.objects.filter(id__in=list(outcome_ids)).delete()

    def _history(self, seed: int) -> History:
        return History(self._cube.seed + seed, self._cube.day)

    def _moment(self, when: datetime | None) -> datetime:
        """Return the given time as local time; the default is the account's current time."""
        clock = datetime.now(tz=OSLO).time()
        return localized(when or datetime.combine(self._cube.day, clock))


def delete_events(customers: Collection[int]) -> None:
    """Delete the call states, outcomes and registrations of customers."""
    Registration.objects.filter(outcome__customer__in=customers).delete()
    Outcome.objects.filter(customer__in=customers).delete()
    CallState.objects.filter(customer__in=customers).delete()
    Note.objects.filter(customer__in=customers).delete()


def _in_campaign(campaign_id: int | None) -> dict[str, int]:
    return {} if campaign_id is None else {"campaign": campaign_id}


def _customer(campaign: Campaign, customer_id: str | None) -> Customer:
    """Find a customer of a campaign's CRM.

    Raises:
        Customer.DoesNotExist: The CRM has no customers, or none with this id.
    """
    customers = Customer.objects.filter(crm=campaign.crm)
    if customer_id is not None:
        return customers.get(customer_id=customer_id)
    return customers.order_by("id")[:1].get()
