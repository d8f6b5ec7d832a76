"""Runs that are ended from outside show no credential and no customer."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from cube_sandbox import Fault
from tests.integration.test_secrets import (
    DEBUG,
    PASSWORD,
    PERSON,
    TOKEN,
    USER,
    assert_secretive,
    marked_account,
)
from tests.integration.test_tls import secure_account
from tests.support.ending import has_reached, wait_until
from tests.support.in_process import run_in_process
from tests.support.runs import CRM, only, settings_for
from tests.support.tap_process import TapRun, started_tap

if TYPE_CHECKING:
    from pathlib import Path

    from cube_sandbox import Sandbox


@pytest.fixture
def settings(cube: Sandbox) -> dict[str, Any]:
    """Settings for an account with a marked person, which stalls at page 3."""
    marked_account(cube)
    cube.page_size = 7
    cube.account.insert(CRM, 20)
    cube.faults = [Fault("stall", row="C2", page=3)]
    return settings_for(cube, auth_token=TOKEN, **only(CRM))


def test_a_signal_shows_nothing(cube: Sandbox, settings: dict[str, Any]) -> None:
    """After a signal the marked person is in the records only."""
    with started_tap(settings, env=DEBUG) as process:
        wait_until(lambda: has_reached(cube, "on a stalled socket"), process)
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 128 + signal.SIGTERM
    run = TapRun(process.returncode, stdout.decode(), stderr.decode())
    assert PERSON["email"] in run.stdout
    assert_secretive(run)


def test_a_closed_pipe_shows_nothing(cube: Sandbox, settings: dict[str, Any]) -> None:
    """The error about the closed pipe does not show the record."""
    with started_tap(settings, env=DEBUG) as process:
        assert process.stdout is not None
        wait_until(lambda: has_reached(cube, "on a stalled socket"), process)
        process.stdout.close()
        _, stderr = process.communicate(timeout=300)
    run = TapRun(process.returncode, "", stderr.decode())
    assert run.returncode == 1
    assert "Output could not be written" in run.stderr
    assert_secretive(run)


@pytest.mark.parametrize(
    "credential", [{"auth_token": TOKEN}, {"username": USER, "password": PASSWORD}]
)
def test_a_rejected_certificate_shows_nothing(tmp_path: Path, credential: dict[str, str]) -> None:
    """The credential is neither sent to an untrusted host nor logged."""
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    with secure_account(trustme.CA()) as url:
        run = run_in_process(
            {"api_url": url, "max_retries": 0, **credential},
            env={**DEBUG, "REQUESTS_CA_BUNDLE": str(other)},
        )
    assert run.returncode == 1
    assert "certificate could not be verified" in run.stderr
    assert_secretive(run)
