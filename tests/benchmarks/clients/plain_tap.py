"""The yardstick: the customers by a Meltano SDK tap as the SDK's template and tutorial write it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl

from singer_sdk import Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import APIKeyAuthenticator
from singer_sdk.pagination import BaseHATEOASPaginator
from singer_sdk.streams import RESTStream
from typing_extensions import override

from tests.benchmarks.account import DEFINITIONS, STANDARD_TEXTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from urllib.parse import ParseResult

    import requests
    from singer_sdk.helpers.types import Context

TYPES: dict[str, Any] = {
    "text": th.StringType,
    "number": th.NumberType,
    "integer": th.IntegerType,
    "checkbox": th.BooleanType,
    "date": th.DateType,
    "datetime": th.DateTimeType,
}


class NextPaginator(BaseHATEOASPaginator):
    """Follows the link of each response."""

    @override
    def get_next_url(self, response: requests.Response) -> str | None:
        link: str | None = response.json()["next"]
        return link


class CustomersStream(RESTStream["ParseResult"]):
    """Customers of one CRM."""

    name = "data_owner_customers"
    path = "/api/v1/data_owners/{data_owner}/B2C/customers/"
    records_jsonpath = "$.results[*]"
    primary_keys = ("crm__customer_id",)
    replication_key = "crm__change_log__updated"
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("crm__customer_id", th.StringType, required=True),
        *(th.Property(f"crm__standard_info__{name}", th.StringType) for name in STANDARD_TEXTS),
        th.Property("crm__change_log__updated", th.DateType),
        th.Property("crm__change_log__updated_by", th.StringType),
        th.Property("crm__change_log__update_method", th.StringType),
        *(th.Property(str(each["lookup__id"]), TYPES[str(each["type"])]) for each in DEFINITIONS),
    ).to_dict()

    @property
    @override
    def url_base(self) -> str:
        return str(self.config["api_url"])

    @property
    @override
    def authenticator(self) -> APIKeyAuthenticator:
        return APIKeyAuthenticator(key="Authorization", value=f"Token {self.config['auth_token']}")

    @override
    def get_new_paginator(self) -> NextPaginator:
        return NextPaginator()

    @override
    def get_url(self, context: Context | None) -> str:
        return super().get_url({"data_owner": self.config["data_owner"]})

    @override
    def get_url_params(
        self, context: Context | None, next_page_token: ParseResult | None
    ) -> dict[str, Any]:
        return dict(parse_qsl(next_page_token.query)) if next_page_token else {}


class PlainTap(Tap):
    """A tap with a single stream."""

    name = "plain-tap"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("auth_token", th.StringType, required=True, secret=True),
        th.Property("data_owner", th.IntegerType, required=True),
    ).to_dict()

    @override
    def discover_streams(self) -> Sequence[CustomersStream]:
        return [CustomersStream(self)]


if __name__ == "__main__":
    PlainTap.cli()
