"""Progress of a run: a bar on a terminal, log lines elsewhere, and correct figures."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import termios
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from cube_sandbox import Fault
from cube_sandbox.traps import Traps
from tap_cube.streams.registry import RUN_LOG
from tests.support.batch_runs import into, rows
from tests.support.runs import CRM, CUSTOMERS, only, read, settings_for
from tests.support.sizes import scaled
from tests.support.tap_process import run_tap, started_tap

if TYPE_CHECKING:
    from pathlib import Path

    from cube_sandbox import Sandbox
    from tests.support.tap_process import TapRun

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \| (INFO|WARNING) +\| [\w.-]+ +\| \S.*")
BAR = re.compile(rf"{CUSTOMERS}(?:, \d of \d)?: +(\d+)%\|")
SUMMARY = re.compile(
    r"(?P<rows>\d+) rows? emitted, (?P<unchanged>\d+) unchanged skipped, (?P<requests>\d+) "
    r"requests?, (?P<retries>\d+) of them retries, (?P<unparsed>\d+) unparsed values?, [\d.]+ s"
    r".*, at most (?P<in_flight>\d+) requests at once by now$"
)
STRUCTURED = """
version: 1
disable_existing_loggers: false
formatters:
  structured: {"()": singer_sdk.logging.StructuredFormatter}
handlers:
  console: {class: logging.StreamHandler, formatter: structured, stream: "ext://sys.stderr"}
root: {level: INFO, handlers: [console]}
"""


def on_a_terminal(cube: Sandbox, **settings: object) -> str:
    """Run the tap with stderr on a wide terminal, and return its output."""
    terminal, stderr = pty.openpty()
    termios.tcsetwinsize(stderr, (40, 400))
    sent = b""
    try:
        with started_tap(settings_for(cube, **settings), stderr=stderr) as process:
            os.close(stderr)
            assert process.stdout is not None
            with process.stdout as stdout:
                records = stdout.fileno()
                sent = _read_all(terminal, records)
            assert process.wait(300) == 0, sent.decode()
    finally:
        os.close(terminal)
    return sent.decode()


def _read_all(terminal: int, records: int) -> bytes:
    """Read a terminal to its end, and drain the pipe meanwhile, which may hold one page only."""
    sent = b""
    files = [terminal, records]
    while True:
        ready, _, _ = select.select(files, [], [])
        if records in ready and not os.read(records, 65536):
            files.remove(records)
        if terminal not in ready:
            continue
        try:
            some = os.read(terminal, 65536)
        except OSError:  # raised by Linux when the other side has closed
            return sent
        if not some:
            return sent
        sent += some


def shown(sent: str) -> list[str]:
    """The lines that a terminal shows in the end, after overwriting."""
    lines = []
    for line in sent.replace("\r\n", "\n").split("\n"):
        cells: list[str] = []
        for part in line.split("\r"):
            cells[: len(part)] = part
        lines.append("".join(cells).rstrip())
    return lines


def test_a_terminal_shows_a_bar_and_complete_lines(cube: Sandbox) -> None:
    """The bar moves, log lines are above it, and it is removed in the end."""
    cube.reset(customers=60, delay=0.02)
    sent = on_a_terminal(cube, assignment_ids=[])
    shares = {int(share) for share in BAR.findall(sent)}
    assert {0} < shares <= set(range(101))
    *lines, end = shown(sent)
    assert end == ""
    assert [line for line in lines if line and not LINE.fullmatch(line)] == []
    assert any("60 rows emitted" in line for line in lines)


def test_without_a_terminal_there_is_no_bar(cube: Sandbox) -> None:
    """A log file or an orchestrator gets only lines, with a summary of each stream."""
    run = run_tap(settings_for(cube, **only(CRM)))
    assert "%|" not in run.stderr
    assert "\r" not in run.stderr
    assert all(LINE.fullmatch(line) for line in run.stderr.splitlines())
    summaries = [line for line in run.stderr.splitlines() if SUMMARY.search(line)]
    assert len(summaries) == len(run.schemas)


@pytest.mark.parametrize("is_good", [True, False])
def test_structured_logs_stay_json(cube: Sandbox, tmp_path: Path, *, is_good: bool) -> None:
    """With the SDK's log configuration each line of stderr is a JSON object."""
    config = tmp_path / "log.yml"
    config.write_text(STRUCTURED)
    cube.reset(undated=2, traps=Traps(mistyped=0.5))
    token = cube.token if is_good else "0" * 40
    run = run_tap(
        settings_for(cube, auth_token=token, **only(CRM)),
        env={"SINGER_SDK_LOG_CONFIG": str(config)},
    )
    assert (run.returncode == 0) == is_good
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    levels = {line["level"] for line in lines if line["logger_name"].startswith("tap-cube")}
    assert ("error" in levels) == (not is_good)
    assert any(SUMMARY.search(line["message"]) for line in lines) == is_good


@pytest.mark.parametrize("path", ["blocks", "files", *scaled([], ["single records"])])
def test_metrics_count_every_row(cube: Sandbox, tmp_path: Path, path: str) -> None:
    """The SDK's metrics count rows and requests, also if records are written in blocks."""
    cube.reset(without=(), outcomes=12)
    options: dict[str, Any] = {
        "blocks": {},
        "single records": {"stream_maps": {CUSTOMERS: {"__filter__": "True"}}},
        "files": into(tmp_path, batch_size=7),
    }[path]
    run = read(cube, discovered=cube.requests.clear, **options)
    counted: Counter[str] = Counter()
    requests = files = 0
    for line in run.stderr.splitlines():
        if "METRIC: " in line:
            metric = json.loads(line.partition("METRIC: ")[2])
            if metric["metric"] == "record_count":
                counted[metric["tags"]["stream"]] += metric["value"]
            requests += metric["value"] if metric["metric"] == "http_request_count" else 0
            files += metric["value"] if metric["metric"] == "batch_count" else 0
    assert counted.pop(RUN_LOG) == len(run.run_log)
    assert counted == Counter({stream: len(found) for stream, found in rows(run).items()})
    assert requests == len(cube.requests)
    assert files == sum(message["type"] == "BATCH" for message in run.messages)


def test_the_summary_has_the_figures_of_the_run(cube: Sandbox) -> None:
    """It counts rows, unchanged rows, requests, retries and unparsed values."""
    cube.reset(traps=Traps(mistyped=0.3))
    first = read(cube, **only(CRM))
    summary = figures(first, CUSTOMERS)
    unparsed = sum(
        len(json.loads(row["unparsed_values"] or "{}")) for row in first.records[CUSTOMERS]
    )
    assert (summary["rows"], summary["unchanged"], summary["retries"]) == (12, 0, 0)
    assert summary["unparsed"] == unparsed > 0
    assert summary["in_flight"] >= 1

    cube.requests.clear()
    cube.faults = [Fault("500", row="C2", page=2, times=2)]
    second = read(cube, state=first.state, **only(CRM))
    summary = figures(second, CUSTOMERS)
    assert summary["rows"] == len(second.records[CUSTOMERS]) < 12
    assert summary["unchanged"] == 12 - summary["rows"]
    assert summary["retries"] == 2
    assert summary["requests"] == sum(request.row == "C2" for request in cube.requests)


def figures(run: TapRun, stream: str) -> dict[str, int]:
    """The numbers of a stream's summary."""
    (line,) = (text for text in run.stderr.splitlines() if f"| {stream}: " in text)
    found = SUMMARY.search(line)
    assert found is not None, line
    return {name: int(value) for name, value in found.groupdict().items()}
