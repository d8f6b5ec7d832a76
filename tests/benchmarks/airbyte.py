"""The customers as a declarative source of Airbyte's CDK."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.account import DEFINITIONS, STANDARD_TEXTS

TYPES: dict[str, dict[str, str]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "checkbox": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
}
TEXTS = (
    "customer_id",
    *(f"standard_info__{name}" for name in STANDARD_TEXTS),
    "change_log__updated_by",
    "change_log__update_method",
)
PROPERTIES: dict[str, dict[str, object]] = {
    **{f"crm__{name}": dict(TYPES["text"]) for name in TEXTS},
    "crm__change_log__updated": dict(TYPES["date"]),
    **{str(each["lookup__id"]): dict(TYPES[str(each["type"])]) for each in DEFINITIONS},
}
SCHEMA = {
    "type": "object",
    "properties": {
        name: {**kind, "type": [kind["type"], "null"]} for name, kind in PROPERTIES.items()
    },
}
CATALOG = {
    "streams": [
        {
            "stream": {
                "name": "customers",
                "json_schema": SCHEMA,
                "supported_sync_modes": ["full_refresh"],
            },
            "sync_mode": "full_refresh",
            "destination_sync_mode": "overwrite",
        }
    ]
}


def manifest(url: str, path: str, token: str) -> dict[str, Any]:
    """Declare a source with one stream that follows the link of each response."""
    stream = {
        "type": "DeclarativeStream",
        "name": "customers",
        "primary_key": ["crm__customer_id"],
        "schema_loader": {"type": "InlineSchemaLoader", "schema": SCHEMA},
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {
                "type": "HttpRequester",
                "url_base": url,
                "path": path,
                "http_method": "GET",
                "request_headers": {"Authorization": f"Token {token}"},
            },
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": ["results"]},
            },
            "paginator": {
                "type": "DefaultPaginator",
                "page_token_option": {"type": "RequestPath"},
                "pagination_strategy": {
                    "type": "CursorPagination",
                    "cursor_value": "{{ response['next'] }}",
                    "stop_condition": "{{ not response['next'] }}",
                },
            },
        },
    }
    return {
        "version": "6.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["customers"]},
        "streams": [stream],
        "spec": {
            "type": "Spec",
            "connection_specification": {"type": "object", "properties": {}},
        },
    }
