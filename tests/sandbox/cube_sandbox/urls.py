"""The URL and method of each endpoint of `docs/api.md`."""

import functools
from collections import defaultdict

from django.urls import URLPattern, path, resolve
from django.urls.exceptions import Resolver404

from cube_sandbox import event_views, notes, views

_ASSIGNMENT = "api/v1/assignments/<int:assignment>"
_CRM = "api/v1/data_owners/<int:data_owner>/<str:crm_type>"
_DRAFT = "api/v1/data_owners/<int:data_owner>/crm/<str:crm_type>"
_CAMPAIGN = "api/v1/campaigns/<int:campaign>"

#: Row, method, path, view. Lists end in a slash, campaigns and single customers do not (T17).
#: N1 is invented: the example in `docs/architecture.md` reads it.
ROUTES: tuple[tuple[str, str, str, type[views.CubeView]], ...] = (
    ("C1", "GET", "api/v1/campaigns", views.Campaigns),
    ("C2", "GET", f"{_CRM}/customers/", views.Customers),
    ("C3", "GET", f"{_CRM}/customers/<str:customer_id>", views.SingleCustomer),
    ("C4", "GET", f"{_CRM}/crm_custom_fields/", views.Definitions),
    ("C5", "GET", f"{_DRAFT}/callflow_customers/", event_views.CallStates),
    ("C6", "GET", f"{_CAMPAIGN}/callflow_customers/", event_views.CallStates),
    ("C7", "GET", "api/v1/call_outcomes/", event_views.Outcomes),
    ("C8", "GET", f"{_DRAFT}/call_outcomes/", event_views.Outcomes),
    ("C9", "GET", f"{_CAMPAIGN}/call_outcomes/", event_views.Outcomes),
    ("C10", "GET", f"{_DRAFT}/product_registrations/", event_views.Registrations),
    ("C11", "GET", f"{_CAMPAIGN}/product_registrations/", event_views.Registrations),
    ("S1", "GET", f"{_ASSIGNMENT}/customers/", views.Customers),
    ("S2", "GET", f"{_ASSIGNMENT}/customers/<str:customer_id>", views.SingleCustomer),
    ("S3", "PUT", f"{_ASSIGNMENT}/customers/<str:customer_id>", views.SingleCustomer),
    ("S4", "POST", f"{_ASSIGNMENT}/customers/<str:customer_id>", views.SingleCustomer),
    ("H2", "GET", f"{_ASSIGNMENT}/crm_custom_fields/", views.Definitions),
    ("S5", "GET", f"{_DRAFT}/customers/", views.Customers),
    ("S6", "GET", f"{_DRAFT}/customers/<str:customer_id>", views.SingleCustomer),
    ("S7", "GET", "crm/customers", views.CustomersOf2016),
    ("S9", "POST", "crm/customers", views.CustomersOf2016),
    ("S8", "GET", "crm/assignment_id/<int:assignment>/customers", views.Customers),
    ("S10", "PUT", "crm/customers/<str:customer_id>", views.SingleCustomerOf2016),
    ("N1", "GET", f"{_CAMPAIGN}/notes/", notes.Notes),
)


@functools.cache
def patterns(rows: frozenset[str]) -> tuple[URLPattern, ...]:
    """Make Django's URL patterns of some endpoints; other methods are not allowed."""
    by_path: dict[str, dict[str, str]] = defaultdict(dict)
    view_of: dict[str, type[views.CubeView]] = {}
    for row, method, route, view in ROUTES:
        if row in rows:
            by_path[route][method] = row
            view_of[route] = view
    return tuple(
        path(route, view_of[route].as_view(rows=by_method), {}, name=" ".join(by_method.values()))
        for route, by_method in by_path.items()
    )


def row_of(rows: frozenset[str], method: str, address: str) -> str | None:
    """Return the endpoint's number of a request, None for an unknown URL or another method."""
    try:
        match = resolve(address, patterns(rows))  # type: ignore[arg-type]
    except Resolver404:
        return None
    by_method: dict[str, str] = match.func.view_initkwargs["rows"]  # type: ignore[attr-defined]
    return by_method.get("GET" if method == "HEAD" else method)
