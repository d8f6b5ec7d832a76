"""Commands and settings of README.md and the pages under `docs/`, run as they stand there."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import textwrap
from typing import TYPE_CHECKING

from tests.repository.docs import ROOT
from tests.support.tap_process import SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def fenced(page: str, language: str, section: str = "") -> list[str]:
    """The code blocks of a page in one language, in order, also those in lists.

    Args:
        page: The page's name below the repository.
        language: What stands behind the three ticks.
        section: The heading of the part to look in, left out for the whole page.
    """
    text = (ROOT / page).read_text("utf-8")
    if section:
        _, text = text.split(f"\n## {section}\n")
        text = text.partition("\n## ")[0]
    blocks = re.findall(rf"^ *```{language}\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(block) for block in blocks]


def shell(commands: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Run commands as a shell script to an end that must be good, and return all they said.

    Args:
        commands: What to run; the first that fails is the last.
        folder: Where it runs.
        environment: All variables that it sees.
    """
    with tempfile.TemporaryFile() as log:
        with subprocess.Popen(  # noqa: S603 - our own pages
            [str(shutil.which("bash")), "-eo", "pipefail", "-c", commands],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process:
            try:
                code = process.wait(2 * SECONDS)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        log.seek(0)
        said = log.read().decode(errors="replace")
    assert code == 0, said
    return said
