"""Runs that read single customers, and what they asked for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.support.in_process import run_in_process
from tests.support.runs import CRM, discover, entry_of, only, read, set_selected, settings_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from cube_sandbox import Request, Sandbox
    from tests.support.tap_process import TapRun

OF_ASSIGNED, OF_CUSTOMERS = "assignment_customer_details", "data_owner_customer_details"
SINGLES = {"S2", "C3", "S6"}


def asked(cube: Sandbox) -> list[str]:
    """The ids in the paths of single customers that were asked for, in order."""
    return [unquote(r.path).rpartition("/")[2] for r in cube.requests if r.row in SINGLES]


def read_details(cube: Sandbox, **settings: Any) -> TapRun:  # noqa: ANN401 - those of `read`
    """Read one CRM with its details, which must go well."""
    run = read(cube, selected=[OF_CUSTOMERS], **only(CRM), **settings)
    assert run.returncode == 0, run.stderr
    return run


def run_details(cube: Sandbox, **settings: object) -> TapRun:
    """Read one CRM with its details and have all told that is done."""
    catalog = discover(cube, **only(CRM))
    set_selected(entry_of(catalog, OF_CUSTOMERS), selected=True)
    run = run_in_process(
        settings_for(cube, **only(CRM), **settings),
        catalog=catalog,
        env={"TAP_CUBE_LOGLEVEL": "DEBUG"},
    )
    assert run.returncode == 0, run.stderr
    return run


def once_at_a_single(cube: Sandbox, edit: Callable[[], object]) -> None:
    """Let something happen when the first single customer is asked for."""
    lock = threading.Lock()
    happened: list[int] = []

    def see(request: Request) -> None:
        with lock:
            if request.row in SINGLES and not happened:
                happened.append(request.number)
                edit()

    cube.before_request = see
