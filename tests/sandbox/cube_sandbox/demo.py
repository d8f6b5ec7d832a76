"""The demo: an account, a database, and `meltano run tap-cube target-postgres` twice."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from typing import TYPE_CHECKING, Never

import psycopg

from cube_sandbox.demo_checks import DemoError
from cube_sandbox.demo_output import Output
from cube_sandbox.demo_story import CHANGED, INTRODUCTION, NEXT, Story
from cube_sandbox.demo_tables import Tables
from cube_sandbox.meltano_project import MeltanoError, meltano_project
from cube_sandbox.postgres import PostgresError, postgres
from cube_sandbox.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType


def main(argv: Sequence[str]) -> int:
    """Run the demo and remove everything it created.

    Returns:
        0 if exactly the expected rows were written, 1 for a difference or an error, 130 for Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog="cube-sandbox demo", description=__doc__)
    option = parser.add_argument
    option(
        "--customers", type=_customer_count, default=120, help="customers per CRM (default: 120)"
    )
    option("--seed", type=int, default=1, help="decides every invented value (default: 1)")
    options = parser.parse_args(argv)
    out = Output()
    try:
        with _signals_exit(), contextlib.ExitStack() as stack:
            out.text(INTRODUCTION)
            with out.step("Starting a Cube account with invented customers"):
                cube = Sandbox(customers=options.customers, seed=options.seed)
                stack.enter_context(cube)
            with out.step("Starting PostgreSQL"):
                database = stack.enter_context(postgres())
                project = stack.enter_context(meltano_project(cube, database))
                connection = stack.enter_context(database.connect())
            Story(out, cube, project, Tables(connection)).tell()
        out.text(NEXT)
    except (DemoError, MeltanoError, PostgresError, psycopg.Error, OSError) as error:
        sys.stderr.write(f"\nThe demo failed. {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _customer_count(text: str) -> int:
    if not text.isdecimal() or int(text) < CHANGED:
        msg = f"{text!r} is not a number of at least {CHANGED}"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


@contextlib.contextmanager
def _signals_exit() -> Iterator[None]:
    """Turn signals that end a process into exceptions."""

    def leave(number: int, _frame: FrameType | None) -> Never:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
