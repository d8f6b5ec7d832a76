"""Django middleware between the web server and the views."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from typing_extensions import override

from cube_sandbox.project import current
from cube_sandbox.urls import patterns


class Gzip(GZipMiddleware):
    """Compresses responses if the sandbox's option `gzip` is on and the client accepts it."""

    @override
    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        return super().process_response(request, response) if current.get().gzip else response


class Rows:
    """Limits Django's URLs to the endpoints that the sandbox serves."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Wrap the next handler."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Respond with the URLs of the current generation."""
        request.urlconf = patterns(current.get().rows)  # type: ignore[assignment]
        return self._get_response(request)
