"""The endpoints, with Django REST framework's views, permissions and errors."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from django.http import Http404
from django.shortcuts import get_object_or_404
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView
from typing_extensions import override

from cube_sandbox.campaign_records import campaign_record
from cube_sandbox.models import Campaign, Crm, Customer, Definition
from cube_sandbox.pagination import CubePagination
from cube_sandbox.payloads import Family, RecordBuilder, definition_record
from cube_sandbox.project import current
from cube_sandbox.writes import Change, required_integer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest
    from rest_framework.request import Request

_FAMILIES: dict[str, Family] = {
    **dict.fromkeys(("C2", "C3"), "underscores"),
    **dict.fromkeys(("S5", "S6"), "draft"),
    **dict.fromkeys(("S7", "S8", "S9", "S10"), "2016"),
}


class IsAllowed(IsAuthenticated):
    """Allows authenticated users, except for names in the sandbox's option `forbidden`."""

    @override
    def has_permission(self, request: Request, view: APIView) -> bool:
        allowed = cast("CubeView", view).resource not in current.get().forbidden
        return super().has_permission(request, view) and allowed


class CubeView(APIView):
    """A URL of the API; each method is an endpoint with its own number."""

    permission_classes = (IsAllowed,)
    rows: Mapping[str, str] = MappingProxyType({})
    #: The name in `forbidden` for a URL without id.
    everything = ""

    @override
    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.http_method_names = [method.lower() for method in self.rows] + ["head", "options"]

    @property
    def row(self) -> str:
        """The number of the requested endpoint."""
        method = str(self.request.method)
        return self.rows["GET" if method == "HEAD" else method]

    @property
    def resource(self) -> str:
        """Name of the requested CRM, campaign or list, as in `forbidden`."""
        given = {**self.request.GET.dict(), **self.kwargs}
        if "data_owner" in given:
            return f"data_owners/{given['data_owner']}/{given['crm_type']}"
        if "campaign" in self.kwargs:
            return f"campaigns/{self.kwargs['campaign']}"
        assignment = given.get("assignment", given.get("assignment_id"))
        return self.everything if assignment is None else f"assignments/{assignment}"

    def crm(self) -> Crm:
        """Find the CRM of the URL.

        Raises:
            Http404: It does not exist.
        """
        return get_object_or_404(Crm, **self._crm_names())

    def _crm_names(self) -> dict[str, object]:
        names = ("assignment", "data_owner", "crm_type")
        return {name: self.kwargs[name] for name in names if name in self.kwargs}

    def record_builder(self, crm: Crm, *, single: bool = False) -> RecordBuilder:
        """Make a builder of this endpoint's family of records."""
        cube = current.get()
        default: Family = "underscores" if cube.generation_data.underscores else "plain"
        return RecordBuilder(
            family=_FAMILIES.get(self.row, default),
            crm=crm,
            definitions=list(Definition.objects.filter(crm=crm.id).order_by("id")),
            traps=cube.traps,
            seed=cube.seed,
            change_log=cube.change_log and cube.generation_data.change_log,
            single=single,
        )

    def respond_list(self, records: list[Any]) -> Response:
        """Respond with a bare list, or with a page of it if the sandbox's traps say so."""
        if not current.get().traps.paged_lists:
            return Response(records)
        paginator = CubePagination()
        page: Any = paginator.paginate_queryset(cast("Any", records), self.request, view=self)
        return paginator.get_paginated_response(page)

    def respond(self, crm: Crm, customer: Customer) -> Response:
        """Respond with one customer."""
        return Response(self.record_builder(crm, single=True).records([customer])[0])


