"""The endpoints of what happened to customers: C5 to C11."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from django.db.models import Model
from django.shortcuts import get_object_or_404
from rest_framework.serializers import DateField, Serializer
from typing_extensions import override

from cube_sandbox import clock
from cube_sandbox.event_records import Scribe
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
    """The two dates of a query. The names are the fields' own."""

    from_date = DateField(input_formats=["%Y%m%d"], required=False)
    to_date = DateField(input_formats=["%Y%m%d"], required=False)

    def moments(self) -> tuple[datetime, datetime]:
        """Give the bounds asked for, both included: those of today unless both are given (T20).

        Raises:
            ValidationError: A date is none.
        """
        self.is_valid(raise_exception=True)
        given = self.validated_data
        if "from_date" in given and "to_date" in given:
            return clock.days(given["from_date"], given["to_date"])
        today = current.get().day
        return clock.days(today, today)


class Events(CubeView, Generic[Event]):
    """Events of a campaign, of a CRM or of everybody, page by page."""

    def get(self, request: Request, **_names: object) -> Response:
        """Answer one page."""
        paginator = CubePagination()
        page = cast("Any", paginator.paginate_queryset(self.events(request), request, view=self))
        return paginator.get_paginated_response(self._records(list(page)))

    def events(self, request: Request) -> QuerySet[Event]:
        """Choose the events asked for, in order."""
        raise NotImplementedError

    def scribe(self, scribe: Scribe) -> Callable[[Event], Record]:
        """Choose how one event is described."""
        raise NotImplementedError

    def scope(self) -> dict[str, int]:
        """Find the campaign or the CRM that the URL names.

        Raises:
            Http404: There is none.
        """
        if "campaign" in self.kwargs:
            return {"campaign": get_object_or_404(Campaign, id=self.kwargs["campaign"]).id}
        return {"crm": self.crm().id} if "data_owner" in self.kwargs else {}

    def _records(self, events: list[Event]) -> list[Record]:
        """Put the customers' present data before each event, as the API does."""
        cube = current.get()
        bearers = [_bearer(event) for event in events]
        crms = Crm.objects.in_bulk({bearer.crm for bearer in bearers})
        customers = Customer.objects.in_bulk({bearer.customer for bearer in bearers})
        shown: dict[int, Record] = {}
        for crm in crms.values():
            own = [customer for customer in customers.values() if customer.crm == crm.id]
            records = self.recorder(crm).records(own)
            shown |= {customer.id: record for customer, record in zip(own, records, strict=True)}
        scribe = Scribe(
            Campaign.objects.in_bulk({bearer.campaign for bearer in bearers}),
            crms,
            old=cube.era.campaigns == "2019",
            timestamps=not cube.traps.no_timestamps,
        )
        describe = self.scribe(scribe)
        return [
            {**shown[bearer.customer], **describe(event)}
            for event, bearer in zip(events, bearers, strict=True)
            if bearer.customer in shown  # or deleted a moment ago
        ]


class CallStates(Events[CallState]):
    """C5 and C6: where customers stand."""

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
    def scribe(self, scribe: Scribe) -> Callable[[CallState], Record]:
        return scribe.state


class Outcomes(Events[Outcome]):
    """C7, C8 and C9: what came of calls."""

    everything = "call_outcomes"

    @override
    def events(self, request: Request) -> QuerySet[Outcome]:
        moments = Dates(data=request.query_params).moments()
        outcomes = Outcome.objects.filter(submitted__range=moments, **cast("Any", self.scope()))
        newest_first = current.get().traps.newest_first
        return outcomes.order_by(*(("-submitted", "-id") if newest_first else ("id",)))

    @override
    def scribe(self, scribe: Scribe) -> Callable[[Outcome], Record]:
        return scribe.outcome


class Registrations(Events[Registration]):
    """C10 and C11: the products registered by outcomes."""

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
    def scribe(self, scribe: Scribe) -> Callable[[Registration], Record]:
        return scribe.registration


def _bearer(event: CallState | Outcome | Registration) -> CallState | Outcome:
    """Find what knows the customer and the campaign of an event."""
    return event.outcome if isinstance(event, Registration) else event
