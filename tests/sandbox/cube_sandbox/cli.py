"""The command `cube-sandbox`: serve a local account, or run the demo."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import re
import sys
from typing import TYPE_CHECKING, Never

from typing_extensions import override

from cube_sandbox.faults import Fault
from cube_sandbox.generations import GENERATIONS
from cube_sandbox.sandbox import Sandbox
from cube_sandbox.serve import serve
from cube_sandbox.traps import Traps

if TYPE_CHECKING:
    from collections.abc import Sequence

_NUMBERS = frozenset({"page", "times"})
_DECIMALS = frozenset({"share", "seconds"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: The arguments; None for those of the process.

    Returns:
        The exit code. Wrong options end the process with code 2 and a one-line error.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if arguments[:1] == ["demo"]:
            code: int | None = importlib.import_module("cube_sandbox.demo").main(arguments[1:])
            return code or 0
        return _serve(arguments)
    except KeyboardInterrupt:  # before there is anything to end
        return 130


def _serve(arguments: Sequence[str]) -> int:
    parser = _parser()
    options = vars(parser.parse_args(arguments))
    del options["command"]
    as_json, with_postgres = options.pop("json"), options.pop("postgres")
    try:
        traps = Traps(**dict(options.pop("trap")))
        cube = Sandbox(traps=traps, faults=options.pop("fault"), **options)
        return serve(cube, as_json=as_json, with_postgres=with_postgres)
    except (OSError, ValueError) as error:
        parser.error(str(error))


class _Parser(argparse.ArgumentParser):
    """Prints errors as one line, without the usage."""

    @override
    def error(self, message: str) -> Never:
        self.exit(2, f"{self.prog}: {message.rstrip('.')}.\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="cube-sandbox", description="A local Headshed Cube account.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="serve|demo")
    commands.add_parser(
        "demo", add_help=False, help="run tap-cube with a local account and PostgreSQL"
    )
    serve = commands.add_parser("serve", help="serve an account until interrupted")
    option = serve.add_argument
    option("--port", type=port, default=0, help="port on 127.0.0.1 (default: a free one)")
    option("--generation", choices=GENERATIONS, default="all", metavar="NAME", help=_choices())
    option("--customers", type=int, default=60, help="customers per CRM (default: 60)")
    option("--campaigns", type=int, default=4, help="number of campaigns (default: 4)")
    option("--outcomes", type=int, default=60, help="call outcomes per campaign (default: 60)")
    option("--notes", type=int, default=0, help="notes per campaign, an invented endpoint")
    option("--seed", type=int, default=1, help="decides every invented value (default: 1)")
    option("--page-size", type=int, default=25, help="rows a page (default: 25)")
    option("--delay", type=float, default=0.0, help="seconds before every response")
    option("--token", default="", help="default: derived from the seed")
    option("--username", default="owner@example.com", help="default: owner@example.com")
    option("--password", default="", help="default: derived from the seed")
    option("--anonymised", type=int, default=0, help="anonymised customers per CRM")
    option("--undated", type=int, default=0, help="customers per CRM without modification date")
    option("--forbidden", action="append", default=[], metavar="NAME", help="respond with 403")
    option("--without", action="append", default=[], metavar="ROW", help="endpoint not to serve")
    option("--no-change-log", dest="change_log", action="store_false", help="no modification dates")
    option("--gzip", action="store_true", help="compress responses for clients that accept it")
    option("--trap", action="append", default=[], type=trap, metavar="NAME[=VALUE]", help=_traps())
    option(
        "--fault",
        action="append",
        default=[],
        type=fault,
        metavar="KIND[@N][:page=2][:row=C2][:share=0.02][:times=1][:retry_after=3]",
        help="such as 429@3:retry_after=1 or reset:row=C2:page=2:times=1",
    )
    option("--postgres", action="store_true", help="start an empty PostgreSQL database too")
    option("--json", action="store_true", help="print address and credentials as one JSON line")
    return parser


def port(text: str) -> int:
    """Parse the number of a port; 0 stands for a free one.

    Raises:
        argparse.ArgumentTypeError: There is no such port.
    """
    if not text.isdecimal() or int(text) >= 2**16:
        msg = f"{text!r} is no port from 0 to 65535"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def trap(text: str) -> tuple[str, object]:
    """Parse `name` or `name=value`.

    Raises:
        argparse.ArgumentTypeError: There is no such trap, or only Python can set it.
    """
    name, given, value = text.partition("=")
    defaults = {field.name: field.default for field in dataclasses.fields(Traps)}
    if name not in defaults or name in {"next_value", "count"}:
        msg = f"there is no trap {name!r}"
        raise argparse.ArgumentTypeError(msg)
    default = defaults[name]
    if isinstance(default, bool):
        return name, value.lower() not in {"false", "no", "0"}
    if not given:
        msg = f"trap {name!r} needs a value"
        raise argparse.ArgumentTypeError(msg)
    return name, float(value) if isinstance(default, float) else value


def fault(text: str) -> Fault:
    """Parse `kind[@numbers][:name=value]...`.

    Raises:
        argparse.ArgumentTypeError: There is no such kind, or no such attribute.
    """
    start, *pairs = re.split(r":(?=[a-z_]+=)", text)
    kind, _, numbers = start.partition("@")
    attributes: dict[str, object] = {}
    try:
        if numbers:
            attributes["at"] = frozenset(map(int, numbers.split(",")))
        for name, _, value in (pair.partition("=") for pair in pairs):
            attributes[name] = _attribute(name, value)
        return Fault(kind, **attributes)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        msg = f"{text!r} is not a fault ({str(error).removeprefix('Fault.__init__() ')})"
        raise argparse.ArgumentTypeError(msg) from error


def _attribute(name: str, value: str) -> object:
    if name in _NUMBERS or (name == "retry_after" and value.isdecimal()):
        return int(value)
    return float(value) if name in _DECIMALS else value


def _choices() -> str:
    return "; ".join(f"{name}: {each.description}" for name, each in GENERATIONS.items())


def _traps() -> str:
    names = (field.name for field in dataclasses.fields(Traps))
    return ", ".join(name for name in names if name not in {"next_value", "count"})