class Campaigns(CubeView):
    """C1: a bare list of all campaigns."""

    everything = "campaigns"

    def get(self, _request: Request) -> Response:
        """List the campaigns; in 2019 only those of assignments, since other CRMs did not exist."""
        cube = current.get()
        crms = {crm.id: crm for crm in Crm.objects.all()}
        if cube.generation_data.campaigns == "2019":
            crms = {number: crm for number, crm in crms.items() if crm.assignment is not None}
        campaigns = Campaign.objects.filter(crm__in=crms).order_by("id")
        return self.respond_list(
            [
                campaign_record(
                    campaign, crms[campaign.crm], cube.generation_data.campaigns, cube.traps
                )
                for campaign in campaigns
            ]
        )


class Definitions(CubeView):
    """C4, H2: a bare list of a CRM's custom fields."""

    def get(self, _request: Request, **_names: object) -> Response:
        """List the definitions."""
        rows = Definition.objects.filter(crm=self.crm().id).order_by("id")
        return self.respond_list([definition_record(row, current.get().traps) for row in rows])


class Customers(CubeView):
    """C2, S1, S5, S8: pages of a CRM's customers."""

    def get(self, request: Request, **_names: object) -> Response:
        """Return one page."""
        traps = current.get().traps
        crm = self.crm()
        builder = self.record_builder(crm)
        order = traps.order_by or ("-id" if traps.newest_first else "id")
        customers = Customer.objects.filter(crm=crm.id).order_by(order)
        if traps.bare_list:
            return Response(builder.records(list(customers)))
        paginator = CubePagination()
        page: Any = paginator.paginate_queryset(customers, request, view=self)
        return paginator.get_paginated_response(builder.records(page or []))


class SingleCustomer(CubeView):
    """C3, S2, S6 and the writes S3 and S4."""

    def get(self, _request: Request, **_names: object) -> Response:
        """Return the customer of the URL."""
        crm = self.crm()
        return self.respond(crm, self._customer(crm))

    def put(self, request: Request, **_names: object) -> Response:
        """Change the customer of the URL."""
        crm = self.crm()
        customer = self._customer(crm)
        Change.of(request.data, crm).apply(customer, str(request.user))
        return self.respond(crm, customer)

    def post(self, request: Request, **_names: object) -> Response:
        """Create the customer of the URL."""
        crm = self.crm()
        change = Change.of(request.data, crm)
        return self.respond(crm, change.create(crm, self.kwargs["customer_id"], str(request.user)))

    def _customer(self, crm: Crm) -> Customer:
        """Find a customer by the imported id; the older forms also accept the internal id (T41)."""
        wanted = self.kwargs["customer_id"]
        customers = Customer.objects.filter(crm=crm.id)
        found = customers.filter(customer_id=wanted).first()
        if (
            found is None
            and wanted.isdecimal()
            and self.record_builder(crm).family != "underscores"
        ):
            found = customers.filter(id=int(wanted)).first()
        if found is None:
            msg = "No Customer matches the given query."
            raise Http404(msg)
        return found


class CustomersOf2016(Customers):
    """S7 and S9: the assignment is a parameter of the query or of the body."""

    @override
    def _crm_names(self) -> dict[str, object]:
        given = self.request.GET if self.row == "S7" else cast("Any", self.request).data
        return {"assignment": required_integer(given, "assignment_id")}

    def post(self, request: Request) -> Response:
        """Create a customer."""
        crm = self.crm()
        customer_id = str(required_integer(cast("Any", request).data, "customer_id"))
        change = Change.of(request.data, crm)
        return self.respond(crm, change.create(crm, customer_id, str(request.user)))


class SingleCustomerOf2016(SingleCustomer):
    """S10: the URL has no assignment, the body can have one."""

    @override
    def _crm_names(self) -> dict[str, object]:
        body = cast("Any", self.request).data
        if isinstance(body, dict) and "assignment_id" in body:
            return {"assignment": required_integer(body, "assignment_id")}
        found = Customer.objects.filter(customer_id=self.kwargs["customer_id"])
        crms = Crm.objects.filter(id__in=found.values("crm"), assignment__isnull=False)
        if crms.count() > 1:
            raise ValidationError({"assignment_id": ["This field is required."]})
        return {"id__in": [crm.id for crm in crms]}
