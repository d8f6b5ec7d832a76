"""The customers by dlt's REST source as JSON lines, without dlt's normalising and loading.

It runs in an environment of its own.
"""

import sys

import orjson  # type: ignore[import-not-found]  # only in that environment
from dlt.sources.rest_api import rest_api_source  # type: ignore[import-not-found]  # like orjson


def main(api_url: str, path: str) -> None:
    """Write every record that the source yields."""
    source = rest_api_source(
        {
            "client": {
                "base_url": api_url,
                "headers": {"Authorization": "Token invented"},
                "paginator": {"type": "json_link", "next_url_path": "next"},
            },
            "resources": [
                {
                    "name": "customers",
                    "primary_key": "crm__customer_id",
                    "endpoint": {"path": path, "data_selector": "results"},
                }
            ],
        }
    )
    for record in source.resources["customers"]:
        sys.stdout.buffer.write(orjson.dumps(record) + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
