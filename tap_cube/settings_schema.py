"""The declared settings, as `--about`, the README and Meltano show them."""

from __future__ import annotations

import typing as t

from singer_sdk import typing as th

CRM_TYPES = ("B2B", "B2C")
"""The customer types in URLs (T24)."""

SCHEMA: dict[str, t.Any] = th.PropertiesList(
    th.Property(
        "api_url",
        th.StringType,
        required=True,
        title="API URL",
        description="Address of the Cube account, such as https://ACCOUNT.headshed.com. "
        "Plain http is accepted for loopback hosts only.",
    ),
    th.Property(
        "auth_token",
        th.StringType,
        secret=True,
        title="Auth token",
        description="Token of the user whose data is read. Recommended.",
    ),
    th.Property(
        "username",
        th.StringType,
        title="Username",
        description="E-mail address of the user, for Basic authentication instead of a token.",
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
        th.ArrayType(th.IntegerType(minimum=0, maximum=2**63 - 1)),
        title="Assignments",
        description="Ids of the assignments to read. By default, all that the campaigns show.",
    ),
    th.Property(
        "data_owners",
        th.ArrayType(
            th.ObjectType(
                th.Property(
                    "id",
                    th.IntegerType(minimum=0, maximum=2**63 - 1),
                    required=True,
                    nullable=False,
                ),
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
        "By default, all that the campaigns show.",
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="Customers updated before this time are skipped. Call outcomes and product "
        "registrations are read from this day on.",
    ),
    th.Property(
        "lookback_days",
        th.IntegerType(minimum=0, maximum=3650),
        default=2,
        title="Lookback days",
        description="Days before the bookmark that each run reads again, because outcomes can be "
        "re-assigned later and clocks differ.",
    ),
    th.Property(
        "timezone",
        th.StringType,
        default="Europe/Oslo",
        title="Time zone",
        description="IANA time zone for times that Cube sends without a zone.",
    ),
    th.Property(
        "custom_field_names",
        th.StringType(allowed_values=["original", "label"]),
        default="original",
        title="Custom field names",
        description="Column names of custom fields: as Cube sends them (original), or readable "
        "names made from the labels (label).",
    ),
    th.Property(
        "read_ahead",
        th.IntegerType(minimum=0, maximum=16),
        default=16,
        title="Read ahead",
        description="Most requests in flight at once. The tap starts with two and finds the best "
        "number up to this limit by itself. 1 fetches one page ahead, 0 fetches none.",
    ),
    th.Property(
        "request_timeout",
        th.IntegerType(minimum=1, maximum=3600),
        default=60,
        title="Request timeout",
        description="Seconds for a whole request, from name resolution to the last byte.",
    ),
    th.Property(
        "max_retries",
        th.IntegerType(minimum=0, maximum=100),
        default=8,
        title="Maximum retries",
        description="How often a failed request is retried before it counts as failed.",
    ),
    th.Property(
        "on_incomplete_read",
        th.StringType(allowed_values=["error", "warn"]),
        default="error",
        title="On incomplete read",
        description="What to do about a list that cannot be proved complete because its rows keep "
        "moving: end the run with an error (error), or deliver the rows found, warn, and keep the "
        "bookmark (warn).",
    ),
    th.Property(
        "emit_activate_version_messages",
        th.BooleanType,
        default=True,
        title="Emit ACTIVATE_VERSION messages",
        description="Whether a complete full load lets the target delete the rows that it did not "
        "bring, such as those of people erased in Cube. Set it to false for runs that share their "
        "tables, such as shards.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="User-Agent header of every request. By default, tap-cube and its version.",
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
        "batch_size": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
    },
}
"""JSON Schema of the SDK's setting `batch_config`. The SDK's own schema accepts mistakes."""
