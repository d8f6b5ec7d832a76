"""A local Cube account.

The import is cheap: Django is set up with the first sandbox.
"""

import importlib
from typing import TYPE_CHECKING

from cube_sandbox.faults import KINDS, Fault, Request
from cube_sandbox.generations import GENERATIONS
from cube_sandbox.sandbox import Sandbox
from cube_sandbox.traps import Traps

if TYPE_CHECKING:
    from cube_sandbox.account import Account

__all__ = ["GENERATIONS", "KINDS", "Account", "Fault", "Request", "Sandbox", "Traps"]


def __getattr__(name: str) -> object:
    """Import `Account` on first use, since it needs Django."""
    if name != "Account":
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    importlib.import_module("cube_sandbox.project").set_up()
    account: object = importlib.import_module("cube_sandbox.account").Account
    return account
