"""What stands between the web server and the views."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from typing_extensions import override

from cube_sandbox.project import current
from cube_sandbox.urls import patterns


class Gzip(GZipMiddleware):
    """Packs answers for clients that accept it, if the sandbox is told to."""

    @override
    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        return super().process_response(request, response) if current.get().gzip else response


class Rows:
    """Knows only the URLs of the rows that the sandbox serves: others are unknown to Django too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Stand before the rest."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer by the URLs of the present generation."""
        request.urlconf = patterns(current.get().rows)  # type: ignore[assignment]
        return self._get_response(request)
