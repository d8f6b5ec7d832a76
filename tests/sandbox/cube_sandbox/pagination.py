"""The framework's pagination, with the traps of `next`."""

from typing import Any

from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from typing_extensions import override

from cube_sandbox.project import current


class CubePagination(PageNumberPagination):
    """Pages of the sandbox's size; clients cannot change it."""

    @override
    def get_page_size(self, request: Request) -> int:
        return current.get().page_size

    @override
    def get_paginated_response(self, data: Any) -> Response:
        traps = current.get().traps
        envelope = super().get_paginated_response(data).data
        envelope["next"] = traps.next_link(envelope["next"])
        if traps.count is not None:
            envelope["count"] = traps.count(envelope["count"])
        return Response(envelope)
