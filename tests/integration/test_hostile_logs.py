"""Whatever a server writes where, the log stays lines of the tap, without its text."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from typing_extensions import override

from tests.support.in_process import run_in_process
from tests.support.strange_server import PagesServer, Reply, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.tap_process import TapRun

CANARY = "canary"
FORGED = (
    f"{CANARY}\x1b]0;{CANARY}\x07\u202e\n2026-01-01 00:00:00,000 | ERROR    | tap-cube | {CANARY}"
)
HEADER = f"{CANARY}\x1b]0;{CANARY}"
HEADERS = {
    "Set-Cookie": f"session={HEADER}",
    f"X-{CANARY}": f"{HEADER}\r\n{CANARY} is a line without a colon",
    "Content-Type": HEADER,
}
CUSTOMER = "555000111"
TOKEN = "MARKEDtoken7f3c"  # noqa: S105 - invented
MARKS = (CANARY, CUSTOMER, TOKEN)
LINE = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \| (DEBUG|INFO|WARNING|ERROR) +\| [\w.-]+ +\| \S.*"
)
LOG_CONFIG = """
version: 1
disable_existing_loggers: false
formatters:
  own: {format: "{asctime} | {levelname:8s} | {name:30s} | {message}", style: "{"}
  structured: {"()": singer_sdk.logging.StructuredFormatter}
handlers:
  console: {class: logging.StreamHandler, formatter: FORMATTER, stream: "ext://sys.stderr"}
root: {level: DEBUG, handlers: [console]}
"""


class HostileAccount(PagesServer):
    """An account with its own text in every place that a server controls.

    Args:
        failing: Part of the path whose requests fail.
        failure: How they fail.
    """

    def __init__(self, failing: str = "", failure: Reply | None = None) -> None:
        """Listen on a free port."""
        super().__init__(lambda _: None)
        self.failing, self.failure = failing, failure

    @override
    def body(self, target: str) -> bytes | Reply | None:
        path, query = urlsplit(target)[2:4]
        if self.failure and path.endswith(self.failing):
            return self.failure
        content = None if "page=" in query else self._content(path)
        if content is None:
            return Reply(404, HEADERS, CANARY.encode(), HEADER)
        return Reply(200, HEADERS, json.dumps(content).encode(), HEADER)

    def _content(self, path: str) -> Any:  # noqa: ANN401 - JSON
        customer = {
            "customer_id": CUSTOMER,
            "crm__updated": "2026-01-01",
            "crm__standard_info__name": FORGED,
            "crm__custom_info__67": FORGED,
            FORGED: FORGED,
        }
        kind = f"kind\x1b[31m\n{'x' * 100_000}"
        return {
            "/api/v1/campaigns": [
                {"campaign__id": FORGED, "campaign__name": FORGED},
                {
                    "campaign__id": 8,
                    "campaign__name": FORGED,
                    "data_owner__id": 2,
                    "campaign__crm_type": "B2B",
                    FORGED: FORGED,
                },
            ],
            "/api/v1/data_owners/2/B2B/crm_custom_fields/": [
                {"id": 67, "key": FORGED, "type": kind, "hint": FORGED},
                {"id": FORGED, "key": FORGED, "type": "number"},
                *({"id": n, "key": f"{n}", "type": f"{n}\x1b"} for n in range(100, 200)),
            ],
            "/api/v1/data_owners/2/B2B/customers/": {
                "count": 2,
                "next": f"http://{CANARY}.example.org/{FORGED}",
                "results": [customer, customer | {"customer_id": f"{CUSTOMER}9"}],
                FORGED: FORGED,
            },
            f"/api/v1/data_owners/2/B2B/customers/{CUSTOMER}": customer,
        }.get(path)


FAILURES = {
    "an error": ("customers/", Reply(500, HEADERS, FORGED.encode(), HEADER)),
    "a wait": ("customers/", Reply(429, {**HEADERS, "Retry-After": HEADER}, b"", HEADER)),
    "a refusal": ("customers/", Reply(403, HEADERS, FORGED.encode(), HEADER)),
    "a redirect": ("customers/", Reply(302, {**HEADERS, "Location": f"/{HEADER}"}, b"", HEADER)),
    "no JSON": ("customers/", Reply(200, HEADERS, FORGED.encode(), HEADER)),
    "a damaged encoding": (
        "customers/",
        Reply(200, {**HEADERS, "Content-Encoding": "gzip"}, FORGED.encode(), HEADER),
    ),
    "no customer": (CUSTOMER, Reply(500, HEADERS, FORGED.encode(), HEADER)),
    "no definitions": ("crm_custom_fields/", Reply(500, HEADERS, FORGED.encode(), HEADER)),
    "nothing": ("", Reply(401, {**HEADERS, "WWW-Authenticate": HEADER}, FORGED.encode(), HEADER)),
}


@pytest.mark.parametrize("name", ["", *FAILURES])
def test_a_server_cannot_write_to_the_log(name: str) -> None:
    """At DEBUG, with details: no text of the server, no id, no forged line, no escape sequence."""
    with serving(HostileAccount(*FAILURES.get(name, ()))) as account:
        run = read_all(account.url)
    assert_clean(run.stderr)
    assert (run.returncode == 0) == (name in {"", "a refusal"}), run.stderr


@pytest.mark.parametrize("formatter", ["own", "structured"])
def test_the_log_configuration_of_a_user_changes_nothing(tmp_path: Path, formatter: str) -> None:
    """Handlers of the user's own get the same text, from other packages as well."""
    config = tmp_path / "log.yml"
    config.write_text(LOG_CONFIG.replace("FORMATTER", formatter))
    with serving(HostileAccount()) as account:
        run = read_all(account.url, SINGER_SDK_LOG_CONFIG=str(config))
    lines = run.stderr.splitlines()
    if formatter == "structured":
        assert all(json.loads(line) for line in lines)
        assert not any(mark in run.stderr for mark in MARKS)
    else:
        assert_clean(run.stderr)
    (told,) = (line for line in lines if "urllib3.connection" in line)
    assert "Its text is left out" in told


def test_an_unknown_type_is_shown_escaped_and_short() -> None:
    """The log names what an administrator has to look at, of many types the first ones."""
    with serving(HostileAccount()) as account:
        run = read_all(account.url)
    (line,) = (line for line in run.stderr.splitlines() if "unknown types" in line)
    assert r"100\x1b, 101\x1b" in line
    assert line.endswith(" and 81 more")


def read_all(url: str, **env: str) -> TapRun:
    """Read an account with details, and log all there is."""
    settings = {"api_url": url, "auth_token": TOKEN, "max_retries": 1, "assignment_ids": []}
    catalog = None
    found = run_in_process(settings, extra_args=["--discover"])
    if found.returncode == 0:
        catalog = found.catalog
        for entry in catalog["streams"]:
            entry["metadata"] = [{"breadcrumb": [], "metadata": {"selected": True}}]
    return run_in_process(settings, catalog=catalog, env={"LOGLEVEL": "DEBUG", **env})


def assert_clean(log: str) -> None:
    """Each line is one that the tap writes, and the whole log is short."""
    assert [line for line in log.split("\n")[:-1] if not LINE.fullmatch(line)] == []
    assert all(line.isprintable() for line in log.split("\n"))
    assert len(log) < 20_000
    assert not any(mark in log for mark in MARKS)
