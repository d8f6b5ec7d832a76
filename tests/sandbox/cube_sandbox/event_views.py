"""The endpoints of call states, outcomes and registrations: C5 to C11."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from django.db.models import Model
from django.shortcuts import get_object_or_404
from rest_framework.serializers import DateField, Serializer
from typing_extensions import override

from cube_sandbox import clock
from cube_sandbox.event_records import EventRecordBuilder
from cube_sandbox.models import CallState, Campaign, Crm, Customer, Outcome, Registration
from cube_sandbox.pagination import CubePagination
from cube_sandbox.project import current
from cube_sandbox.views import CubeView

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.db.models import QuerySet
    from rest_framework.request import Request
    from rest_framework.response import Response

    from cube_sandbox.payloads import Record

Event = TypeVar("Event", CallState, Outcome, Registration)


class Dates(Serializer[Model]):
    """The two dates of a query. Each attribute is named like its parameter."""

    from_date = DateField(input_formats=["%Y%m%d"], required=False)
    to_date = DateField(input_formats=["%Y%m%d"], required=False)

    def moments(self) -> tuple[datetime, datetime]:
        """Return the bounds, both included; those of today unless both dates are given (T20).

        Raises:
            ValidationError: A date is malformed.
        """
        self.is_valid(raise_exception=True)
        given = self.validated_data
        if "from_date" in given and "to_date" in given:
            return clock.day_bounds(given["from_date"], given["to_date"])
        today = current.get().day
        return clock.day_bounds(today, today)


class Events(CubeView, Generic[Event]):
    """Pages of the events of a campaign, a CRM or the account."""

    def get(self, request: Request, **_names: object) -> Response:
        """Return one page."""
        paginator = CubePagination()
        page = cast("Any", paginator.paginate_queryset(self.events(request), request, view=self))
        return paginator.get_paginated_response(self._records(list(page)))

    def events(self, request: Request) -> QuerySet[Event]:
        """Return the requested events in order."""
        raise NotImplementedError

    def build_record(self, builder: EventRecordBuilder) -> Callable[[Event], Record]:
        """Return the function that builds the record of an event."""
        raise NotImplementedError

    def scope(self) -> dict[str, int]:
        """Return the filter for the campaign or CRM in the URL.

        Raises:
            Http404: It does not exist.
        """
        if "campaign" in self.kwargs:
            return {"campaign": get_object_or_404(Campaign, id=self.kwargs["campaign"]).id}
        return {"crm": self.crm().id} if "data_owner" in self.kwargs else {}

    def _records(self, events: list[Event]) -> list[Record]:
        """Build records that start with the customers' present data, as the API does."""
        cube = current.get()
        bases = [_base(event) for event in events]
        crms = Crm.objects.in_bulk({base.crm for base in bases})
        customers = Customer.objects.in_bulk({base.customer for base in bases})
        shown: dict[int, Record] = {}
        for crm in crms.values():
            own = [customer for customer in customers.values() if customer.crm == crm.id]
            records = self.record_builder(crm).records(own)
            shown |= {customer.id: record for customer, record in zip(own, records, strict=True)}
        builder = EventRecordBuilder(
            Campaign.objects.in_bulk({base.campaign for base in bases}),
            crms,
            old=cube.generation_data.campaigns == "2019",
            timestamps=not cube.traps.no_timestamps,
        )
        describe = self.build_record(builder)
        return [
            {**shown[base.customer], **describe(event)}
            for event, base in zip(events, bases, strict=True)
            if base.customer in shown  # it may have been deleted a moment ago
        ]


class CallStates(Events[CallState]):
    """C5 and C6: call states."""

    @override
    def events(self, request: Request) -> QuerySet[CallState]:
        states = CallState.objects.filter(**cast("Any", self.scope()))
        wanted = request.query_params.get("call_state")
        if wanted is not None and self.row == "C6":
            states = states.filter(state=wanted)
        return states.order_by(
            *(("-changed", "-id") if current.get().traps.newest_first else ("id",))
        )

    @override
    def build_record(self, builder: EventRecordBuilder) -> Callable[[CallState], Record]:
        return builder.state


class Outcomes(Events[Outcome]):
    """C7, C8 and C9: call outcomes."""

    everything = "call_outcomes"

    @override
    def events(self, request: Request) -> QuerySet[Outcome]:
        moments = Dates(data=request.query_params).moments()
        outcomes = Outcome.objects.filter(submitted__range=moments, **cast("Any", self.scope()))
        newest_first = current.get().traps.newest_first
        return outcomes.order_by(*(("-submitted", "-id") if newest_first else ("id",)))

    @override
    def build_record(self, builder: EventRecordBuilder) -> Callable[[Outcome], Record]:
        return builder.outcome


class Registrations(Events[Registration]):
    """C10 and C11: registered products."""

    @override
    def events(self, request: Request) -> QuerySet[Registration]:
        moments = Dates(data=request.query_params).moments()
        scope = {f"outcome__{name}": number for name, number in self.scope().items()}
        registrations = Registration.objects.select_related("outcome").filter(
            outcome__submitted__range=moments, **cast("Any", scope)
        )
        newest_first = current.get().traps.newest_first
        return registrations.order_by(
            *(("-outcome__submitted", "-id") if newest_first else ("id",))
        )

    @override
    def build_record(self, builder: EventRecordBuilder) -> Callable[[Registration], Record]:
        return builder.registration


def _base(event: CallState | Outcome | Registration) -> CallState | Outcome:
    """Return the row with the customer and the campaign of an event."""
    return event.outcome if isinstance(event, Registration) else event
