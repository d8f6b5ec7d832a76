"""The declared settings: what `--about`, the README and Meltano show."""

from __future__ import annotations

import typing as t

from singer_sdk import typing as th

CRM_TYPES = ("B2B", "B2C")
"""The customer types that URLs know (T24)."""

SCHEMA: dict[str, t.Any] = th.PropertiesList(
    th.Property(
        "api_url",
        th.StringType,
        required=True,
        title="API URL",
        description="Address of the Cube account, such as https://ACCOUNT.headshed.com. "
        "Only https; plain http is accepted for loopback hosts alone.",
    ),
    th.Property(
        "auth_token",
        th.StringType,
        secret=True,
        title="Auth token",
        description="Token of the user whose data is read (recommended).",
    ),
    th.Property(
        "username",
        th.StringType,
        title="Username",
        description="User name, an e-mail address, for Basic authentication instead of a token.",
    ),
    th.Property(
        "password",
        th.StringType,
        secret=True,
        title="Password",
        description="Password that goes with the user name.",
    ),
    th.Property(
        "assignment_ids",
        th.ArrayType(th.IntegerType),
        title="Assignments",
        description="Ids of the assignments to read. Left out: those that the campaigns show.",
    ),
    th.Property(
        "data_owners",
        th.ArrayType(
            th.ObjectType(
                th.Property("id", th.IntegerType, required=True, nullable=False),
                th.Property(
                    "crm_types",
                    th.ArrayType(th.StringType(allowed_values=list(CRM_TYPES), nullable=False)),
                    required=True,
                    nullable=False,
                ),
            )
        ),
        title="Data owners",
        description='CRMs to read, such as [{"id": 2, "crm_types": ["B2B", "B2C"]}]. '
        "Left out: every CRM that the campaigns show.",
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="Customers updated before this time are not emitted; it is also the first "
        "day of call outcomes and product registrations.",
    ),
    th.Property(
        "lookback_days",
        th.IntegerType(minimum=0, maximum=3650),
        default=2,
        title="Lookback days",
        description="Days of events to read again each time, since an outcome can be "
        "re-assigned afterwards.",
    ),
    th.Property(
        "timezone",
        th.StringType,
        default="Europe/Oslo",
        title="Time zone",
        description="IANA name of the zone of times that Cube sends without one.",
    ),
    th.Property(
        "custom_field_names",
        th.StringType(allowed_values=["original", "label"]),
        default="original",
        title="Custom field names",
        description="Column names of custom fields: as Cube sends them (original), or readable "
        "ones made of the label (label).",
    ),
    th.Property(
        "read_ahead",
        th.IntegerType(minimum=0, maximum=16),
        default=4,
        title="Read ahead",
        description="Pages to fetch ahead of the one being processed.",
    ),
    th.Property(
        "request_timeout",
        th.IntegerType(minimum=1, maximum=3600),
        default=60,
        title="Request timeout",
        description="Seconds to wait for an answer.",
    ),
    th.Property(
        "max_retries",
        th.IntegerType(minimum=0, maximum=100),
        default=8,
        title="Maximum retries",
        description="How often a failed request is tried again before the run ends.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="User-Agent header of every request. Left out: tap-cube and its version.",
    ),
).to_dict()
"""JSON Schema of the tap's own settings."""

BATCH_SCHEMA: dict[str, t.Any] = {
    "type": "object",
    "required": ["encoding", "storage"],
    "additionalProperties": False,
    "properties": {
        "encoding": {
            "type": "object",
            "required": ["format"],
            "additionalProperties": False,
            "properties": {
                "format": {"const": "jsonl"},
                "compression": {"enum": ["gzip", "none"]},
            },
        },
        "storage": {
            "type": "object",
            "required": ["root"],
            "additionalProperties": False,
            "properties": {
                "root": {"type": "string", "minLength": 1},
                "prefix": {"type": "string"},
                "params": {"type": "object"},
            },
        },
        "batch_size": {"type": "integer", "minimum": 1},
    },
}
"""What the SDK's setting `batch_config` may hold: the SDK's own schema lets mistakes pass."""
