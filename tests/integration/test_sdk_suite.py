"""The SDK's test suite for taps, against an account with every kind of data."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import SuiteConfig, TapTestRunner, get_tap_test_class

from cube_sandbox import Sandbox, Traps
from tap_cube.streams.registry import RUN_LOG
from tap_cube.tap import TapCube
from tests.integration.conftest import TODAY
from tests.support.runs import settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# A definition has either `data__type` or `type`.
pytestmark = [
    pytest.mark.filterwarnings(r"ignore:Fields in .* not in records. \({'data__type'}\)"),
    # A column that is empty in all records.
    pytest.mark.filterwarnings("ignore:No records were available to test"),
]

# The SDK's dry run ends before the run is recorded.
SUITE = SuiteConfig(max_records_limit=None, ignore_no_records_for_streams=[RUN_LOG])


@pytest.fixture
def settings() -> Iterator[dict[str, Any]]:
    """Settings for an account of its own, with several values that do not fit their type."""
    with Sandbox(
        customers=12,
        outcomes=30,
        page_size=5,
        anonymised=2,
        traps=Traps(mistyped=0.2),
        today=TODAY,
    ) as cube:
        yield settings_for(cube)


def complete_catalog(settings: Mapping[str, Any]) -> dict[str, Any]:
    """All streams, including columns that appear only during the sync."""
    tap = TapCube(config=dict(settings))
    with redirect_stdout(io.StringIO()):
        tap.run_sync_dry_run(dry_run_record_limit=None)
    return tap.catalog_dict


def test_the_sdks_suite_finds_no_fault(settings: dict[str, Any]) -> None:
    """Every check that the SDK has for taps, streams and columns passes.

    As tests of their own, they would need a sync while every worker collects its tests.
    """
    options: dict[str, Any] = {
        "config": settings,
        "parse_env_config": False,
        "suite_config": SUITE,
        "catalog": complete_catalog(settings),
    }
    checks = get_tap_test_class(TapCube, **options)
    runner = TapTestRunner(TapCube, **options)
    runner.sync_all()
    done = 0
    for name in (name for name in vars(checks) if name.startswith("test_")):
        for case in [case.values._asdict() for case in checks.params.get(name, [])] or [{}]:
            try:
                getattr(checks, name)(SUITE, None, runner, **case)
            except Exception as fault:
                fault.add_note(f"{name}: {[str(part) for part in case.values()]}")
                raise
            done += 1
    assert done > 300
