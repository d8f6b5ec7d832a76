"""The installed command `tap-cube` as a process of its own, and what it said."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tap_cube.streams.registry import RUN_LOG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

SCRIPTS = Path(sys.executable).parent
SETTINGS_OF_OTHERS = ("TAP_CUBE_", "TARGET_POSTGRES_", "MELTANO_")
SECONDS = 300
"""How long a broken run may hang; none waits for the clock."""


@dataclass(frozen=True)
class TapRun:
    """How a run of the tap ended and what it wrote."""

    returncode: int
    stdout: str = field(repr=False)
    stderr: str

    @cached_property
    def messages(self) -> list[dict[str, Any]]:
        """The Singer messages about the account; anything else on stdout is a `ValueError`."""
        return [message for message in self.all_messages if message.get("stream") != RUN_LOG]

    @property
    def run_log(self) -> list[dict[str, Any]]:
        """What the run recorded about itself."""
        messages = [message for message in self.all_messages if message.get("stream") == RUN_LOG]
        return [message["record"] for message in messages if message["type"] == "RECORD"]

    @cached_property
    def all_messages(self) -> list[dict[str, Any]]:
        """All Singer messages in order."""
        # Not splitlines: a text of a customer may hold U+2028.
        return [json.loads(line) for line in self.stdout.split("\n") if line]

    @property
    def records(self) -> dict[str, list[dict[str, Any]]]:
        """The records of each stream that sent a schema, in order."""
        records: dict[str, list[dict[str, Any]]] = {stream: [] for stream in self.schemas}
        for message in self.messages:
            if message["type"] == "RECORD":
                records[message["stream"]].append(message["record"])
        return records

    @property
    def schemas(self) -> dict[str, dict[str, Any]]:
        """The last SCHEMA message of each stream."""
        return {
            message["stream"]: message for message in self.messages if message["type"] == "SCHEMA"
        }

    @property
    def state(self) -> dict[str, Any] | None:
        """The value of the last STATE message, or None where there was none."""
        states = [message["value"] for message in self.messages if message["type"] == "STATE"]
        return states[-1] if states else None

    @property
    def catalog(self) -> dict[str, Any]:
        """What `--discover` wrote."""
        catalog: dict[str, Any] = json.loads(self.stdout)
        return catalog


def run_tap(  # noqa: PLR0913 - each is an option of the command
    config: Mapping[str, Any] | None,
    *,
    catalog: Mapping[str, Any] | None = None,
    state: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    extra_args: Sequence[str] = (),
    timeout: float = SECONDS,
) -> TapRun:
    """Run the tap to its end.

    Args:
        config: Settings for the config file; None for a run without one.
        catalog: Catalog for the run; the tap discovers one when left out.
        state: State to go on from.
        env: Environment variables on top of a clean environment.
        extra_args: Further arguments, such as `--discover`.
        timeout: Seconds after which the tap is killed.
    """
    with started_tap(
        config, catalog=catalog, state=state, env=env, extra_args=extra_args
    ) as process:
        stdout, stderr = process.communicate(timeout=timeout)
    return TapRun(process.returncode, stdout.decode(), stderr.decode())


@contextlib.contextmanager
def started_tap(  # noqa: PLR0913 - each is an option of the command
    config: Mapping[str, Any] | None,
    *,
    catalog: Mapping[str, Any] | None = None,
    state: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    extra_args: Sequence[str] = (),
    stderr: int | IO[bytes] = subprocess.PIPE,
    preexec_fn: Callable[[], object] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start the tap for a test that wants to meddle, and end it with the block.

    The arguments are those of `run_tap`; the last two are those of `subprocess.Popen`.
    """
    with tempfile.TemporaryDirectory() as folder:
        options = written_options(folder, config=config, catalog=catalog, state=state)
        command = ["tap-cube", *options, *extra_args]
        with started(command, env=env, stderr=stderr, preexec_fn=preexec_fn) as process:
            yield process


def written_options(folder: str, **contents: Mapping[str, Any] | None) -> list[str]:
    """Write a file for each option that has a content, and return the options."""
    options: list[str] = []
    for name, content in contents.items():
        if content is not None:
            path = Path(folder, f"{name}.json")
            path.write_text(json.dumps(content))
            options += [f"--{name}", str(path)]
    return options


@contextlib.contextmanager
def started(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    stdin: int | IO[bytes] | None = subprocess.DEVNULL,
    stderr: int | IO[bytes] = subprocess.PIPE,
    preexec_fn: Callable[[], object] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command of this environment with a piped stdout; it does not outlive the block."""
    program = SCRIPTS / command[0]
    process = subprocess.Popen(  # noqa: S603 - our own command
        [program, *command[1:]],
        env=clean_environment() | dict(env or {}),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        preexec_fn=preexec_fn,  # noqa: PLW1509 - calls one function of the system
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def clean_environment() -> dict[str, str]:
    """The environment without anybody's settings, the installed commands first on PATH."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(SETTINGS_OF_OTHERS)
    }
    return inherited | {"PATH": os.pathsep.join([str(SCRIPTS), os.environ.get("PATH", "")])}
