"""The SDK's test suite for taps, against an account with every kind of data.

The suite discovers streams while this module is imported, so the sandbox starts here. It ends with
the session, or with the process if no test of the module was selected.
"""

from __future__ import annotations

import atexit
import io
from contextlib import ExitStack, redirect_stdout
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from cube_sandbox import Sandbox, Traps
from tap_cube.tap import TapCube
from tests.integration.conftest import TODAY
from tests.support.runs import settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator

_running = ExitStack()
atexit.register(_running.close)
_cube = _running.enter_context(
    Sandbox(
        customers=12,
        outcomes=30,
        page_size=5,
        anonymised=2,
        traps=Traps(mistyped=0.2),
        today=TODAY,
    )
)
_settings = settings_for(_cube)

# A definition has either `data__type` or `type`.
pytestmark = [
    pytest.mark.filterwarnings(r"ignore:Fields in .* not in records. \({'data__type'}\)"),
    # A column that is empty in all records, if its test happens to be the first.
    pytest.mark.filterwarnings("ignore:No records were available to test"),
    pytest.mark.xdist_group("sdk"),  # one worker syncs the account for all of them
]


@pytest.fixture(scope="session", autouse=True)
def _sandbox() -> Iterator[None]:
    """Close the sandbox after the session; other modules can run in between."""
    yield
    _running.close()


def complete_catalog() -> dict[str, Any]:
    """All streams, including columns that appear only during the sync."""
    tap = TapCube(config=_settings)
    with redirect_stdout(io.StringIO()):
        tap.run_sync_dry_run(dry_run_record_limit=None)
    return tap.catalog_dict


TestTapCube = get_tap_test_class(
    TapCube,
    config=_settings,
    parse_env_config=False,
    suite_config=SuiteConfig(max_records_limit=None),
    catalog=complete_catalog(),
)
