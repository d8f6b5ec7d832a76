"""Log configurations of a user's own, which must neither hide an error nor damage the output."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.runs import CRM, only, settings_for
from tests.support.tap_process import run_tap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cube_sandbox import Sandbox
    from tests.support.tap_process import TapRun

    LoggedBy = Callable[..., TapRun]

FORMAT = "%(levelname)s: %(message)s"
STDERR = {"class": "logging.StreamHandler", "stream": "ext://sys.stderr"}
STDOUT = {**STDERR, "stream": "ext://sys.stdout"}
FULL_DISK = {"class": "logging.FileHandler", "filename": "/dev/full"}


@pytest.fixture
def logged_by(cube: Sandbox, tmp_path: Path) -> LoggedBy:
    """Run the tap with the log going to a handler."""

    def run(handler: dict[str, str], template: str = FORMAT, **settings: object) -> TapRun:
        path = tmp_path / "log.json"
        config = {
            "version": 1,
            "formatters": {"own": {"format": template}},
            "handlers": {"own": {**handler, "formatter": "own"}},
            "root": {"level": "INFO", "handlers": ["own"]},
        }
        path.write_text(json.dumps(config))
        env = {"SINGER_SDK_LOG_CONFIG": str(path)}
        return run_tap(settings_for(cube, **only(CRM)) | settings, env=env)

    return run


def test_an_error_is_logged_though_the_configuration_disables_other_loggers(
    logged_by: LoggedBy,
) -> None:
    """Python disables those that exist and are not named, unless it is told not to."""
    run = logged_by(STDERR, auth_token="wrong")  # noqa: S106 - invented
    assert run.returncode == 1
    assert "ERROR: campaigns, page 1: HTTP 401" in run.stderr


def test_a_log_that_is_sent_to_stdout_goes_to_stderr(logged_by: LoggedBy) -> None:
    """A target ends at the first line that is no message."""
    run = logged_by(STDOUT)
    assert run.returncode == 0, run.stderr
    assert all(json.loads(line)["type"] for line in run.stdout.split("\n")[:-1])
    assert "WARNING: The file that variable SINGER_SDK_LOG_CONFIG names sends" in run.stderr


@pytest.mark.parametrize(
    ("handler", "template", "reason"),
    [
        (STDERR, "%(nobody)s", "StreamHandler (ValueError)"),
        (FULL_DISK, FORMAT, "FileHandler (No space left on device)"),
    ],
)
def test_a_handler_that_fails_is_told_once(
    logged_by: LoggedBy,
    handler: dict[str, str],
    template: str,
    reason: str,
) -> None:
    """Python prints a traceback for each record; the run goes on."""
    run = logged_by(handler, template)
    assert run.returncode == 0, run.stderr
    (line,) = run.stderr.splitlines()
    assert f"The log could not be written by {reason}" in line


def test_an_empty_variable_names_no_file(cube: Sandbox) -> None:
    """As Compose files and CI systems set it."""
    run = run_tap(settings_for(cube, **only(CRM)), env={"SINGER_SDK_LOG_CONFIG": ""})
    assert run.returncode == 0, run.stderr
