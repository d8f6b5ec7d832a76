"""The endpoints: Django REST framework's views, permissions and errors."""

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

from cube_sandbox.models import Campaign, Crm, Customer, Definition
from cube_sandbox.pagination import CubePagination
from cube_sandbox.payloads import Family, Recorder, campaign_record, definition_record
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


class MaySee(IsAuthenticated):
    """Lets known users in, except to what the sandbox forbids."""

    @override
    def has_permission(self, request: Request, view: APIView) -> bool:
        allowed = cast("CubeView", view).source not in current.get().forbidden
        return super().has_permission(request, view) and allowed


class CubeView(APIView):
    """A URL of the API, which answers one row per method."""

    permission_classes = (MaySee,)
    rows: Mapping[str, str] = MappingProxyType({})
    #: How `forbidden` spells what a URL without id shows.
    everything = ""

    @override
    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.http_method_names = [method.lower() for method in self.rows] + ["head", "options"]

    @property
    def row(self) -> str:
        """The row being answered."""
        method = str(self.request.method)
        return self.rows["GET" if method == "HEAD" else method]

    @property
    def source(self) -> str:
        """Name of the CRM or campaign asked for, as `forbidden` spells it, or else of the list."""
        given = {**self.request.GET.dict(), **self.kwargs}
        if "data_owner" in given:
            return f"data_owners/{given['data_owner']}/{given['crm_type']}"
        if "campaign" in self.kwargs:
            return f"campaigns/{self.kwargs['campaign']}"
        assignment = given.get("assignment", given.get("assignment_id"))
        return self.everything if assignment is None else f"assignments/{assignment}"

    def crm(self) -> Crm:
        """Find the CRM that the URL names.

        Raises:
            Http404: There is none.
        """
        return get_object_or_404(Crm, **self._crm_names())

    def _crm_names(self) -> dict[str, object]:
        names = ("assignment", "data_owner", "crm_type")
        return {name: self.kwargs[name] for name in names if name in self.kwargs}

    def recorder(self, crm: Crm, *, single: bool = False) -> Recorder:
        """Choose the family of records that this row answers in."""
        cube = current.get()
        habit: Family = "underscores" if cube.era.underscores else "plain"
        return Recorder(
            family=_FAMILIES.get(self.row, habit),
            crm=crm,
            definitions=list(Definition.objects.filter(crm=crm.id).order_by("id")),
            traps=cube.traps,
            seed=cube.seed,
            change_log=cube.change_log and cube.era.change_log,
            single=single,
        )

    def answer(self, crm: Crm, customer: Customer) -> Response:
        """Answer with one customer."""
        return Response(self.recorder(crm, single=True).records([customer])[0])


class Campaigns(CubeView):
    """C1: a bare list of all campaigns."""

    everything = "campaigns"

    def get(self, _request: Request) -> Response:
        """List the campaigns; in 2019 those of assignments only, for there was nothing else."""
        cube = current.get()
        crms = {crm.id: crm for crm in Crm.objects.all()}
        if cube.era.campaigns == "2019":
            crms = {number: crm for number, crm in crms.items() if crm.assignment is not None}
        campaigns = Campaign.objects.filter(crm__in=crms).order_by("id")
        return Response(
            [
                campaign_record(campaign, crms[campaign.crm], cube.era.campaigns, cube.traps)
                for campaign in campaigns
            ]
        )


class Definitions(CubeView):
    """C4, H2: a bare list of a CRM's custom fields."""

    def get(self, _request: Request, **_names: object) -> Response:
        """List the definitions."""
        rows = Definition.objects.filter(crm=self.crm().id).order_by("id")
        return Response([definition_record(row, current.get().traps) for row in rows])


class Customers(CubeView):
    """C2, S1, S5, S8: a CRM's customers, page by page."""

    def get(self, request: Request, **_names: object) -> Response:
        """Answer one page."""
        traps = current.get().traps
        crm = self.crm()
        recorder = self.recorder(crm)
        order = "-id" if traps.newest_first else "id"
        customers = Customer.objects.filter(crm=crm.id).order_by(order)
        if traps.bare_list:
            return Response(recorder.records(list(customers)))
        paginator = CubePagination()
        page = paginator.paginate_queryset(customers, request, view=self)
        return paginator.get_paginated_response(recorder.records(page or []))


class SingleCustomer(CubeView):
    """C3, S2, S6 and the writes S3 and S4."""

    def get(self, _request: Request, **_names: object) -> Response:
        """Answer the customer of the URL."""
        crm = self.crm()
        return self.answer(crm, self._customer(crm))

    def put(self, request: Request, **_names: object) -> Response:
        """Change the customer of the URL."""
        crm = self.crm()
        customer = self._customer(crm)
        Change.of(request.data, crm).apply(customer, str(request.user))
        return self.answer(crm, customer)

    def post(self, request: Request, **_names: object) -> Response:
        """Create the customer of the URL."""
        crm = self.crm()
        change = Change.of(request.data, crm)
        return self.answer(crm, change.create(crm, self.kwargs["customer_id"], str(request.user)))

    def _customer(self, crm: Crm) -> Customer:
        """Find a customer by the imported id; the older forms also know the internal one (T41)."""
        wanted = self.kwargs["customer_id"]
        customers = Customer.objects.filter(crm=crm.id)
        found = customers.filter(customer_id=wanted).first()
        if found is None and wanted.isdecimal() and self.recorder(crm).family != "underscores":
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
        return self.answer(crm, change.create(crm, customer_id, str(request.user)))


class SingleCustomerOf2016(SingleCustomer):
    """S10: the URL names no assignment, the body may."""

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
