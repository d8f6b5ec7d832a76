"""The endpoint of notes (N1): invented, for the example of a new stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.shortcuts import get_object_or_404

from cube_sandbox import clock
from cube_sandbox.models import Campaign, Crm, Customer, Note
from cube_sandbox.pagination import CubePagination
from cube_sandbox.project import current
from cube_sandbox.views import CubeView

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.response import Response


class Notes(CubeView):
    """N1: the notes of a campaign, page by page."""

    def get(self, request: Request, campaign: int) -> Response:
        """Answer one page."""
        owner = get_object_or_404(Campaign, id=campaign)
        newest_first = current.get().traps.newest_first
        notes = Note.objects.filter(campaign=campaign).order_by(
            *(("-changed", "-id") if newest_first else ("id",))
        )
        paginator = CubePagination()
        page = list(cast("Any", paginator.paginate_queryset(notes, request, view=self)))
        customers = Customer.objects.in_bulk({note.customer for note in page})
        crm = Crm.objects.get(id=owner.crm)
        return paginator.get_paginated_response(
            [
                {
                    "note__id": note.id,
                    "note__text": note.text,
                    "note__changed_when": clock.format_minute(note.changed),
                    "crm__customer_id": customers[note.customer].customer_id,
                    "campaign__name": owner.name,
                    "data_owner__name": crm.data_owner_name,
                }
                for note in page
                if note.customer in customers  # or deleted a moment ago
            ]
        )
